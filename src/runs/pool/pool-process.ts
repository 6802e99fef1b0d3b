// One worker process of a pool, as the pool sees it: what is said between the two, and what becomes of one that dies.
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { KitError } from '../../base/errors';
import type { Progress } from '../../base/progress';
import type { RunSpec } from '../../transfer/spec';
import { titleOf } from '../finetune';
import type { TrackingOptions } from '../tracking/tracking';

/** What a worker is told: a run to make, or to stop after a checkpoint. */
export type PoolMessage = PoolTask | { stop: true };

/** A run to make. */
export interface PoolTask {
  spec: RunSpec;
  runs: string;
  keepWeights: boolean;
  checkpointMinutes?: number;
  /** The GPU that must be there; null: the CPU will do. */
  device: string | null;
  /** Files with definitions that the spec may use, see `definitionFiles`. */
  definitions?: string[];
  /** What to do about a run that another process makes. */
  busy: 'wait' | 'throw';
  tracking?: TrackingOptions;
}

/** What a worker answers on the way. */
export type PoolNews = { progress: Progress } | { epoch: number } | { notice: string };

/**
 * How a run ended in a worker: a record's id; that another process makes it; that it was stopped; or an error, `fatal`
 * when the process is of no more use, `gone` when its GPU is not there.
 */
export type PoolOutcome =
  | { id: string; reused: boolean }
  | { busy: string }
  | { stopped: true }
  | { error: { message: string; fix: string; fatal: boolean; gone: boolean } };

export type PoolReply = PoolNews | PoolOutcome;

/** The process that made a run is gone, or of no more use: another may go on with it. */
export class WorkerLostError extends KitError {
  /** Whether its GPU is not there: another process on it would be lost too. */
  gone = false;
}

/** One worker process, made anew when it has died. */
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
   * @throws WorkerLostError when the process died or is of no more use; KitError for what it threw; the signal's reason
   *   when stopped, after its checkpoint.
   */
  async run(
    task: PoolTask,
    onNews: (news: PoolNews) => void,
  ): Promise<{ id: string; reused: boolean } | { busy: string }> {
    const { signal } = this.options;
    signal?.throwIfAborted();
    const child = (this.child ??= this.start());
    let said = '';
    const listen = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-2000));
    const stop = (): void => void (child.connected && child.send({ stop: true } satisfies PoolMessage));
    child.stderr!.on('data', listen);
    signal?.addEventListener('abort', stop);
    try {
      return await new Promise((resolve, reject) => {
        child.removeAllListeners('message').on('message', (reply: PoolReply) => {
          if ('id' in reply || 'busy' in reply) resolve(reply);
          else if ('stopped' in reply) reject(signal?.reason as Error);
          else if ('error' in reply) {
            const { message, fix, fatal, gone } = reply.error;
            reject(
              fatal ? Object.assign(new WorkerLostError(message, { fix }), { gone }) : new KitError(message, { fix }),
            );
          } else onNews(reply);
        });
        child.once('error', (error) =>
          reject(
            new WorkerLostError(`The process of the run ${titleOf(task.spec)} could not be started: ${error.message}.`),
          ),
        );
        child.once('exit', (code, killed) => {
          const last = said.trim().split('\n').pop() ?? '';
          reject(
            new WorkerLostError(
              `The process of the run ${titleOf(task.spec)} ended with ${killed ?? `code ${code}`}${last ? `: ${last}` : ''}.`,
              {
                fix:
                  killed === 'SIGKILL' ? 'It may have been short of memory: fewer --workers, or a smaller batch.' : '',
              },
            ),
          );
        });
        child.send(
          task satisfies PoolMessage,
          (error) =>
            error &&
            reject(
              new WorkerLostError(`The process of the run ${titleOf(task.spec)} cannot be reached: ${error.message}.`),
            ),
        );
      });
    } catch (error) {
      if (error instanceof WorkerLostError) this.discard();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      child.stderr?.off('data', listen);
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
