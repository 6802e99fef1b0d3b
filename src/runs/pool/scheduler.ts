// The scheduler of many runs: queue, retries, duplicates, states and stop. It is the same for the processes of this
// machine and for a cluster; an executor makes one run at a time in each of its slots.
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import type { RunSpec } from '../../transfer/spec/spec';
import type { RunRecord } from '../store/record';
import type { RunStore } from '../store/store';
import type { TrackingOptions } from '../tracking/tracking';
import type { PoolNews } from './messages';
import { RunStates, type PoolRun } from './run-states';

/** Options of every pool. */
export interface ScheduleOptions {
  /** How often a run is repeated after its process was lost. It resumes from its checkpoint. Default 2. */
  retries?: number;
  /** Where runs are kept. Default: the kit's own folder. */
  runs?: string;
  keepWeights?: boolean;
  /** Minutes after which a checkpoint is due within an epoch. Default: that of `finetune`. */
  checkpointMinutes?: number;
  /** Where numbers go besides the record. Default: nowhere. */
  tracking?: TrackingOptions;
  /** When aborted, every run in progress writes a checkpoint and stops. */
  signal?: AbortSignal;
  /** Receives one task `all runs`, in epochs, and one for each run in progress. */
  onProgress?: OnProgress;
  /** Called whenever the state of a run changes. */
  onRun?: (run: PoolRun) => void;
  /** Called with each record when it is there; `reused` when it was there before. */
  onRecord?: (record: RunRecord, reused: boolean) => void;
  /**
   * Called with a run that failed, and why; the others are made all the same. Default: the first such error is thrown
   * at the end.
   */
  onError?: (spec: RunSpec, error: Error) => void;
  /** Receives sentences about what went wrong and was repaired: a retry and its cause, a damaged checkpoint. */
  onNotice?: (text: string) => void;
}

/** How one attempt at a run ended, where it did not fail for good (then the executor throws). */
export type Attempt =
  /** Its record is in the store. */
  | { record: RunRecord; reused: boolean }
  /** Another process makes it. */
  | { busy: string }
  /**
   * Its process or job is gone without a result. `retry: 'free'` does not count as a retry. `slotGone`: the slot cannot
   * make runs any more.
   */
  | { lost: KitError; retry?: 'free'; slotGone?: boolean };

/** What an executor is given for one attempt. */
export interface AttemptContext {
  slot: number;
  /** Whether to wait for another process that makes this run. */
  wait: boolean;
  /** To be called when the run is in progress. */
  onRunning: () => void;
  onNews: (news: PoolNews) => void;
}

/** Makes runs: the processes of this machine, or a cluster. */
export interface Executor {
  /** How many runs it makes at once. */
  readonly slots: number;
  /** Losses in a row, without a result in between, after which a slot is closed while there are others. */
  readonly lossesPerSlot: number;
  /** Worker and GPU of a slot, for the states. */
  placeOf(slot: number): Pick<PoolRun, 'worker' | 'device'>;
  /**
   * One attempt at a run.
   * @throws the error of a run that fails for good; ExecutorLostError when no run can be made any more; the signal's
   *   reason when stopped, after a checkpoint.
   */
  attempt(run: PoolRun, context: AttemptContext): Promise<Attempt>;
  /** Closes a slot that is not used any more. */
  closeSlot(slot: number): Promise<void>;
}

/** The executor as a whole cannot be reached: it makes no run any more. */
export class ExecutorLostError extends KitError {}

/**
 * The records of `specs`, in order, made by `executor`. A run that fails does not stop the others; one that another
 * process makes is waited for at the end; one that stands in the list twice is made once.
 * @throws the signal's reason when stopped; ExecutorLostError; the first error of a run that failed, after the others
 *   have ended, where there is no `onError`.
 */
export async function schedule(
  specs: readonly RunSpec[],
  executor: Executor,
  store: RunStore,
  options: ScheduleOptions,
): Promise<RunRecord[]> {
  const scheduler = new Scheduler(specs, executor, options);
  await scheduler.run();
  const { signal } = options;
  signal?.throwIfAborted();
  if (scheduler.errors.length > 0) throw scheduler.errors[0];
  return scheduler.ids.flatMap((id) => (id === undefined ? [] : (store.find(id) ?? [])));
}

class Scheduler {
  readonly ids: (string | undefined)[] = [];
  readonly errors: Error[] = [];
  private readonly states: RunStates;
  private readonly queue: number[];
  /** Runs that another process makes. */
  private readonly busy: number[] = [];
  /** Of each run that stands in the list again: the positions. */
  private readonly copies = new Map<number, number[]>();
  private readonly losses: number[];
  private openSlots: number;
  private wake: (() => void)[] = [];

