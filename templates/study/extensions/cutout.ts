// A trick on images: a square of each training image is set to zero. Beside it, a method: its name in tables.
import { defineMethod, defineTrick, z } from 'rifle-kit/extend';
import { ops, tf } from 'rifle-kit/engine';

export const cutout = defineTrick({
  name: '{{name}}/cutout',
  version: 1, // raise it when the numbers change: it is part of a run's identity
  title: 'Cutout',
  source: 'DeVries and Taylor, 2017',
  options: z.strictObject({ side: z.number().int().positive().default(16) }),
  create: ({ side }) => ({
    // images: [batch, height, width, 3], 0..255; seed: [2] int32, another one in each step
    images(images, seed) {
      const [batch, height, width] = images.shape;
      const center = (salt: number, size: number) =>
        ops.statelessUniform([batch, 1, 1, 1], seed.add(tf.tensor1d([0, salt], 'int32'))).mul(size);
      const rows = tf.range(0, height).reshape([1, height, 1, 1]).sub(center(1, height)).abs();
      const columns = tf.range(0, width).reshape([1, 1, width, 1]).sub(center(2, width)).abs();
      const isOutside = tf.maximum(rows, columns).greater(side / 2);
      return images.mul(isOutside.toFloat());
    },
  }),
});

export const cutoutMethod = defineMethod({
  name: '{{name}}/cutout',
  title: 'Cutout',
  source: 'DeVries and Taylor, 2017',
  control: 'fine-tuning',
  tricks: [cutout({ side: 24 })],
});
