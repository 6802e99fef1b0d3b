// Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD.
import { z } from 'zod';
import { defineOptimizer, optimizerOptions } from './optimizer';

/**
 * SGD: g += weightDecay w; v = momentum v + g; w -= rate v, or with Nesterov's form w -= rate (g + momentum v). The
 * defaults are the authors' (lixingjian/RIFLE, train.py).
 */
export const sgd = defineOptimizer({
  name: 'sgd',
  title: 'SGD',
  source: 'torch.optim.SGD; defaults: lixingjian/RIFLE, train.py (commit ba10be2)',
  options: z.strictObject({
    ...optimizerOptions,
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(false),
  }),
  slots: ['momentum'],
  update({ momentum, nesterov }, { parameter, gradient, weightDecay, slots }) {
    const slope = weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
    // A difference, not a sum of three terms: TensorFlow's optimiser reorders sums, and a compiled step would round
    // differently from an eager one.
    const velocity = momentum === 0 ? slope : slope.sub(slots.momentum.mul(-momentum));
    const direction = nesterov ? slope.add(velocity.mul(momentum)) : velocity;
    return { direction, slots: { momentum: velocity } };
  },
});
