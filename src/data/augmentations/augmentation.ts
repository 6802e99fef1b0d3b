// An augmentation: how one training image is cut, and how its pixels change. Each sample has its own random stream.
import type { z } from 'zod';
import { definePart, type AnyDefinition, type PartDefinition, type PartInfo } from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';
import type { RandomStream } from '../../base/random';
import type { Crop } from '../batches/crop';

/** What an augmentation does. Its streams depend on seed, epoch and sample alone. */
export interface AugmentationBody<O> {
  /**
   * The square of `size` pixels that is cut from an image of `width` x `height` pixels. Default: that of `flip-crop`.
   */
  crop?(options: O, image: { width: number; height: number; size: number; stream: RandomStream }): Crop;
  /** Changes the pixels of the cut image in place: RGB bytes [size, size, 3]. Default: nothing. */
  pixels?(options: O, image: { pixels: Uint8Array; size: number; stream: RandomStream }): void;
}

/** All augmentations by name. */
export const augmentations = new Registry<AnyDefinition<AugmentationBody<never>>>('augmentation');

const fields: FieldKinds<AugmentationBody<never>> = { crop: 'function?', pixels: 'function?' };

/** Defines an augmentation, for the field `augmentation` of a spec. */
export function defineAugmentation<N extends string, O extends z.ZodObject>(
  info: PartInfo<N, O> & AugmentationBody<z.output<O>>,
): PartDefinition<N, O, AugmentationBody<z.output<O>>> {
  return definePart(augmentations as never, info, info, defineAugmentation, fields);
}
