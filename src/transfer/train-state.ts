// What the trainer takes and gives: its batches and options, the rows of its epochs, and the state that a checkpoint
// holds.
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import type { Batch } from '../data/batches/batches';
import type { Graph } from '../engine/graph/shapes';
import type { Program } from '../engine/compile';
import type { LayerRow, LayerSums } from './layer-rows';
import type { Prepared } from './regularizers/regularizer';
import type { EvaluatedSplit, RunSpec } from './spec/spec';

/** A source of batches: `BatchLoader`, or another object with the same members. */
export interface BatchSource {
  /** Sizes of the batches of an epoch, in order. */
  readonly batchSizes: readonly number[];
  /** The batches of `epoch` (0-based), in order, from index `from` on (default 0). */
  epoch(epoch: number, options?: { signal?: AbortSignal; from?: number }): AsyncIterable<Batch>;
  /** Seconds that the consumer has waited so far. */
  readonly waitedSeconds: number;
}

/** The numbers of one epoch. */
export interface EpochRow {
  /** 1-based. */
  epoch: number;
  /** Mean over the epoch's training images of cross entropy plus regulariser, natural log. */
  trainLoss: number;
  /** Mean cross entropy alone, with the weights of the classes where the spec has any. */
  trainCrossEntropy: number;
  /** Fraction of training images (as augmented, network in training mode) classified right, in [0, 1]. */
  trainTop1: number;
  /** Which images `loss` and `top1` were measured on. */
  evaluatedOn: EvaluatedSplit;
  /** Mean cross entropy over the evaluated images, network in evaluation mode. NaN of an epoch without evaluation. */
  loss: number;
  /** Fraction of the evaluated images classified right, in [0, 1]; one centre crop. NaN like `loss`. */
  top1: number;
  /**
   * The same on the test images, of a run with `evaluateOn: 'both'`, in epochs that were the best on validation images
   * so far; absent elsewhere.
   */
  test?: { loss: number; top1: number };
  /** Learning rate of the trunk in this epoch. */
  learningRate: number;
  /** Learning rate of the head in this epoch. */
  headLearningRate: number;
  /** Whether the head was re-initialised after this epoch's evaluation. */
  headReset: boolean;
  /** Seconds in training, waiting for batches included. */
  trainSeconds: number;
  /** Seconds in evaluation. */
  evaluateSeconds: number;
  /** Seconds that training waited for batches. */
  dataWaitSeconds: number;
  /** Training images per second. */
  imagesPerSecond: number;
}

/** What an evaluation gives: means over its images, and their logits [images, classes]. */
export interface Evaluated {
  loss: number;
  top1: number;
  logits: Float32Array;
}

/** Of a row, what the choice of an epoch depends on. */
export type ScoredEpoch = Pick<EpochRow, 'epoch' | 'evaluatedOn' | 'top1'>;

/**
 * The first epoch (1-based) with the highest validation top-1. If the rows were evaluated on test images it is the last
 * epoch: nothing is ever chosen on test. 0 without rows.
 */
export function bestEpoch(rows: readonly ScoredEpoch[]): number {
  if (rows.at(-1)?.evaluatedOn === 'test') return rows.length;
  return rows
    .filter(({ top1 }) => !Number.isNaN(top1))
    .reduce((best, row) => (best === 0 || row.top1 > rows[best - 1].top1 ? row.epoch : best), 0);
}

/**
 * Whether a run ends with these rows: all its epochs are done, or the last `patience` of them brought nothing. It never
 * ends early with an epoch without evaluation.
 * @param epochs of its timetable.
 */
export const isOver = (
  { patience }: Pick<RunSpec, 'patience'>,
  epochs: number,
  rows: readonly ScoredEpoch[],
): boolean =>
  rows.length >= epochs ||
  (patience !== null && !Number.isNaN(rows.at(-1)?.top1) && rows.length - bestEpoch(rows) >= patience);

/** When `observe` is called. */
export type Moment = 'start' | 'epoch' | 'before-reset' | 'after-reset';

/** Sums over the finished steps of the present epoch; means are weighted by images. */
export interface EpochSums {
  images: number;
  loss: number;
  crossEntropy: number;
  correct: number;
  trainSeconds: number;
  dataWaitSeconds: number;
}

/** The complete state of a run. Spec, pretrained weights and this state determine every further bit. */
export interface TrainState {
  /** Number of complete epochs, including the reset after the last of them. */
  epoch: number;
  /** Finished steps of the next epoch; all of them before its evaluation. */
  step: number;
  /** Of the complete epochs. */
  rows: EpochRow[];
  layerRows: LayerRow[];
  /** Of the next epoch, over the steps that are done. */
  sums: EpochSums;
  layerSums: LayerSums;
  /** Loss of the last step; null before the first step. */
  lastLoss: number | null;
  /** Values of all variables that training changes: parameters and statistics by name, and the optimizer's. */
  variables: Record<string, Float32Array>;
}

/** When `onState` is called: after a step, after an epoch, or when the run was stopped. */
export type StateMoment = 'step' | 'epoch' | 'stopped';

/** Options of `train`. */
export interface TrainOptions {
  /** Stops the run before its next step. */
  signal?: AbortSignal;
  /** Resumes from this state, bit for bit as without the interruption. Default: from the beginning. */
  from?: TrainState;
  /** Called and awaited after every step and epoch, and when the run is stopped. `state` reads the present state. */
  onState?: (moment: StateMoment, state: () => TrainState) => Promise<void> | void;
  onProgress?: OnProgress;
  /** Bytes of memory for the steps. A run that needs more is refused before its first step. Default: free memory. */
  memoryLimit?: number;
  /** Name of the run in progress reports. Default `'train'`. */
  title?: string;
  /** Called after each epoch with its numbers, and the spec of the run as its record has it. */
  onEpoch?: (row: EpochRow, spec: RunSpec) => void;
  /** Sees the graph of the steps before the first step, and may refuse it by throwing. */
  onGraph?: (graph: Graph) => void;
  /**
   * Called after the evaluation of each epoch (1-based), before `onEpoch`, with the logits of the evaluated images:
   * [images, classes], in the order of the batches. `test` holds the logits of the test images, where `testBatches`
   * were evaluated too.
   */
  onEvaluated?: (epoch: number, logits: Float32Array, top1: number, test?: Evaluated) => void;
  /** The test images of a run with `evaluateOn: 'both'`: evaluated after each epoch that is the best so far. */
  testBatches?: BatchSource;
  /** Of each regularizer of the spec, its prepared arrays. Default: none. */
  prepared?: readonly (Prepared | undefined)[];
  /** The weight of each class, where the spec has `classWeights`: see `classWeightsOf`. */
  classWeights?: Float32Array;
  /**
   * Called with the epochs finished and a reader of all variables (parameters and statistics by name,
   * `momentum/<name>`).
   */
  observe?: (moment: Moment, epoch: number, read: Program<object>['read']) => void;
}

/** The rows of a finished run. */
export interface Trained {
  epochs: EpochRow[];
  layers: LayerRow[];
}

/** The loss is not finite: the epoch, and the rows of the epochs before it. */
export class DivergedError extends KitError {
  constructor(
    /** 1-based epoch. */
    readonly epoch: number,
    /** The last finite loss; null when there was none. */
    readonly lastLoss: number | null,
    loss: number,
    rate: number,
    /** The rows of the epochs before. */
    readonly before: Trained,
  ) {
    super(`The loss became ${loss} in epoch ${epoch}: the run has diverged at a learning rate of ${rate}.`, {
      code: 'RUN_DIVERGED',
      fix: 'Lower the learning rate.',
    });
  }
}
