// Dropout (Srivastava et al., JMLR 2014), inverted.
import { z } from 'zod';
import { defineTrick, inverted, keepMask } from './trick';

/**
 * Dropout with probability `rate`. `at: 'head'`: of the head's input [batch, featureSize], each feature of each image
 * on its own. `at: 'stages'`: of every element of every stage's output [batch, height, width, channels].
 */
export const dropout = defineTrick({
  name: 'dropout',
  title: 'Dropout',
  source: 'Srivastava et al., JMLR 2014; rates: our own grid',
  options: z.strictObject({
    rate: z.number().gt(0).lt(1).default(0.2),
    at: z.enum(['head', 'stages']).default('head'),
  }),
  create({ rate, at }, { backbone: { record } }) {
    const keep = 1 - rate;
    if (at === 'head')
      return {
        hooks: (seed) => ({ features: (features) => inverted(features, keepMask(features.shape, keep, seed), keep) }),
      };
    return {
      hooks: (seed) => ({
        tap: (x, name) => inverted(x, keepMask(x.shape, keep, seed, record.taps.indexOf(name)), keep),
      }),
    };
  },
});
