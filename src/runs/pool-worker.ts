// A worker process of `runPool`: makes the runs that it is told, one after another, and stops after a checkpoint when it is told to.
import { internals } from '../engine/binding';
import { KitError } from '../engine/errors';
import { finetune } from './finetune';
import { RunBusyError } from './lock';
import type { PoolMessage, PoolReply, PoolTask } from './pool-process';

const reply = (message: PoolReply): void => void (process.connected && process.send?.(message));
let controller = new AbortController();

async function make({ spec, runs, keepWeights, checkpointMinutes, device, busy }: PoolTask): Promise<void> {
  controller = new AbortController();
  try {
    if (device !== null && !internals().binding.isUsingGpuDevice()) {
      throw Object.assign(new KitError(`TensorFlow does not see the GPU ${device}: it is gone, or taken.`, { fix: 'See `nvidia-smi`, and `npx rifle doctor`.' }), { fatal: true, gone: true });
    }
    let reused = true;
    const { id } = await finetune(spec, {
      runs,
      keepWeights,
      checkpointMinutes,
      busy,
      signal: controller.signal,
      onProgress: (progress) => reply({ progress }),
      onNotice: (notice) => reply({ notice }),
      onEpoch: ({ epoch }) => {
        reused = false;
        reply({ epoch });
      },
    });
    reply({ id, reused });
  } catch (error) {
    if (controller.signal.aborted) return reply({ stopped: true });
    if (error instanceof RunBusyError) return reply({ busy: error.message });
    const { message, fix = '', fatal = false, gone = false } = error as KitError & { fatal?: boolean; gone?: boolean };
    // What no KitError tells, and what a broken device does, may be gone in another process.
    reply({ error: { message, fix, fatal: fatal || !(error instanceof KitError) || /CUDA_ERROR|cuDNN|device-side|CUBLAS/.test(message), gone } });
  }
}

process.on('message', (message: PoolMessage) => {
  if ('stop' in message) controller.abort(new Error('stopped'));
  else void make(message);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined); // Ctrl-C reaches the whole group: the pool says when to stop
process.on('disconnect', () => process.exit()); // whoever started it is gone
