// Public entry `rifle-kit`: the generic API, and the study of the RIFLE paper that comes with the kit.
export * from './kit';

export { riflePresets } from './transfer/resets/rifle';
export { studies, type Study, type StudyOptions } from './studies/studies';
export { sweepPlan, type SweepPlan, type SweepRow } from './studies/sweep';
export { scale, scales, type Scale, type ScaleName } from './studies/scales';
export { choiceTable, triedValues, type Tried } from './report/tables/choice-table';
export { architecturesTable, regularizersTable, tricksTable } from './report/tables/study-tables';
export { ablationsTable, variantsTable } from './report/tables/ablations';
export { recoveryTable, recoveriesOf, type Recovery } from './report/tables/recovery-table';
export {
  ckaTable,
  distanceTable,
  gradientTable,
  lowLevelTable,
  type FigureClaim,
} from './report/figures/figure-claims';
export { readReported, reportedFor, type ReportedSource, type ReportedValue } from './report/comparison/reported';
export { atScale } from './report/page/at-scale';
export { exportAll, exportFigure, writeReport, type ReportOptions, type ResultsOptions } from './report/page/export';
