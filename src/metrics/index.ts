// Public entry of src/metrics: metrics of a classifier over labelled logits.
export { calibrationError, reliabilityBins, type ReliabilityBin } from './calibration';
export {
  classificationMetrics,
  classScores,
  confusedPairs,
  confusionMatrix,
  topAccuracy,
  type ClassificationMetrics,
  type ClassScores,
  type ConfusedPair,
} from './classification';
export { defineMetric, metrics, type Metric, type MetricInput, type RunMetrics } from './metric';
export type { LabelledLogits } from './logits';
