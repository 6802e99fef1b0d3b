// Public entry `rifle-kit/report`: data frames, tables, figures and verdicts of any study.
export { epochsFrame, runsFrame, type DataFrame } from './frames/frames';
export { ckaFrame, layersFrame, lowLevelFrame, type LayeredRun } from './frames/layer-frames';
export { methodsTable, Table, type MethodsTableOptions } from './tables/methods-table';
export { datasetsTable, type DatasetsTableOptions } from './tables/datasets-table';
export type { StudyTableOptions } from './comparison/rows';
export type { CellSource, Column, Row, TableData } from './table/cells';
export {
  countVerdicts,
  overallVerdict,
  verdictOf,
  OVERALL_RULE,
  VERDICT_RULE,
  type OverallVerdict,
  type Verdict,
} from './comparison/verdict';
export { accuracyFigure, lossFigure, Figure, type CurveOptions, type FigureData } from './figures/figure';
export {
  gradientDepthFigure,
  layerDistanceFigure,
  layerGradientFigure,
  type DepthFigureOptions,
  type LayerFigureOptions,
} from './figures/layer-figures';
export { gradientHeatmap, type GradientHeatmapOptions } from './figures/gradient-heatmap';
export { ckaFigure, lowLevelFigure, type CkaFigureOptions, type StageFigureOptions } from './figures/stage-figures';
export { Picture, sampleGrid, type SampleGridOptions } from './figures/pictures';
