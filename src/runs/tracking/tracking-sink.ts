// The interface of a place for the numbers of a run, and the names of these numbers.
import type { RunSpec } from '../../transfer/spec/spec';
import type { EpochRow, RunRecord } from '../store/record';

/** The description of a run for a sink. */
export interface TrackedRun {
  id: string;
  /** Of the method and the seed. */
  title: string;
  method: string;
  spec: RunSpec;
  dataset: string;
}

/** One place that numbers go to. Its errors do not reach the run. */
export interface Sink {
  /** Named in a warning. */
  readonly name: string;
  /** Called once. @param before the complete epochs of a resumed run. */
  begin(run: TrackedRun, before: readonly EpochRow[]): Promise<void> | void;
  epoch(row: EpochRow): Promise<void> | void;
  /** Called once. `stopped`: the run can be resumed. */
  end(how: RunRecord['status'] | 'stopped'): Promise<void> | void;
}

/** The quantities of an epoch, by their names in every sink: `test/top-1`, or `validation/top-1`, or both. */
export function quantities(row: EpochRow): Record<string, number> {
  const evaluated = { [`${row.evaluatedOn}/loss`]: row.loss, [`${row.evaluatedOn}/top-1`]: row.top1 };
  return {
    'train/loss': row.trainLoss,
    'train/cross-entropy': row.trainCrossEntropy,
    'train/top-1': row.trainTop1,
    ...(Number.isNaN(row.top1) ? {} : evaluated),
    ...(row.test === undefined ? {} : { 'test/loss': row.test.loss, 'test/top-1': row.test.top1 }),
    'learning-rate/trunk': row.learningRate,
    'learning-rate/head': row.headLearningRate,
    'head-reset': row.headReset ? 1 : 0,
    'images-per-second': row.imagesPerSecond,
  };
}
