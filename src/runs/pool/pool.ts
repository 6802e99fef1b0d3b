// Many runs at once on one machine: worker processes that each take the next run of a list, are watched, and are
// replaced when they die.
import os from 'node:os';
import { KitError } from '../../base/errors';
import { stopSignal } from '../../base/notebook-host';
import type { OnProgress } from '../../base/progress';
import type { RunSpec } from '../../transfer/spec';
import { gpus } from './devices';
import { PoolBoard, type PoolRun } from './pool-board';
import { PoolWorker, WorkerLostError } from './pool-process';
import type { RunRecord } from '../store/record';
import { RunStore } from '../store/store';
import type { TrackingOptions } from '../tracking/tracking';

export type { PoolRun } from './pool-board';

/** Options of `runPool`. */
export interface PoolOptions {
  /** Processes. Default: one for each device. On the CPU the cores are divided among them. */
  workers?: number;
  /**
   * GPUs as CUDA_VISIBLE_DEVICES names them; workers take them in turn. Default: those that this machine and its
   * library have; none: the CPU.
   */
  devices?: readonly string[];
  /** How often a run is begun again after its process died. It goes on from its checkpoint. Default 2. */
  retries?: number;
  /** Where runs are kept. Default: the kit's own folder. */
  runs?: string;
  keepWeights?: boolean;
  /** Minutes after which a checkpoint is due within an epoch. Default: that of `finetune`. */
  checkpointMinutes?: number;
  /** Where numbers go besides the record. Default: nowhere. */
  tracking?: TrackingOptions;
  /** When aborted, every worker writes a checkpoint and stops. */
  signal?: AbortSignal;
  /** Receives one task `all runs`, in epochs, and one for each run that is being made. */
  onProgress?: OnProgress;
  /** Called whenever the state of a run changes. */
  onRun?: (run: PoolRun) => void;
  /** Called with each record as it is there; `reused` when it was there before. */
  onRecord?: (record: RunRecord, reused: boolean) => void;
  /**
   * Called with a run that could not be made, and why; the others go on. Default: the first such error is thrown at the
   * end.
   */
  onError?: (spec: RunSpec, error: Error) => void;
  /** Told of what went wrong and was mended: a retry and its cause, a damaged checkpoint, a device that is given up. */
  onNotice?: (text: string) => void;
}

/** Deaths in a row, without a run made in between, after which a worker's device is given up while there are others. */
const DEATHS = 3;

/**
 * The records of `specs`, in order, made by `workers` processes at once. The numbers of a run may differ in their last
 * bits from those of another
 * number of workers, as each has its share of the cores. A run that fails does not stop the others; one that another
 * process is making is
 * waited for at the end.
 * @throws the signal's reason when stopped; the first error of a run that could not be made, when the others are over.
 */
