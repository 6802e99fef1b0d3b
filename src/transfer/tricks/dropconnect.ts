// DropConnect (Wan et al., ICML 2013) on the head.
import { z } from 'zod';
import { tf, type TF } from '../../engine/tensorflow';
import { defineTrick, inverted, keepMask } from './trick';

/**
 * DropConnect with probability `rate`. `unit: 'weight'`: logits[b] = features[b] (W * M[b]) / keep + bias, with a mask
 * M [batch, featureSize, classes] for each image. Two choices of ours: the bias is never dropped, and evaluation uses
 * the plain head, the mean of the masked ones (the paper samples a normal approximation).
 *
 * `unit: 'sample'`: the class DropConnect of the authors' code (lixingjian/RIFLE, train.py), which nothing there uses:
 * a mask [batch, 1] on whole features.
 */
export const dropConnect = defineTrick({
  name: 'dropconnect',
  title: 'DropConnect',
  source: 'Wan et al., ICML 2013; rates: our own grid',
  options: z.strictObject({
    rate: z.number().gt(0).lt(1).default(0.2),
    unit: z.enum(['weight', 'sample']).default('weight'),
  }),
  create({ rate, unit }) {
    const keep = 1 - rate;
    if (unit === 'sample')
      return {
        hooks: (seed) => ({
          features: (features) => inverted(features, keepMask([features.shape[0], 1], keep, seed), keep),
        }),
      };
    return {
      hooks: (seed) => ({
        head(features, weight, bias) {
          const mask = keepMask([features.shape[0], ...weight.shape], keep, seed);
          const masked = inverted(weight.expandDims<TF.Tensor3D>(0), mask, keep);
          return tf
            .matMul(features.expandDims<TF.Tensor3D>(1), masked)
            .squeeze<TF.Tensor2D>([1])
            .add<TF.Tensor2D>(bias);
        },
      }),
    };
  },
});
