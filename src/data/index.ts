// Public entry `rifle-kit/data`: data sets, splits, the pixel cache and batches.
export { datasets } from './catalog';
export type { Dataset, DatasetSpec, Sample, SplitRule } from './dataset';
export {
  assignFolds,
  carveValidation,
  drawPerClass,
  foldDataset,
  limitPerClass,
  splitByRule,
  type Fold,
  type SplitOptions,
} from './splits';
export { openPixelCache, type PixelCache } from './pixels/pixel-cache';
export { BatchLoader, type Batch, type BatchOptions } from './batches/batches';
