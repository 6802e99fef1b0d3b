// Public entry of src/transfer: what a run is (its spec and its method) and how it is trained.
export { parseRunSpec, type RunSpec, type RunSpecInput } from './spec';
export type { HeadDistribution } from './head';
export { train } from './trainer';
export type { BatchSource, EpochRow, Moment, TrainOptions } from './train-state';
