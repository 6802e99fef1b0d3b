// Makes the run of a task, in a worker of the local pool or in a job of Ray.
import { loadDefinitions } from '../../base/definitions/load';
import { internals } from '../../engine/binding';
import { errorFields, KitError } from '../../base/errors';
import { finetune } from '../finetune';
import { RunBusyError } from '../../base/files/lock';
import type { PoolNews, PoolOutcome, PoolTask } from './messages';

/**
 * Makes the run of `task` and returns how it ended; never throws. When `signal` is aborted, a checkpoint is written and
 * the run stops.
 */
export async function executeTask(
  { device, ...task }: PoolTask,
  onNews: (news: PoolNews) => void,
  signal: AbortSignal,
): Promise<PoolOutcome> {
  try {
    if (device !== null && !internals().binding.isUsingGpuDevice()) {
      throw Object.assign(
        new KitError(`TensorFlow does not see the GPU ${device}. The GPU is absent, or another process uses it.`, {
          code: 'DEVICE_GONE',
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
      onProgress: (progress) => onNews({ progress }),
      onNotice: (notice) => onNews({ notice }),
      onEpoch: ({ epoch }) => {
        reused = false;
        onNews({ epoch });
      },
    });
    return { id, reused };
  } catch (error) {
    if (signal.aborted) return { stopped: true };
    if (error instanceof RunBusyError) return { busy: error.message };
    const { fatal = false, gone = false } = error as { fatal?: boolean; gone?: boolean };
    const { message, code, fix = '' } = errorFields(error);
    // An unexpected error, or one of a broken device, may not come back in another process.
    return {
      error: {
        message,
        code,
        fix,
        fatal: fatal || !(error instanceof KitError) || /CUDA_ERROR|cuDNN|device-side|CUBLAS/.test(message),
        gone,
      },
    };
  }
}
