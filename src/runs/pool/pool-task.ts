// What a process that makes runs for others does with one of them, whoever gives it out: the local pool, or Ray.
import { loadDefinitions } from '../../base/definitions/load';
import { internals } from '../../engine/binding';
import { KitError } from '../../base/errors';
import { finetune } from '../finetune';
import { RunBusyError } from '../../base/files/lock';
import type { PoolNews, PoolOutcome, PoolTask } from './pool-process';

/**
 * Makes the run of `task` and says how it ended; never throws. News go to `tell` on the way. When `signal` is aborted,
 * a checkpoint is written and the run stops.
 */
export async function carryOut(
  { device, ...task }: PoolTask,
  tell: (news: PoolNews) => void,
  signal: AbortSignal,
): Promise<PoolOutcome> {
  try {
    if (device !== null && !internals().binding.isUsingGpuDevice()) {
      throw Object.assign(
        new KitError(`TensorFlow does not see the GPU ${device}: it is gone, or taken.`, {
          fix: 'See `nvidia-smi`, and `npx rifle doctor`.',
        }),
        { fatal: true, gone: true },
      );
    }
    const { spec, definitions = [], ...options } = task;
    await loadDefinitions(definitions);
    let reused = true;
    const { id } = await finetune(spec, {
      ...options,
      signal,
      onProgress: (progress) => tell({ progress }),
      onNotice: (notice) => tell({ notice }),
      onEpoch: ({ epoch }) => {
        reused = false;
        tell({ epoch });
      },
    });
    return { id, reused };
  } catch (error) {
    if (signal.aborted) return { stopped: true };
    if (error instanceof RunBusyError) return { busy: error.message };
    const { message, fix = '', fatal = false, gone = false } = error as KitError & { fatal?: boolean; gone?: boolean };
    // What no KitError tells, and what a broken device does, may be gone in another process.
    return {
      error: {
        message,
        fix,
        fatal: fatal || !(error instanceof KitError) || /CUDA_ERROR|cuDNN|device-side|CUBLAS/.test(message),
        gone,
      },
    };
  }
}
