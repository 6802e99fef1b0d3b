// Public entry of src/transfer: what a run is (its spec and its method) and how it is trained.
export {
  parseRunSpec,
  type RunSpec,
  type RunSpecInput,
  type HeadDistribution,
  type RifleSpec,
  type RegularizerSpec,
  type ScheduleSpec,
  type TrickSpec,
} from './spec';
export { methods, type Method, type MethodParts } from './methods';
export { rifle, riflePresets, timetable, type Timetable } from './resets/rifle';
export { train } from './trainer';
export type { BatchSource, EpochRow, Moment, TrainOptions } from './train-state';
