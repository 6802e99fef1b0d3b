// The examples of docs/extending.md. The test beside this file compares the two texts, and trains with all of them.
import {
  defineMethod,
  defineMetric,
  defineObserver,
  defineRegularizer,
  defineReset,
  defineSchedule,
  defineTrick,
  layersReset,
  z,
} from '../../src/extend';
import { ops, tf } from '../../src/engine';

// example: a trick on images
export const cutout = defineTrick({
  name: 'example/cutout',
  title: 'Cutout',
  source: 'DeVries and Taylor, 2017',
  options: z.strictObject({ side: z.number().int().positive().default(16) }),
  create: ({ side }) => ({
    images(images, seed) {
      const [batch, height, width] = images.shape;
      const place = (salt: number, size: number) =>
        tf.scalar(size).mul(ops.statelessUniform([batch, 1, 1, 1], seed.add(tf.tensor1d([0, salt], 'int32'))));
      const rows = tf.range(0, height).reshape([1, height, 1, 1]).sub(place(1, height)).abs();
      const columns = tf.range(0, width).reshape([1, 1, width, 1]).sub(place(2, width)).abs();
      return images.mul(
        tf
          .maximum(rows, columns)
          .greater(side / 2)
          .toFloat(),
      );
    },
  }),
});
// end

// example: a trick on labels
export const smoothing = defineTrick({
  name: 'example/label-smoothing',
  title: 'Label smoothing',
  source: 'Szegedy et al., CVPR 2016',
  options: z.strictObject({ rate: z.number().gt(0).lt(1).default(0.1) }),
  create: ({ rate }, { backbone: { classes } }) => ({
    labels: (labels) =>
      tf
        .oneHot(labels as tf.Tensor1D, classes)
        .toFloat()
        .mul(1 - rate)
        .add(rate / classes),
  }),
});
// end

// example: a regularizer
export const featureNorm = defineRegularizer({
  name: 'example/feature-norm',
  title: 'Feature norm',
  source: 'an example',
  options: z.strictObject({ weight: z.number().min(0).default(1e-3) }),
  create: ({ weight }) => ({
    penalty: ({ forward }) => forward.features.square().mean().mul<tf.Scalar>(weight),
  }),
});
// end

// example: a schedule
export const warmup = defineSchedule({
  name: 'example/warm-up',
  title: 'Warm-up, then cosine',
  source: 'Goyal et al., 2017',
  options: z.strictObject({ part: z.number().gt(0).lt(1).default(0.1) }),
  every: 'step',
  factor: ({ part }, { progress }) =>
    progress < part ? (progress + 0.01) / part : 0.5 * (1 + Math.cos((Math.PI * (progress - part)) / (1 - part))),
});
// end

// example: a reset policy
export const rewindHead = defineReset({
  name: 'example/rewind-head',
  title: 'Rewind the head',
  source: 'an example',
  options: z.strictObject({ after: z.number().int().positive().default(1) }),
  timetable: ({ after }, epochs) => ({ epochs, period: after, resets: [after] }),
  values: (_, { initial, from }) => initial(from('head')),
  clearMomentum: () => true,
});
// end

// example: methods
export const cutoutMethod = defineMethod({
  name: 'example/cutout-method',
  title: 'Cutout',
  source: 'DeVries and Taylor, 2017',
  colour: '#117733',
  tricks: [cutout({ side: 24 })],
});
export const forgetting = defineMethod({
  name: 'example/later-layers',
  title: 'Later layers, back to pretrained',
  source: 'Zhou et al., ICLR 2022',
  reset: layersReset({ from: 'stage4' }),
});
// end

// example: a metric
export const predictedClasses = defineMetric({
  name: 'example/predicted-classes',
  title: 'Classes predicted',
  measure({ logits, labels, classes }) {
    const predicted = Array.from(labels, (_, i) => {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      return row.indexOf(Math.max(...row));
    });
    return new Set(predicted).size / classes;
  },
});
// end

// example: an observer
export const largestValue = defineObserver({
  name: 'example/largest-value',
  moments: ['epoch', 'after-reset'],
  observe: ({ values }) => ({
    largest: Object.values(values()).reduce((most, array) => array.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0),
  }),
});
// end
