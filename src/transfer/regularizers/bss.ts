// Batch spectral shrinkage (Chen et al., NeurIPS 2019).
import { z } from 'zod';
import { singularValues } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import { defineRegularizer } from './regularizer';

/**
 * Batch spectral shrinkage: eta times the sum of the `k` smallest squared singular values of the batch's features
 * [batch, featureSize]; of all of them in a batch of fewer than `k` images. Weight decay is used besides.
 */
export const bss = defineRegularizer({
  name: 'bss',
  title: 'BSS',
  source: "Chen et al., NeurIPS 2019; eta 0.001 from lixingjian/SMILE, k 1 the paper's",
  options: z.strictObject({
    eta: z.number().min(0).default(1e-3),
    k: z.number().int().positive().default(1),
  }),
  check: ({ k }, { batchSize }) =>
    k > batchSize
      ? `BSS shrinks the ${k} smallest singular values, but a batch of ${batchSize} images has only ${batchSize}`
      : undefined,
  create: ({ eta, k }) => ({
    penalty: ({ forward: { features } }) =>
      tf.tidy(() => {
        const values = singularValues(features);
        const few = Math.min(k, values.size);
        return values
          .slice(values.size - few, few)
          .square()
          .sum()
          .mul<TF.Scalar>(eta);
      }),
  }),
});
