// A regularizer: the mean square of the features is added to the loss.
import { defineRegularizer, z } from 'rifle-kit/extend';
import type { tf } from 'rifle-kit/engine';

export const featureNorm = defineRegularizer({
  name: '{{name}}/feature-norm',
  version: 1,
  title: 'Feature norm',
  source: 'an example',
  options: z.strictObject({ weight: z.number().min(0).default(1e-3) }),
  create: ({ weight }) => ({
    penalty: ({ forward }) => forward.features.square().mean().mul<tf.Scalar>(weight),
  }),
});
