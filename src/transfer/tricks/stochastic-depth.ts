// Stochastic depth (Huang et al., ECCV 2016) with linear decay.
import { z } from 'zod';
import { KitError } from '../../base/errors';
import { defineTrick, inverted, keepMask } from './trick';

/**
 * Probability that residual block `block` (from 0) of `blocks` is kept: p = 1 - (block + 1) / blocks (1 - survival).
 */
export const survivalOf = (block: number, blocks: number, survival: number): number =>
  1 - ((block + 1) / blocks) * (1 - survival);

/**
 * Stochastic depth: drops the branch of a residual block with a mask [batch, 1, 1, 1]. The last block is kept with
 * probability `survival`, the others linearly more often. Two choices common today: each image on its own, not a whole
 * batch; and kept branches are divided by p, where the paper multiplies by p in evaluation.
 */
export const stochasticDepth = defineTrick({
  name: 'stochastic-depth',
  title: 'Stochastic Depth',
  source: 'Huang et al., ECCV 2016; rates: our own grid',
  options: z.strictObject({ survival: z.number().gt(0).lt(1).default(0.8) }),
  create({ survival }, { backbone: { record, residualBlocks } }) {
    if (residualBlocks === 0)
      throw new KitError(`Stochastic depth drops residual blocks, and the backbone ${record.id} has none.`, {
        code: 'TRICK_NO_RESIDUAL_BLOCKS',
        fix: 'Choose a backbone with shortcuts (a ResNet, an EfficientNet), or another trick.',
      });
    return {
      hooks: (seed) => ({
        residual(branch, block) {
          const keep = survivalOf(block, residualBlocks, survival);
          return inverted(branch, keepMask([branch.shape[0], 1, 1, 1], keep, seed, block), keep);
        },
      }),
    };
  },
});
