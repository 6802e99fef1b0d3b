// Public entry `rifle-kit/analysis`: statistics, layers, features, CKA and linear probes.
export { mean, meanInterval, sampleStd, summarize, tTestP, type Interval, type Summary } from './statistics/statistics';
export { bootstrapInterval, type BootstrapOptions } from './statistics/bootstrap';
export { wilcoxonSignedRank, type SignedRank } from './statistics/wilcoxon';
export { pairedDifference, type PairedDifference } from './statistics/paired';
export { holmAdjusted } from './statistics/holm';
export { mcnemar, type McNemar } from './statistics/mcnemar';
export { pooledEffect, type Estimate, type PooledEffect } from './statistics/pooled';
export { detectableEffect, sampleSizeFor, tTestPower } from './statistics/power';
export { ckaEstimates, linearCka, type CkaEstimates, type FeatureMatrix } from './cka';
export { featureExtractor, stageFeatures, type FeatureExtractor, type StageFeatures } from './features';
export {
  layerRatios,
  layersOf,
  summarizeLayers,
  type LayerQuantity,
  type LayerRatio,
  type LayerSummary,
  type SeededLayers,
} from './layers';
export { fitProbe, probeClasses, probeTop1, type LinearProbe, type ProbeOptions } from './linear-probe';
export { lowLevelFeatures, type LowLevelOptions, type LowLevelRow } from './low-level';
export { ckaByStage, type CkaOptions, type CkaRow } from './representations';
export { variablesByStage } from '../backbones/stages';
export type { TrainedRun } from './trained-runs';
