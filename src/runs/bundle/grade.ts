// Grades two executions of one run: the same bits, the same within rounding, or different.
import type { LayerRow, RunRecord } from '../store/record';
import type { RunPredictions } from '../store/predictions';
import { compareRuns } from '../store/compare';

/** An execution of a run. */
export interface Execution {
  record: RunRecord;
  layers: readonly LayerRow[];
  /** `null` where none were kept. */
  predictions: Pick<RunPredictions, 'logits' | 'labels' | 'files'> | null;
}

/** How much one execution agrees with another. */
export type Grade = 'same bits' | 'within rounding' | 'different';

/** The bounds of `within rounding`. */
export interface Tolerance {
  /** Relative difference of the training cross entropy of the first epoch. */
  firstLoss: number;
  /** Difference of the last top-1, as a fraction of the images. */
  top1: number;
}

/**
 * Rounding between machines. The bits of a sum depend on the number of threads and on the processor's instructions, and
 * forty epochs amplify the last bit. The bounds are wider than all that was measured, see docs/record-format.md.
 */
export const ROUNDING: Tolerance = { firstLoss: 0.01, top1: 0.05 };

/** A grade with the numbers that it depends on. */
export interface Graded {
  grade: Grade;
  /** The first epoch (1-based) whose numbers differ; `null` when none does. */
  firstDifferentEpoch: number | null;
  /** Relative difference of the training cross entropy of the first epoch; NaN where one has no epoch. */
  firstLoss: number;
  /** The repeated last top-1 less the expected one, as a fraction. NaN of a failed run. */
  top1: number;
  /** Conditions that differ and may explain other bits, for example `flags.TF_NUM_INTRAOP_THREADS`. */
  conditions: string[];
}

/** Compares `repeated` with `expected`, two executions of the same run. */
export function gradeExecution(expected: Execution, repeated: Execution, tolerance: Tolerance): Graded {
  const [a, b] = [expected.record, repeated.record];
  const { firstDifferentEpoch, suspects } = compareRuns(a, b);
  const [first, again] = [a, b].map(({ epochs }) => epochs[0]?.trainCrossEntropy ?? NaN);
  const firstLoss = first === again ? 0 : Math.abs(again - first) / Math.abs(first);
  const top1 = b.top1 - a.top1;
  const isSame =
    firstDifferentEpoch === null &&
    a.status === b.status &&
    sameLayers(expected.layers, repeated.layers) &&
    samePredictions(expected.predictions, repeated.predictions);
  const isNear =
    a.status === b.status &&
    a.epochs.length === b.epochs.length &&
    firstLoss <= tolerance.firstLoss &&
    (Math.abs(top1) <= tolerance.top1 || (Number.isNaN(a.top1) && Number.isNaN(b.top1)));
  return {
    grade: isSame ? 'same bits' : isNear ? 'within rounding' : 'different',
    firstDifferentEpoch,
    firstLoss,
    top1,
    conditions: suspects.map(({ field }) => field.replace('environment.', '')),
  };
}

const sameLayers = (a: readonly LayerRow[], b: readonly LayerRow[]): boolean =>
  a.length === b.length &&
  a.every((row, i) =>
    (['epoch', 'layer', 'gradientNorm', 'updateNorm', 'weightDistance'] as const).every((key) =>
      Object.is(row[key], b[i][key]),
    ),
  );

/** Predictions that one side did not keep do not count. */
function samePredictions(a: Execution['predictions'], b: Execution['predictions']): boolean {
  if (a === null || b === null) return true;
  const isSame = (x: ArrayLike<unknown>, y: ArrayLike<unknown>): boolean =>
    x.length === y.length && Array.prototype.every.call(x, (value, i) => Object.is(value, y[i]));
  return isSame(a.logits, b.logits) && isSame(a.labels, b.labels) && isSame(a.files, b.files);
}
