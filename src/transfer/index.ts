// Public entry of src/transfer: what a run is (its spec and its method) and how it is trained.
export { parseRunSpec, type RunSpec, type RunSpecInput } from './spec/spec';
export type { HeadDistribution } from './head';
export { methods, type Method, type MethodParts } from './methods';
export { timetable, type Timetable } from './resets/reset';
export { rifle, rifleOf, riflePresets, type RifleOptions, type RifleSpec } from './resets/rifle';
export { train } from './trainer';
export type { BatchSource, EpochRow, Moment, TrainOptions } from './train-state';
