// One worker process of a pool: its start, the messages, and its loss.
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { errorFromFields, KitError } from '../../base/errors';
import { titleOf } from '../finetune';
import { replyOf, type PoolMessage, type PoolNews, type PoolTask } from './messages';

/** The process that made a run is gone, or cannot be used any more: another may resume the run. */
export class WorkerLostError extends KitError {
  /** @param gone whether its GPU is not there: another process on it would be lost too. */
  constructor(
    message: string,
    fix = '',
    readonly gone = false,
  ) {
    super(message, { code: 'WORKER_LOST', fix });
  }
}

/** One worker process. When it has died, the next run starts another. */
export class PoolWorker {
  readonly device: string | null;
  private child: ChildProcess | null = null;
  private readonly killAtExit = (): void => void this.child?.kill('SIGKILL');

  constructor(private readonly options: { device: string | null; threads: number; signal?: AbortSignal }) {
    this.device = options.device;
    process.on('exit', this.killAtExit);
  }

  private start(): ChildProcess {
    const threads = String(this.options.threads);
    return fork(path.join(__dirname, 'pool-worker.js'), [], {
      env: {
        TF_NUM_INTRAOP_THREADS: threads,
        TF_NUM_INTEROP_THREADS: threads,
        ...process.env,
        ...(this.device === null ? {} : { CUDA_VISIBLE_DEVICES: this.device }),
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  }

  /**
   * Makes one run.
   * @throws WorkerLostError when the process died or cannot be used any more; KitError for what it threw; the signal's
   *   reason when stopped, after its checkpoint.
   */
  async run(
    task: PoolTask,
    onNews: (news: PoolNews) => void,
  ): Promise<{ id: string; reused: boolean } | { busy: string }> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    const child = (this.child ??= this.start());
    const name = `The process of the run ${titleOf(task.spec)}`;
    let output = '';
    const keep = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-2000));
    const stop = (): void => void (child.connected && child.send({ stop: true } satisfies PoolMessage));
    child.stderr!.on('data', keep);
    signal?.addEventListener('abort', stop);
    try {
      return await new Promise((resolve, reject) => {
        child.removeAllListeners('message').on('message', (message) => {
          const reply = replyOf(message);
          if (reply === null) return;
          if ('news' in reply) return onNews(reply.news);
          const { outcome } = reply;
          if ('stopped' in outcome) reject(signal?.reason as Error);
          else if (!('error' in outcome)) resolve(outcome);
          else if (!outcome.error.fatal) reject(errorFromFields(outcome.error));
          else reject(new WorkerLostError(outcome.error.message, outcome.error.fix, outcome.error.gone));
        });
        child.once('error', ({ message }) => reject(new WorkerLostError(`${name} could not be started: ${message}.`)));
        child.once('exit', (code, killed) => {
          const last = output.trim().split('\n').pop() ?? '';
          reject(
            new WorkerLostError(
              `${name} ended with ${killed ?? `code ${code}`}${last ? `: ${last}` : ''}.`,
              killed === 'SIGKILL' ? 'It may have been short of memory: use fewer --workers, or a smaller batch.' : '',
            ),
          );
        });
        child.send(
          task satisfies PoolMessage,
          (error) => error && reject(new WorkerLostError(`${name} cannot be reached: ${error.message}.`)),
        );
      });
    } catch (error) {
      if (error instanceof WorkerLostError) this.discard();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      child.stderr?.off('data', keep);
      child.removeAllListeners('exit').removeAllListeners('error');
    }
  }

  private discard(): void {
    this.child?.kill('SIGKILL');
    this.child = null;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    process.off('exit', this.killAtExit);
    this.discard();
  }
}
