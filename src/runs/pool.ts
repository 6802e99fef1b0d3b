// Many runs at once on one machine: worker processes that each take the next run of a list.
import { fork, type ChildProcess } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../engine/errors';
import { stopSignal } from '../engine/host';
import type { OnProgress, Progress } from '../engine/progress';
import { timetable } from '../transfer/rifle';
import type { RunSpec } from '../transfer/spec';
import { titleOf } from './finetune';
import type { RunRecord } from './record';
import { RunStore } from './store';

/** Options of `runPool`. */
export interface PoolOptions {
  /** Processes. The cores are divided among them. */
  workers: number;
  /** Where runs are kept. Default: the kit's own folder. */
  runs?: string;
  keepWeights?: boolean;
  signal?: AbortSignal;
  /** Receives one task `all runs`, in epochs, and one for each worker. */
  onProgress?: OnProgress;
  /** Called with each record as it is there; `reused` when it was there before. */
  onRecord?: (record: RunRecord, reused: boolean) => void;
  /** Called with a run that could not be made, and why; the others go on. Default: the first such error is thrown at the end. */
  onError?: (spec: RunSpec, error: Error) => void;
}

/** What a worker is told. */
export interface PoolTask {
  spec: RunSpec;
  runs: string;
  keepWeights: boolean;
}

/** What a worker answers: progress and epochs on the way, then a record's id or an error. */
export type PoolReply =
  | { progress: Progress }
  | { epoch: number }
  | { id: string; reused: boolean }
  | { error: { message: string; fix: string } };

/**
 * The records of `specs`, in order, made by `workers` processes at once. The numbers of a run may differ in their last bits from those of another
 * number of workers, as each has its share of the cores. A run that fails does not stop the others.
 * @throws the signal's reason when stopped; the first error of a run that could not be made, when the others are over.
 */
export async function runPool(specs: readonly RunSpec[], options: PoolOptions): Promise<RunRecord[]> {
  const { workers, onProgress, onRecord, onError, keepWeights = false } = options;
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  const store = new RunStore(options.runs);
  const ids: (string | undefined)[] = [];
  const errors: Error[] = [];
  const epochsOf = specs.map((spec) => timetable(spec).epochs);
  let total = epochsOf.reduce((sum, epochs) => sum + epochs, 0); // to train: what is reused is taken off, so that the pace is real
  const done = specs.map(() => 0);
  let over = 0;
  const report = (): void => onProgress?.({ task: 'all runs', done: done.reduce((sum, epochs) => sum + epochs, 0), total, unit: 'epochs', detail: `${over}/${specs.length} runs` });
  report();

  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new PoolWorker(Math.max(1, Math.floor(os.availableParallelism() / workers)), signal);
    try {
      while (next < specs.length) {
        const i = next++;
        try {
          const { id, reused } = await worker.run({ spec: specs[i], runs: store.root, keepWeights }, (reply) => {
            if ('progress' in reply) onProgress?.({ ...reply.progress, task: `${titleOf(specs[i])} (${i + 1})` });
            else {
              done[i] = reply.epoch;
              report();
            }
          });
          ids[i] = id;
          if (reused) total -= epochsOf[i];
          else done[i] = epochsOf[i];
          onRecord?.(store.find(id)!, reused);
        } catch (error) {
          signal?.throwIfAborted();
          if (onError) onError(specs[i], error as Error);
          else errors.push(error as Error);
          total -= epochsOf[i] - done[i];
        }
        over++;
        report();
      }
    } finally {
      worker.stop();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, specs.length) }, work));
  if (errors.length > 0) throw errors[0];
  return ids.flatMap((id) => (id === undefined ? [] : [store.find(id)!]));
}

/** One worker process, made anew when it has died. */
class PoolWorker {
  private child: ChildProcess | null = null;

  constructor(
    private readonly threads: number,
    private readonly signal?: AbortSignal,
  ) {}

  /** Makes one run. @throws what it threw there; KitError when the process died; the signal's reason when stopped. */
  async run(task: PoolTask, onReply: (reply: Exclude<PoolReply, { id: string } | { error: unknown }>) => void): Promise<{ id: string; reused: boolean }> {
    this.signal?.throwIfAborted();
    const threads = String(this.threads);
    const child = (this.child ??= fork(path.join(__dirname, 'pool-worker.js'), [], {
      env: { TF_NUM_INTRAOP_THREADS: threads, TF_NUM_INTEROP_THREADS: threads, ...process.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    }));
    let said = '';
    const listen = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-2000));
    child.stderr!.on('data', listen);
    const stop = (): void => this.stop();
    this.signal?.addEventListener('abort', stop);
    try {
      return await new Promise((resolve, reject) => {
        child.removeAllListeners('message').on('message', (reply: PoolReply) => {
          if ('id' in reply) resolve(reply);
          else if ('error' in reply) reject(new KitError(reply.error.message, { fix: reply.error.fix }));
          else onReply(reply);
        });
        child.once('exit', (code, signal) => {
          this.child = null;
          if (this.signal?.aborted) return reject(this.signal.reason as Error);
          const last = said.trim().split('\n').pop() ?? '';
          reject(new KitError(`The process of the run ${titleOf(task.spec)} ended with ${signal ?? `code ${code}`}${last ? `: ${last}` : ''}.`, { fix: signal === 'SIGKILL' ? 'It may have been short of memory: fewer --workers, or a smaller batch.' : '' }));
        });
        child.send(task);
      });
    } finally {
      this.signal?.removeEventListener('abort', stop);
      child.stderr!.off('data', listen);
      child.removeAllListeners('exit');
    }
  }

  stop(): void {
    this.child?.kill();
    this.child = null;
  }
}