export async function runPool(specs: readonly RunSpec[], options: PoolOptions = {}): Promise<RunRecord[]> {
  const { devices = gpus(), retries = 2, onProgress, onRun, onRecord, onError, onNotice } = options;
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  const workers = Math.min(options.workers ?? Math.max(1, devices.length), Math.max(1, specs.length));
  const store = new RunStore(options.runs);
  const board = new PoolBoard(specs, { onProgress, onRun });
  const { runs } = board;
  const ids: (string | undefined)[] = [];
  const errors: Error[] = [];
  const attempts = specs.map(() => 0);
  const queue = [...specs.keys()];
  const busy: number[] = [];
  let alive = workers;
  let wake: (() => void)[] = [];
  const settle = (): void => {
    wake.forEach((resolve) => resolve());
    wake = [];
  };

  const change: PoolBoard['change'] = (i, changes) => board.change(i, changes);
  const over = (i: number, changes: Partial<PoolRun>): void => {
    board.over(i, changes);
    settle();
  };

  /** Makes run `i`. @returns how the process is after it. */
  const makeOne = async (
    i: number,
    worker: PoolWorker,
    slot: number,
    wait: boolean,
  ): Promise<'well' | 'lost' | 'gone'> => {
    change(i, { state: 'running', worker: slot, device: worker.device });
    try {
      const outcome = await worker.run(
        {
          spec: specs[i],
          runs: store.root,
          keepWeights: options.keepWeights ?? false,
          checkpointMinutes: options.checkpointMinutes,
          tracking: options.tracking,
          device: worker.device,
          busy: wait ? 'wait' : 'throw',
        },
        (reply) => {
          if ('notice' in reply) onNotice?.(`${runs[i].title}: ${reply.notice}`);
          else if ('epoch' in reply) change(i, { epochsDone: reply.epoch });
          else board.progress(i, reply.progress);
        },
      );
      if ('busy' in outcome) {
        busy.push(i);
        change(i, { state: 'waiting', worker: null, device: null, progress: null, cause: outcome.busy });
        return 'well';
      }
      const record = store.find(outcome.id)!;
      ids[i] = outcome.id;
      over(i, {
        state: outcome.reused ? 'reused' : record.failure ? 'diverged' : 'finished',
        epochsDone: runs[i].epochs,
        top1: record.top1,
      });
      onRecord?.(record, outcome.reused);
      return 'well';
    } catch (error) {
      signal?.throwIfAborted();
      const cause = (error as Error).message;
      const isLost = error instanceof WorkerLostError;
      const isGone = isLost && error.gone && alive > 1; // not the run's fault: another device makes it
      if (isGone || (isLost && attempts[i]++ < retries)) {
        onNotice?.(
          `${runs[i].title}: ${cause} It is begun again ${isGone ? 'on another device' : `from its checkpoint (${attempts[i]} of ${retries})`}.`,
        );
        queue.unshift(i);
        change(i, { state: 'waiting', worker: null, device: null, progress: null, cause });
        if (isGone) alive--; // before others look how many there are
        settle();
        return isGone ? 'gone' : 'lost';
      }
      if (onError) onError(specs[i], error as Error);
      else errors.push(error as Error);
      over(i, { state: 'failed', cause });
      return isLost ? 'lost' : 'well';
    }
  };

  const work = async (slot: number): Promise<void> => {
    const worker = new PoolWorker({
      device: devices.length > 0 ? devices[slot % devices.length] : null,
      threads: Math.max(1, Math.floor(os.availableParallelism() / workers)),
      signal,
    });
    let deaths = 0;
    try {
      while (board.open > 0) {
        signal?.throwIfAborted();
        const i = queue.shift() ?? busy.shift();
        if (i === undefined) {
          await new Promise<void>((resolve) => wake.push(resolve)); // a run of another worker may come back
          continue;
        }
        const state = await makeOne(i, worker, slot, runs[i].cause !== null && queue.length === 0);
        deaths = state === 'well' ? 0 : deaths + 1;
        if (state === 'gone' || (deaths >= DEATHS && alive > 1)) {
          onNotice?.(
            `Worker ${slot + 1}${worker.device === null ? '' : ` on GPU ${worker.device}`} ${state === 'gone' ? 'has no device' : `died ${deaths} times in a row`}: it is given up, the others go on.`,
          );
          if (state !== 'gone') alive--;
          return;
        }
      }
    } finally {
      await worker.end();
      if (signal?.aborted) settle();
    }
  };
  board.report();
  const outcomes = await Promise.allSettled(Array.from({ length: workers }, (_, slot) => work(slot)));
  signal?.throwIfAborted();
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  if (errors.length > 0) throw errors[0];
  return ids.flatMap((id) => (id === undefined ? [] : [store.find(id)!]));
}

/** @throws KitError for a device that is not there. */
export function requireDevices(names: readonly string[]): void {
  const known = gpus();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new KitError(`There is no GPU ${unknown} here.`, {
      fix: known.length > 0 ? `Known: ${known.join(', ')}.` : 'Leave --devices out: runs are made on the CPU.',
    });
}
