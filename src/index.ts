// The public surface of rifle-kit, nothing else.
export { KitError } from './engine/errors';
export type { OnProgress, Progress } from './engine/progress';
export { tf } from './engine/tensorflow';
export { compile, type CompiledFunction, type CompileOptions, type FunctionSpec, type Program } from './engine/compile';
export type { ArgumentSpec, Feed, ProgramControls } from './engine/program';
export * as ops from './engine/ops';
export type { Precision } from './engine/precision';
export { randomStream, type RandomStream } from './engine/random';

export { datasets } from './data/catalog';
export {
  carveValidation,
  drawPerClass,
  limitPerClass,
  type Dataset,
  type DatasetSpec,
  type Sample,
} from './data/dataset';
export { openPixelCache, type PixelCache } from './data/pixel-cache';
export { BatchLoader, type Batch, type BatchOptions } from './data/batches';

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
export { writeSafetensors } from './backbones/weights/safetensors';
export type { StateDict, StateTensor } from './backbones/weights/state-dict';

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
export { rifle, riflePresets, timetable, type Timetable } from './transfer/rifle';
export { train, type BatchSource, type EpochRow, type Moment, type TrainOptions } from './transfer/trainer';

export { finetune, type FinetuneOptions } from './runs/finetune';
export { plan, runAll, type Grid, type RunAllOptions } from './runs/plan';
export { runPool, type PoolOptions, type PoolRun } from './runs/pool';
export { runOnRay, type RayPoolOptions } from './runs/ray-pool';
export { queueEstimate, type QueueEstimate } from './runs/queueing';
export type { TrackingOptions } from './runs/tracking';
export { compareRuns, type Comparison, type Difference } from './runs/compare';
export { RunBusyError } from './runs/lock';
export { isMeant, type RunFilter } from './runs/selection';
export { verifyRun, type RunVerdict } from './runs/verify';
export { studies, type Study, type StudyOptions } from './runs/studies';
export { sweepPlan, type SweepPlan, type SweepRow } from './runs/sweep';
export { scale, scales, type Scale, type ScaleName } from './runs/scales';
export { RunStore } from './runs/store';
export type { LayerRow, RunEnvironment, RunRecord } from './runs/record';

export { mean, meanInterval, sampleStd, summarize, type Interval, type Summary } from './analysis/statistics';
export { bootstrapInterval, type BootstrapOptions } from './analysis/bootstrap';
export { wilcoxonSignedRank, type SignedRank } from './analysis/wilcoxon';
export { pairedDifference, type PairedDifference } from './analysis/paired';
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

export { epochsFrame, runsFrame, type DataFrame } from './report/frames';
export { methodsTable, Table, type MethodsTableOptions } from './report/table';
export { choiceTable, triedValues, type Tried } from './report/choice-table';
export { accuracyFigure, lossFigure, Figure, type CurveOptions, type FigureData } from './report/figure';
export { ckaFrame, layersFrame, lowLevelFrame, type LayeredRun } from './report/layer-frames';
export {
  gradientDepthFigure,
  layerDistanceFigure,
  layerGradientFigure,
  type DepthFigureOptions,
  type LayerFigureOptions,
} from './report/layer-figures';
export { gradientHeatmap, type GradientHeatmapOptions } from './report/gradient-heatmap';
export { ckaTable, distanceTable, gradientTable, lowLevelTable, type FigureClaim } from './report/figure-claims';
export { ckaFigure, lowLevelFigure, type CkaFigureOptions, type StageFigureOptions } from './report/stage-figures';
export { datasetsTable, type DatasetsTableOptions } from './report/datasets-table';
export { architecturesTable, regularizersTable, tricksTable } from './report/study-tables';
export { ablationsTable, variantsTable } from './report/ablations';
export type { StudyTableOptions } from './report/lines';
export type { CellSource, Column, Row, TableData } from './report/cells';
export {
  countVerdicts,
  overallVerdict,
  verdictOf,
  OVERALL_RULE,
  VERDICT_RULE,
  type OverallVerdict,
  type Verdict,
} from './report/verdict';
export { readReported, reportedFor, type ReportedSource, type ReportedValue } from './report/reported';
export { atScale } from './report/at-scale';
export { Picture, sampleGrid, type SampleGridOptions } from './report/pictures';
export { recoveryTable, recoveriesOf, type Recovery } from './report/recovery-table';
export { exportAll, exportFigure, writeReport, type ReportOptions, type ResultsOptions } from './report/export';

export { show } from './notebook/display';
export { memory, MemoryReport } from './notebook/memory';
export { progressBar } from './notebook/progress';
export { runNotebook, type NotebookResult, type RunNotebookOptions } from './notebook/runner';
