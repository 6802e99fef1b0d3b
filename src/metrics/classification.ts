// Metrics of a classifier over labelled logits: confusion matrix, scores of each class, and the numbers of a run.
// Definitions are scikit-learn's (`sklearn.metrics`), checked against it in the tests.
import { calibrationError } from './calibration';
import { argMax, negativeLogLikelihood, requireLabelledLogits, rowOf, type LabelledLogits } from './logits';

/** Scores of one class. */
export interface ClassScores {
  /** Index of the class. */
  label: number;
  /** Images of this class. */
  support: number;
  /** Images that were predicted as this class. */
  predicted: number;
  /** Share of the predictions of this class that are right; 0 where there is none. */
  precision: number;
  /** Share of the images of this class that are recognised: its accuracy. `null` where it has no image. */
  recall: number | null;
  /** Harmonic mean of precision and recall; 0 where both are 0. */
  f1: number;
}

/** The numbers of a classifier on one set of images. All but `nll` are fractions in [0, 1]. */
export interface ClassificationMetrics {
  /** Share of images whose largest logit is their label's. */
  top1: number;
  /** Share of images whose label is among the five largest logits; `null` with five classes or fewer. */
  top5: number | null;
  /** Mean of the F1 of the classes that have an image or a prediction. */
  macroF1: number;
  /**
   * Mean accuracy per class, over the classes that have images: the official metric of Flowers-102, FGVC-Aircraft and
   * Caltech-101. scikit-learn calls it balanced accuracy.
   */
  meanPerClass: number;
  /** Mean negative log likelihood, nats. */
  nll: number;
  /** Expected calibration error over 15 bins of equal width (Guo et al., ICML 2017). */
  ece: number;
}

/** Two classes and how many images of `label` were predicted as `predicted`. */
export interface ConfusedPair {
  label: number;
  predicted: number;
  count: number;
  /** Share of the images of `label`. */
  share: number;
}

/**
 * The confusion matrix [classes][classes]: how many images of class `row` were predicted as class `column`.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function confusionMatrix(predictions: LabelledLogits): number[][] {
  requireLabelledLogits(predictions);
  const { classes, labels } = predictions;
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, i) => matrix[label][argMax(rowOf(predictions, i))]++);
  return matrix;
}

/** The scores of every class, from a confusion matrix. */
export function classScores(matrix: readonly (readonly number[])[]): ClassScores[] {
  return matrix.map((row, label) => {
    const support = sum(row);
    const predicted = sum(matrix.map((other) => other[label]));
    const right = row[label];
    return {
      label,
      support,
      predicted,
      precision: predicted === 0 ? 0 : right / predicted,
      recall: support === 0 ? null : right / support,
      f1: support + predicted === 0 ? 0 : (2 * right) / (support + predicted),
    };
  });
}

/** The pairs of different classes that are confused most, most first; ties in the order of the classes. */
export function confusedPairs(matrix: readonly (readonly number[])[], limit = 10): ConfusedPair[] {
  return matrix
    .flatMap((row, label) =>
      row.map((count, predicted) => ({ label, predicted, count, share: count / Math.max(1, sum(row)) })),
    )
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count || b.share - a.share || a.label - b.label || a.predicted - b.predicted)
    .slice(0, limit);
}

/**
 * Share of images whose label is among the `k` largest logits. Of equal logits the lower class counts as larger.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function topAccuracy(predictions: LabelledLogits, k: number): number {
  requireLabelledLogits(predictions);
  const { labels } = predictions;
  let right = 0;
  labels.forEach((label, i) => {
    const row = rowOf(predictions, i);
    let before = 0;
    for (let other = 0; other < row.length; other++)
      if (row[other] > row[label] || (row[other] === row[label] && other < label)) before++;
    if (before < k) right++;
  });
  return right / labels.length;
}

/** All numbers of one set of images. @throws KitError `METRICS_SHAPE` when sizes and labels do not fit. */
export function classificationMetrics(predictions: LabelledLogits): ClassificationMetrics {
  const matrix = confusionMatrix(predictions);
  const scores = classScores(matrix);
  const seen = scores.filter(({ support, predicted }) => support + predicted > 0);
  const recalls = scores.flatMap(({ recall }) => recall ?? []);
  const { labels, classes } = predictions;
  return {
    top1: sum(matrix.map((row, label) => row[label])) / labels.length,
    top5: classes > 5 ? topAccuracy(predictions, 5) : null,
    macroF1: mean(seen.map(({ f1 }) => f1)),
    meanPerClass: mean(recalls),
    nll: mean(Array.from(labels, (label, i) => negativeLogLikelihood(rowOf(predictions, i), label))),
    ece: calibrationError(predictions),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
