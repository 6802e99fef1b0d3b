// Public entry `rifle-kit/data`: data sets, splits, the pixel cache and batches.
export { datasets } from './catalog';
export { carveValidation, drawPerClass, limitPerClass, type Dataset, type DatasetSpec, type Sample } from './dataset';
export { openPixelCache, type PixelCache } from './pixels/pixel-cache';
export { BatchLoader, type Batch, type BatchOptions } from './batches/batches';