  constructor(
    specs: readonly RunSpec[],
    private readonly executor: Executor,
    private readonly options: ScheduleOptions,
  ) {
    this.states = new RunStates(specs, options);
    this.losses = specs.map(() => 0);
    this.openSlots = executor.slots;
    const first = new Map<string, number>();
    specs.forEach((spec, i) => {
      const key = stableStringify(spec)!;
      const original = first.get(key);
      if (original === undefined) first.set(key, i);
      else this.copies.set(original, [...(this.copies.get(original) ?? []), i]);
    });
    this.queue = [...first.values()];
  }

  async run(): Promise<void> {
    this.states.report();
    const slots = Array.from({ length: this.executor.slots }, (_, slot) => this.work(slot));
    const outcomes = await Promise.allSettled(slots);
    this.options.signal?.throwIfAborted();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Makes runs in one slot until none is left. */
  private async work(slot: number): Promise<void> {
    const { signal, onNotice } = this.options;
    let lossesInARow = 0;
    try {
      while (this.states.open > 0) {
        signal?.throwIfAborted();
        const i = this.queue.shift() ?? this.busy.shift();
        if (i === undefined) {
          await new Promise<void>((resolve) => this.wake.push(resolve)); // a run of another slot may come back
          continue;
        }
        const result = await this.attempt(i, slot);
        lossesInARow = result === 'used' ? 0 : lossesInARow + 1;
        const isWornOut = lossesInARow >= this.executor.lossesPerSlot && this.openSlots > 1;
        if (result !== 'gone' && !isWornOut) continue;
        if (isWornOut) this.openSlots--;
        const { device } = this.executor.placeOf(slot);
        const why = result === 'gone' ? 'has no device' : `lost ${lossesInARow} processes in a row`;
        onNotice?.(
          `Worker ${slot + 1}${device === null ? '' : ` on GPU ${device}`} ${why} and is closed. The others continue.`,
        );
        return;
      }
    } catch (error) {
      this.states.open = 0; // the others end after their run
      throw error;
    } finally {
      await this.executor.closeSlot(slot);
      this.settle();
    }
  }

  /** One attempt at run `i`. @returns whether the slot was used well, lost its process, or is gone. */
  private async attempt(i: number, slot: number): Promise<'used' | 'lost' | 'gone'> {
    const { signal, retries = 2, onNotice } = this.options;
    const run = this.states.runs[i];
    let attempt: Attempt;
    try {
      attempt = await this.executor.attempt(run, {
        slot,
        wait: run.cause !== null && this.queue.length === 0,
        onRunning: () => this.states.change(i, { state: 'running', ...this.executor.placeOf(slot), cause: run.cause }),
        onNews: (news) => this.takeNews(i, news),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ExecutorLostError) throw error;
      this.fail(i, error as Error);
      return 'used';
    }
    if ('record' in attempt) {
      this.finish(i, attempt.record, attempt.reused);
      return 'used';
    }
    if ('busy' in attempt) {
      this.busy.push(i);
      this.states.wait(i, attempt.busy);
      return 'used';
    }
    const { lost, retry, slotGone = false } = attempt;
    const isGone = slotGone && this.openSlots > 1; // not the run's fault: another slot makes it
    if (!isGone && retry !== 'free' && this.losses[i]++ >= retries) {
      this.fail(i, lost);
      return 'lost';
    }
    const how = isGone
      ? 'on another device'
      : retry === 'free'
        ? 'from its checkpoint'
        : `from its checkpoint (${this.losses[i]} of ${retries})`;
    onNotice?.(`${run.title}: ${lost.message} The run resumes ${how}.`);
    if (isGone) this.openSlots--; // before others look how many there are
    this.queue.unshift(i);
    this.states.wait(i, lost.message);
    this.settle();
    return isGone ? 'gone' : retry === 'free' ? 'used' : 'lost';
  }

  private takeNews(i: number, news: PoolNews): void {
    if ('notice' in news) this.options.onNotice?.(`${this.states.runs[i].title}: ${news.notice}`);
    else if ('epoch' in news) this.states.change(i, { epochsDone: news.epoch });
    else this.states.progress(i, news.progress);
  }

  private finish(i: number, record: RunRecord, reused: boolean): void {
    for (const [each, isCopy] of this.withCopies(i)) {
      this.ids[each] = record.id;
      this.states.end(each, {
        state: reused || isCopy ? 'reused' : record.failure ? 'diverged' : 'finished',
        epochsDone: this.states.runs[each].epochs,
        top1: record.top1,
      });
      this.options.onRecord?.(record, reused || isCopy);
    }
    this.settle();
  }

  private fail(i: number, error: Error): void {
    const { onError } = this.options;
    for (const [each] of this.withCopies(i)) {
      if (onError) onError(this.states.runs[each].spec, error);
      else this.errors.push(error);
      this.states.end(each, { state: 'failed', cause: error.message });
    }
    this.settle();
  }

  private withCopies(i: number): [index: number, isCopy: boolean][] {
    return [[i, false], ...(this.copies.get(i) ?? []).map((each): [number, boolean] => [each, true])];
  }

  /** Wakes the slots that wait for a run. */
  private settle(): void {
    this.wake.forEach((resolve) => resolve());
    this.wake = [];
  }
}
