// Disturb Label (Xie et al., CVPR 2016).
import { z } from 'zod';
import { KitError } from '../../base/errors';
import { statelessUniform } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import { defineTrick, keepMask } from './trick';

/**
 * Disturb Label: with probability `rate` a label is drawn uniformly over all C classes, its own included. It stays the
 * same with probability 1 - rate (C - 1) / C.
 */
export const disturbLabel = defineTrick({
  name: 'disturb-label',
  title: 'Disturb Label',
  source: 'Xie et al., CVPR 2016; rates: our own grid',
  options: z.strictObject({ rate: z.number().gt(0).lt(1).default(0.2) }),
  create: ({ rate }, { backbone: { classes } }) => ({
    labels(labels, seed) {
      if (labels.rank !== 1)
        throw new KitError('The trick "disturb-label" needs hard labels, and a trick before it returns soft ones.', {
          code: 'TRICK_LABELS_ORDER',
          fix: 'Put it before the trick that makes soft labels.',
        });
      return tf.tidy(() => {
        const drawn = statelessUniform(labels.shape, seed.add(tf.tensor1d([0, 1], 'int32')))
          .mul(classes)
          .floor()
          .toInt();
        return tf.where(keepMask(labels.shape, rate, seed).toBool(), drawn, labels as TF.Tensor1D);
      });
    },
  }),
});
