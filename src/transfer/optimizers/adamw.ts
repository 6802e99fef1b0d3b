// AdamW (Loshchilov and Hutter, ICLR 2019), as PyTorch's torch.optim.AdamW.
import { z } from 'zod';
import { tf } from '../../engine/tensorflow';
import { defineOptimizer, optimizerOptions } from './optimizer';

/**
 * AdamW: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= rate (m' / (sqrt(v') + epsilon) + weightDecay
 * w) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t) in step t. Weight decay is decoupled from the gradient. A
 * reset that clears the state of a parameter does not set t back. The defaults are PyTorch's.
 */
export const adamw = defineOptimizer({
  name: 'adamw',
  title: 'AdamW',
  source: 'Loshchilov and Hutter, ICLR 2019; torch.optim.AdamW',
  options: z.strictObject({
    ...optimizerOptions,
    learningRate: z.number().positive().default(1e-3),
    weightDecay: z.number().min(0).default(0.01),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8),
  }),
  slots: ['mean', 'square'],
  countsSteps: true,
  update({ beta1, beta2, epsilon }, { parameter, gradient, weightDecay, slots, step }) {
    const mean = slots.mean.mul(beta1).add(gradient.mul(1 - beta1));
    const square = slots.square.mul(beta2).add(gradient.square().mul(1 - beta2));
    const corrected = (beta: number) => tf.sub(1, tf.pow(tf.scalar(beta), step));
    const scale = square.div(corrected(beta2)).sqrt().add(epsilon);
    const adaptive = mean.div(corrected(beta1)).div(scale);
    const direction = weightDecay === 0 ? adaptive : adaptive.add(parameter.mul(weightDecay));
    return { direction, slots: { mean, square } };
  },
});
