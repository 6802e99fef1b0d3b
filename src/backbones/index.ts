// Public entry `rifle-kit/backbones`: pretrained networks, their weights and the files that hold weights.
export {
  backbones,
  type Backbone,
  type BackboneRecord,
  type ForwardHooks,
  type ForwardOptions,
  type ForwardResult,
  type StatisticUpdate,
} from './backbone';
export { stateDictOf, type ParameterValues } from './snapshot';
export { readWeights } from './weights/read';
export { writeSafetensors } from './weights/readers/safetensors';
export type { StateDict, StateTensor } from './weights/readers/state-dict';
export { defineBackbone, type BackboneDefinition } from './define-backbone';
