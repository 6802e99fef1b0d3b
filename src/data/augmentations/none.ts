// No augmentation.
import { centerCrop } from '../batches/crop';
import { defineAugmentation } from './augmentation';

/** Training images as evaluation sees them: the centre crop. */
export const noAugmentation = defineAugmentation({
  name: 'none',
  title: 'None',
  crop: (_, { width, height, size }) => centerCrop(width, height, size),
});
