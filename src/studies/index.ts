// Public entry of src/studies: grids of runs, scales, and how a study is defined.
export { atScale } from './at-scale';
export { plan, runAll, type Grid, type RunAllOptions } from './plan';
export { exportAll, writeReport } from './results';
export { defineScale, scale, scaleNames, type Scale } from './scales';
export { defineStudy, studies, type AnalysisContext, type Study, type StudyOptions } from './study';
export { sweepPlan, type SweepPlan, type SweepRow } from './sweep';
