// Whether a classifier's probabilities are right: reliability bins and the expected calibration error.
import { requireLabelledLogits, verdicts, type LabelledLogits } from './logits';

/** The images whose confidence lies in (low, high]. */
export interface ReliabilityBin {
  low: number;
  high: number;
  images: number;
  /** Share of them that are classified right; `null` of none. */
  accuracy: number | null;
  /** Mean probability of their predicted class; `null` of none. */
  confidence: number | null;
}

/** Bins of equal width: as many as in Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017). */
export const RELIABILITY_BINS = 15;

/**
 * The images by the probability of their predicted class, in `count` bins of equal width.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function reliabilityBins(predictions: LabelledLogits, count = RELIABILITY_BINS): ReliabilityBin[] {
  requireLabelledLogits(predictions);
  const sums = Array.from({ length: count }, () => ({ images: 0, right: 0, confidence: 0 }));
  verdicts(predictions).forEach(({ predicted, confidence }, i) => {
    const bin = sums[Math.min(count - 1, Math.max(0, Math.ceil(confidence * count) - 1))];
    bin.images++;
    bin.confidence += confidence;
    if (predicted === predictions.labels[i]) bin.right++;
  });
  return sums.map(({ images, right, confidence }, i) => ({
    low: i / count,
    high: (i + 1) / count,
    images,
    accuracy: images === 0 ? null : right / images,
    confidence: images === 0 ? null : confidence / images,
  }));
}

/**
 * Expected calibration error: the mean over images of the distance between accuracy and confidence in their bin.
 * @throws KitError `METRICS_SHAPE` when sizes and labels do not fit.
 */
export function calibrationError(predictions: LabelledLogits, count = RELIABILITY_BINS): number {
  return reliabilityBins(predictions, count).reduce(
    (sum, { images, accuracy, confidence }) =>
      images === 0 ? sum : sum + (images / predictions.labels.length) * Math.abs(accuracy! - confidence!),
    0,
  );
}
