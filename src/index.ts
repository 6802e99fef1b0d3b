// The public surface of rifle-kit, nothing else.
export { KitError } from './base/errors';
export type { OnProgress, Progress } from './base/progress';
export { tf } from './engine/tensorflow';
export { compile, type CompiledFunction, type CompileOptions, type FunctionSpec, type Program } from './engine/compile';
export type { ArgumentSpec, Feed, ProgramControls } from './engine/graph/program';
export * as ops from './engine/ops/ops';
export type { Precision } from './engine/passes/precision';
export { randomStream, type RandomStream } from './base/random';

export { datasets } from './data/catalog';
export {
  carveValidation,
  drawPerClass,
  limitPerClass,
  type Dataset,
  type DatasetSpec,
  type Sample,
} from './data/dataset';
export { openPixelCache, type PixelCache } from './data/pixels/pixel-cache';
export { BatchLoader, type Batch, type BatchOptions } from './data/batches/batches';

export {
  backbones,
  type Backbone,
  type BackboneRecord,
  type ForwardHooks,
  type ForwardOptions,
  type ForwardResult,
  type StatisticUpdate,
} from './backbones/backbone';
export { stateDictOf, type ParameterValues } from './backbones/snapshot';
export { readWeights } from './backbones/weights/read';
export { writeSafetensors } from './backbones/weights/readers/safetensors';
export type { StateDict, StateTensor } from './backbones/weights/readers/state-dict';

export {
  parseRunSpec,
  type RunSpec,
  type RunSpecInput,
  type HeadDistribution,
  type RifleSpec,
  type RegularizerSpec,
  type ScheduleSpec,
  type TrickSpec,
} from './transfer/spec';
export { methods, type Method, type MethodParts } from './transfer/methods';
export { rifle, riflePresets, timetable, type Timetable } from './transfer/resets/rifle';
export { train, type BatchSource, type EpochRow, type Moment, type TrainOptions } from './transfer/trainer';

export { finetune, type FinetuneOptions } from './runs/finetune';
export { plan, runAll, type Grid, type RunAllOptions } from './studies/plan';
export { runPool, type PoolOptions, type PoolRun } from './runs/pool/pool';
export { runOnRay, type RayPoolOptions } from './runs/ray/ray-pool';
export { queueEstimate, type QueueEstimate } from './studies/queueing';
export type { TrackingOptions } from './runs/tracking/tracking';
export { compareRuns, type Difference, type RunComparison } from './runs/store/compare';
export { RunBusyError } from './base/files/lock';
export { matchesFilter, type RunFilter } from './runs/store/selection';
export { verifyRun, type RunVerdict } from './runs/store/verify';
export { studies, type Study, type StudyOptions } from './studies/studies';
export { sweepPlan, type SweepPlan, type SweepRow } from './studies/sweep';
export { scale, scales, type Scale, type ScaleName } from './studies/scales';
export { RunStore } from './runs/store/store';
export type { LayerRow, RunEnvironment, RunRecord } from './runs/store/record';

export {
  mean,
  meanInterval,
  sampleStd,
  summarize,
  type Interval,
  type Summary,
} from './analysis/statistics/statistics';
export { bootstrapInterval, type BootstrapOptions } from './analysis/statistics/bootstrap';
export { wilcoxonSignedRank, type SignedRank } from './analysis/statistics/wilcoxon';
export { pairedDifference, type PairedDifference } from './analysis/statistics/paired';
export { ckaEstimates, linearCka, type CkaEstimates, type FeatureMatrix } from './analysis/cka';
export { featureExtractor, stageFeatures, type FeatureExtractor, type StageFeatures } from './analysis/features';
export {
  layerRatios,
  layersOf,
  summarizeLayers,
  type LayerQuantity,
  type LayerRatio,
  type LayerSummary,
  type SeededLayers,
} from './analysis/layers';
export { fitProbe, probeClasses, probeTop1, type LinearProbe, type ProbeOptions } from './analysis/linear-probe';
export { lowLevelFeatures, type LowLevelOptions, type LowLevelRow } from './analysis/low-level';
export { ckaByStage, type CkaOptions, type CkaRow } from './analysis/representations';
export { variablesByStage } from './analysis/stages';
export type { TrainedRun } from './analysis/trained-runs';

export { epochsFrame, runsFrame, type DataFrame } from './report/frames/frames';
export { methodsTable, Table, type MethodsTableOptions } from './report/tables/methods-table';
export { choiceTable, triedValues, type Tried } from './report/tables/choice-table';
export { accuracyFigure, lossFigure, Figure, type CurveOptions, type FigureData } from './report/figures/figure';
export { ckaFrame, layersFrame, lowLevelFrame, type LayeredRun } from './report/frames/layer-frames';
export {
  gradientDepthFigure,
  layerDistanceFigure,
  layerGradientFigure,
  type DepthFigureOptions,
  type LayerFigureOptions,
} from './report/figures/layer-figures';
export { gradientHeatmap, type GradientHeatmapOptions } from './report/figures/gradient-heatmap';
export {
  ckaTable,
  distanceTable,
  gradientTable,
  lowLevelTable,
  type FigureClaim,
} from './report/figures/figure-claims';
export {
  ckaFigure,
  lowLevelFigure,
  type CkaFigureOptions,
  type StageFigureOptions,
} from './report/figures/stage-figures';
export { datasetsTable, type DatasetsTableOptions } from './report/tables/datasets-table';
export { architecturesTable, regularizersTable, tricksTable } from './report/tables/study-tables';
export { ablationsTable, variantsTable } from './report/tables/ablations';
export type { StudyTableOptions } from './report/comparison/rows';
export type { CellSource, Column, Row, TableData } from './report/table/cells';
export {
  countVerdicts,
  overallVerdict,
  verdictOf,
  OVERALL_RULE,
  VERDICT_RULE,
  type OverallVerdict,
  type Verdict,
} from './report/comparison/verdict';
export { readReported, reportedFor, type ReportedSource, type ReportedValue } from './report/comparison/reported';
export { atScale } from './report/page/at-scale';
export { Picture, sampleGrid, type SampleGridOptions } from './report/figures/pictures';
export { recoveryTable, recoveriesOf, type Recovery } from './report/tables/recovery-table';
export { exportAll, exportFigure, writeReport, type ReportOptions, type ResultsOptions } from './report/page/export';

export { show } from './notebook/display/display';
export { memory, MemoryReport } from './notebook/display/memory';
export { progressBar } from './notebook/display/progress';
export { runNotebook, type NotebookResult, type RunNotebookOptions } from './notebook/runner/runner';
