// Public entry `rifle-kit/extend`: definitions that add to the kit what it does not have, and the kit's own ones.
export { loadExtensions } from './base/definitions/load';
export { guests, type Guest, type Origin } from './base/definitions/registry';
export type { Part, PartDefinition, PartInfo } from './base/definitions/part';

export {
  defineRegularizer,
  type PenaltyContext,
  type PrepareContext,
  type Prepared,
  type RegularizerBody,
  type RegularizerOfRun,
} from './transfer/regularizers/regularizer';
export { bss, delta, l2, l2sp } from './transfer/regularizers';

export {
  defineTrick,
  inverted,
  keepMask,
  type TrickBackbone,
  type TrickBody,
  type TrickHooks,
  type TrickOfRun,
} from './transfer/tricks/trick';
export { cyclicLr, disturbLabel, dropConnect, dropout, stochasticDepth } from './transfer/tricks';

export { defineSchedule, type ParameterGroup, type RateMoment, type ScheduleBody } from './transfer/schedules/schedule';
export { constant, cosine, step } from './transfer/schedules';
export { cosineFactor } from './transfer/schedules/cosine';

export { defineReset, timetable, type ResetBody, type ResetContext, type Timetable } from './transfer/resets/reset';
export { layersReset, rifleReset } from './transfer/resets';
export { rifle, rifleOf, rifleSource, type RifleOptions, type RifleSpec } from './transfer/resets/rifle';

export {
  defineOptimizer,
  optimizerOptions,
  type OptimizerBody,
  type OptimizerOptions,
  type Update,
  type UpdateContext,
} from './transfer/optimizers/optimizer';
export { adamw, sgd } from './transfer/optimizers';

export { defineAugmentation, type AugmentationBody } from './data/augmentations/augmentation';
export { flipCrop, noAugmentation } from './data/augmentations';
export type { Crop } from './data/batches/crop';

export { checkExtension, type CheckedDefinition, type ExtensionReport } from './transfer/check/check-extension';

export { defineMethod, methods, type Method, type MethodInput, type MethodParts } from './transfer/methods';

export { defineMetric, metrics, type Metric, type MetricInput } from './metrics/metric';
export { defineObserver, type Look, type Observation, type Observer } from './transfer/observer';

export { z } from 'zod';
export { defineBackbone, type BackboneDefinition } from './backbones/define-backbone';
export * as layers from './backbones/layers';
export { keras, slim, torch, type FileConvention } from './backbones/parameters';
export { defineDataset, type DatasetDefinition } from './data/define-dataset';
