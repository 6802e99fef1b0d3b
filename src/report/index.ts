// Public entry `rifle-kit/report`: data frames, tables, figures, verdicts and reports of any study.
export { epochsFrame, runsFrame, type DataFrame } from './frames/frames';
export { ckaFrame, layersFrame, lowLevelFrame, type LayeredRun } from './frames/layer-frames';

export { Table, type TableJson } from './table/tabular';
export type { Cell, CellSource, Column, Pair, Row, TableData } from './table/cells';
export { methodsTable, type MethodsTableOptions } from './tables/methods-table';
export { datasetsTable, type DatasetsTableOptions } from './tables/datasets-table';
export { classTable } from './predictions/class-table';
export { metricsTable } from './tables/metrics-table';
export { choiceTable, triedValues, type Tried } from './tables/choice-table';

export { differences, groupRuns, isPlain, samePartsBut, type MethodRuns, type RunGroup } from './comparison/grouping';
export { conditionsOf, onTest, type Condition, type PlannedRun } from './comparison/conditions';
export { compareMethods, notRun, type MethodComparison } from './comparison/comparison';
export {
  commandOf,
  type ComparisonPlan,
  type ComparisonRow,
  type StudyTableOptions,
} from './comparison/comparison-plan';
export { comparisonTable } from './comparison/comparison-table';
export {
  countVerdicts,
  DEFAULT_EFFECT,
  judge,
  overallVerdict,
  verdictFor,
  verdictRule,
  type EffectOfInterest,
  type Judgement,
  type OverallVerdict,
  type Verdict,
} from './comparison/verdict';
export { readReported, reportedFor, type ReportedSource, type ReportedValue } from './comparison/reported';

export { accuracyFigure, lossFigure, Figure, type CurveOptions, type FigureData } from './figures/figure';
export { layerDistanceFigure, layerGradientFigure, type LayerFigureOptions } from './figures/layer-figures';
export { gradientDepthFigure, type DepthFigureOptions } from './figures/depth-figure';
export { gradientHeatmap, type GradientHeatmapOptions } from './figures/gradient-heatmap';
export {
  ckaFigure,
  estimateOf,
  lowLevelFigure,
  type CkaFigureOptions,
  type StageFigureOptions,
} from './figures/stage-figures';
export { confusionFigure, type PredictionFigureOptions } from './predictions/confusion';
export { reliabilityFigure } from './predictions/reliability';
export { forestFigure, type ForestOptions } from './figures/forest';
export { claimsTable, type FigureClaim } from './figures/claims';
export {
  commonEpochs,
  depthParts,
  layeredGroupsOf,
  onlyGroup,
  placeOf,
  valueOf,
  type LayeredGroup,
  type LayeredMethod,
} from './figures/layered-groups';
export { largestLosses, predictionsOf, topLosses, type ImageLoss, type TopLossesOptions } from './pictures/mistakes';
export { Picture, sampleGrid, type SampleGridOptions } from './pictures/pictures';

export type { Exhibit, FigureSources, NamedFigure } from './page/exhibits';
export { exportFigure, type ReportOptions, type ResultsOptions } from './page/export';
