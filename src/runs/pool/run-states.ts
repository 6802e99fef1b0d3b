// The state of every run of a pool, and the reports of it.
import type { OnProgress, Progress } from '../../base/progress';
import { timetable } from '../../transfer/resets/reset';
import type { RunSpec } from '../../transfer/spec/spec';
import { titleOf } from '../finetune';

/** A run of the pool and its state. */
export interface PoolRun {
  /** Position in the list of specs. */
  index: number;
  spec: RunSpec;
  title: string;
  state: 'running' | 'waiting' | 'reused' | 'finished' | 'diverged' | 'failed';
  /** 0-based; null while none makes it, and on a cluster. */
  worker: number | null;
  /** Its GPU; null on the CPU, and on a cluster. */
  device: string | null;
  epochsDone: number;
  epochs: number;
  /** The task in progress. */
  progress: Progress | null;
  /** Top-1 of its last epoch, in [0, 1]; null before it has ended. */
  top1: number | null;
  /** Why it failed, or was repeated last. */
  cause: string | null;
}

/** Listeners of a pool. */
export interface RunListeners {
  onProgress?: OnProgress;
  onRun?: (run: PoolRun) => void;
}

/** The states of all runs of a pool. */
export class RunStates {
  readonly runs: PoolRun[];
  /** Number of runs that have not ended. */
  open: number;

  constructor(
    specs: readonly RunSpec[],
    private readonly listeners: RunListeners,
  ) {
    this.runs = specs.map((spec, index) => ({
      index,
      spec,
      title: titleOf(spec),
      state: 'waiting',
      worker: null,
      device: null,
      epochsDone: 0,
      epochs: timetable(spec).epochs,
      progress: null,
      top1: null,
      cause: null,
    }));
    this.open = specs.length;
  }

  /** Reports the progress of all runs together, in epochs. */
  report(): void {
    // without the reused ones, so that the pace is that of training
    const made = this.runs.filter(({ state }) => state !== 'reused' && state !== 'failed');
    const sum = (of: 'epochs' | 'epochsDone'): number => made.reduce((all, run) => all + run[of], 0);
    this.listeners.onProgress?.({
      task: 'all runs',
      done: sum('epochsDone'),
      total: sum('epochs'),
      unit: 'epochs',
      detail: `${this.runs.length - this.open}/${this.runs.length} runs`,
    });
  }

  /** Changes run `i`. */
  change(i: number, changes: Partial<PoolRun>): void {
    Object.assign(this.runs[i], changes);
    this.listeners.onRun?.({ ...this.runs[i] });
    if (changes.progress === undefined) this.report();
  }

  /** Reports the progress of run `i`. */
  progress(i: number, progress: Progress): void {
    this.listeners.onProgress?.({ ...progress, task: `${this.runs[i].title} (${i + 1})` });
    this.change(i, { progress });
  }

  /** Run `i` waits, because of `cause`. */
  wait(i: number, cause: string): void {
    this.change(i, { state: 'waiting', worker: null, device: null, progress: null, cause });
  }

  /** Run `i` has ended, or failed for good. */
  end(i: number, changes: Partial<PoolRun>): void {
    this.open--;
    this.change(i, { worker: null, device: null, progress: null, ...changes });
  }
}
