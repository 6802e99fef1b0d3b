// A worker process of `runPool`: makes the runs that it is told, one after another.
import type { KitError } from '../engine/errors';
import { finetune } from './finetune';
import type { PoolReply, PoolTask } from './pool';

const reply = (message: PoolReply): void => void process.send?.(message);

process.on('message', async ({ spec, runs, keepWeights }: PoolTask) => {
  try {
    let reused = true;
    const { id } = await finetune(spec, {
      runs,
      keepWeights,
      onProgress: (progress) => reply({ progress }),
      onEpoch: ({ epoch }) => {
        reused = false;
        reply({ epoch });
      },
    });
    reply({ id, reused });
  } catch (error) {
    const { message, fix = '' } = error as KitError;
    reply({ error: { message, fix } });
  }
});
process.on('disconnect', () => process.exit()); // whoever started it is gone
