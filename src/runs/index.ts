// Public entry of src/runs: fine-tuning, the store of runs, pools of workers, Ray and tracking.
export { finetune, type FinetuneOptions } from './finetune';
export { runPool, type PoolOptions, type PoolRun } from './pool/pool';
export { runOnRay, type RayPoolOptions } from './ray/ray-pool';
export type { TrackingOptions } from './tracking/tracking';
export { compareRuns, type Difference, type RunComparison } from './store/compare';
export { matchesFilter, type RunFilter } from './store/selection';
export { verifyRun, type RunVerdict } from './store/verify';
export { exportRun, type Exported, type ExportFormat } from './export/export';
export { withMetrics } from './with-metrics';
export { RunStore } from './store/store';
export type { LayerRow, RunEnvironment, RunRecord } from './store/record';
export type { RunPredictions } from './store/predictions';
