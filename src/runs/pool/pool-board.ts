// The runs of a pool as they stand: who makes which, what is over, and what is told of it. The local pool and Ray's
// share it.
import type { OnProgress, Progress } from '../../base/progress';
import { timetable } from '../../transfer/resets/reset';
import type { RunSpec } from '../../transfer/spec';
import { titleOf } from '../finetune';

/** A run of the pool as it stands. */
export interface PoolRun {
  /** Place in the list of specs. */
  index: number;
  spec: RunSpec;
  title: string;
  state: 'running' | 'waiting' | 'reused' | 'finished' | 'diverged' | 'failed';
  /** 0-based; null when none makes it, or one of a cluster. */
  worker: number | null;
  /** Its GPU; null on the CPU, and on a cluster. */
  device: string | null;
  epochsDone: number;
  epochs: number;
  /** What is being done now. */
  progress: Progress | null;
  /** Test top-1 once it is over, in [0, 1]. */
  top1: number | null;
  /** Of a failed one, or of the last retry. */
  cause: string | null;
}

/** All runs of a pool. */
export class PoolBoard {
  readonly runs: PoolRun[];
  /** Runs that are neither over nor failed. */
  open: number;

  constructor(
    specs: readonly RunSpec[],
    private readonly listeners: { onProgress?: OnProgress; onRun?: (run: PoolRun) => void },
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

  /** Tells how far all runs together are, in epochs. */
  report(): void {
    // what is reused is taken off, so that the pace is real
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

  /** Tells what run `i` is doing. */
  progress(i: number, progress: Progress): void {
    this.listeners.onProgress?.({ ...progress, task: `${this.runs[i].title} (${i + 1})` });
    this.change(i, { progress });
  }

  /** Run `i` is over, or failed for good. */
  over(i: number, changes: Partial<PoolRun>): void {
    this.open--;
    this.change(i, { worker: null, device: null, progress: null, ...changes });
  }
}
