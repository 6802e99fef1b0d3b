// The authors' augmentation.
import { randomCrop } from '../batches/crop';
import { defineAugmentation } from './augmentation';

/** `RandomHorizontalFlip()` and then `RandomCrop(size)` (lixingjian/RIFLE, train.py, commit ba10be2). */
export const flipCrop = defineAugmentation({
  name: 'flip-crop',
  title: 'Flip and crop',
  source: 'lixingjian/RIFLE, train.py (commit ba10be2)',
  crop: (_, { width, height, size, stream }) => randomCrop(width, height, size, stream),
});
