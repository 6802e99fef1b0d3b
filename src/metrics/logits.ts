// The logits that a classifier gives for labelled images, and what follows from one row of them.
import { KitError } from '../base/errors';

/** What a classifier gives for `labels.length` images of `classes` classes. */
export interface LabelledLogits {
  /** [images, classes], row by row. */
  logits: Float32Array;
  /** [images]: the true class of each image. */
  labels: Int32Array;
  classes: number;
}

/** One image as its classifier sees it. */
export interface Verdict {
  /** The class with the largest logit; the first of equal ones. */
  predicted: number;
  /** Its softmax probability. */
  confidence: number;
}

/** @throws KitError `METRICS_SHAPE` when there are no images, the sizes do not fit, or a label is not a class. */
export function requireLabelledLogits({ logits, labels, classes }: LabelledLogits): void {
  const fail = (what: string): KitError =>
    new KitError(what, { code: 'METRICS_SHAPE', fix: 'Give one label and one row of logits for each image.' });
  if (labels.length === 0) throw fail('There are no images to measure on.');
  if (logits.length !== labels.length * classes)
    throw fail(`Expected ${labels.length} x ${classes} logits, found ${logits.length}.`);
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (wrong !== undefined) throw fail(`Expected labels from 0 to ${classes - 1}, found ${wrong}.`);
}

/** The softmax of one row of logits, in float64. */
export function softmax(row: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < row.length; i++) largest = Math.max(largest, row[i]);
  const values = Float64Array.from(row, (value) => Math.exp(value - largest));
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Negative log likelihood of `label` under the softmax of a row, in nats. Finite where the probability rounds to 0. */
export function negativeLogLikelihood(row: ArrayLike<number>, label: number): number {
  let largest = -Infinity;
  for (let i = 0; i < row.length; i++) largest = Math.max(largest, row[i]);
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += Math.exp(row[i] - largest);
  return Math.log(sum) + largest - row[label];
}

/** The row of image `i`, a view. */
export const rowOf = ({ logits, classes }: LabelledLogits, i: number): Float32Array =>
  logits.subarray(i * classes, (i + 1) * classes);

/** The index of the largest value; of equal ones the first, as TensorFlow's argMax. */
export function argMax(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** The indices of the `count` largest values, largest first; of equal ones the lower index comes first. */
export function topIndices(row: ArrayLike<number>, count: number): number[] {
  return Array.from(row, (_, i) => i)
    .sort((a, b) => row[b] - row[a] || a - b)
    .slice(0, count);
}

/** The predicted class of every image and its probability. */
export function verdicts(predictions: LabelledLogits): Verdict[] {
  return Array.from(predictions.labels, (_, i) => {
    const row = rowOf(predictions, i);
    const predicted = argMax(row);
    return { predicted, confidence: softmax(row)[predicted] };
  });
}
