// L2: weight decay.
import { z } from 'zod';
import { defineRegularizer } from './regularizer';

/**
 * Sets the weight decay of the optimizer, `coefficient` w added to the gradient of every parameter. A spec without
 * regularizers has `optimizer.weightDecay`; this definition brings weight decay back after a regularizer that removes
 * it.
 */
export const l2 = defineRegularizer({
  name: 'l2',
  title: 'L2',
  source: 'lixingjian/RIFLE, train.py (commit ba10be2): 1e-4',
  options: z.strictObject({ coefficient: z.number().min(0).default(1e-4) }),
  weightDecay: ({ coefficient }) => coefficient,
});
