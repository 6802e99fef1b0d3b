// What a place for the numbers of a run must do, and the numbers that it is told.
import type { RunSpec } from '../../transfer/spec';
import type { EpochRow, RunRecord } from '../store/record';

/** What a sink knows of its run. */
export interface TrackedRun {
  id: string;
  /** Of the method and the seed. */
  title: string;
  method: string;
  spec: RunSpec;
  dataset: string;
}

/** One place that numbers go to. It may throw and reject as it likes. */
export interface Sink {
  /** Named in a warning. */
  readonly name: string;
  /** Called once, with the epochs that the run has behind it when it goes on from a checkpoint. */
  begin(run: TrackedRun, before: readonly EpochRow[]): Promise<void> | void;
  epoch(row: EpochRow): Promise<void> | void;
  /** Called once; `stopped` when it will go on another time. */
  end(how: RunRecord['status'] | 'stopped'): Promise<void> | void;
}

/** The quantities of an epoch, by the names that they have in every sink. */
export function quantities(row: EpochRow): Record<string, number> {
  return {
    'train/loss': row.trainLoss,
    'train/cross-entropy': row.trainCrossEntropy,
    'train/top-1': row.trainTop1,
    'test/loss': row.loss,
    'test/top-1': row.top1,
    'learning-rate/trunk': row.learningRate,
    'learning-rate/head': row.headLearningRate,
    'head-reset': row.headReset ? 1 : 0,
    'images-per-second': row.imagesPerSecond,
  };
}
