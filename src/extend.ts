// Public entry `rifle-kit/extend`: definitions that add to the kit what it does not have.
export { defineBackbone, type BackboneDefinition } from './backbones/define-backbone';
export * as layers from './backbones/layers';
export { keras, slim, torch, type FileConvention } from './backbones/parameters';
