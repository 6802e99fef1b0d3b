// The tricks that RIFLE is compared with: each changes what a training step sees, by masks drawn inside the step from
// one seed.
import { KitError } from '../../base/errors';
import { statelessUniform } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import type { Backbone, ForwardHooks } from '../../backbones/backbone';
import type { TrickSpec } from '../spec';

/** What a trick does to one training step; `seed` [2] int32 is another one in every step. */
export interface Trick {
  /** The labels [batch] int32 to learn instead. */
  labels?(labels: TF.Tensor1D, seed: TF.Tensor1D): TF.Tensor1D;
  hooks?(seed: TF.Tensor1D): ForwardHooks;
}

/**
 * The trick of a spec on `backbone`. The cyclic learning rate is a schedule (`schedule.ts`) and does nothing here.
 * @throws KitError when it does not fit the backbone.
 */
export function makeTrick(spec: TrickSpec, backbone: Pick<Backbone, 'record' | 'residualBlocks' | 'classes'>): Trick {
  switch (spec.name) {
    case 'dropout':
      return spec.at === 'head' ? headDropout(spec.rate) : stageDropout(spec.rate, backbone.record.taps);
    case 'dropconnect':
      return spec.unit === 'weight' ? dropConnect(spec.rate) : sampleDropConnect(spec.rate);
    case 'stochastic-depth':
      if (backbone.residualBlocks === 0) {
        throw new KitError(`Stochastic depth drops residual blocks, and ${backbone.record.id} has none.`, {
          fix: 'Choose a backbone with shortcuts (a ResNet, an EfficientNet), or another trick.',
        });
      }
      return stochasticDepth(spec.survival, backbone.residualBlocks);
    case 'disturb-label':
      return disturbLabel(spec.rate, backbone.classes);
    default:
      return {};
  }
}

/** 1 with probability `keep`, else 0: [..shape] float32. `place` tells the masks of one step apart. */
export function keepMask(shape: number[], keep: number, seed: TF.Tensor1D, place = 0): TF.Tensor {
  return tf.tidy(() =>
    statelessUniform(shape, place === 0 ? seed : seed.add(tf.tensor1d([0, place], 'int32')))
      .less(keep)
      .toFloat(),
  );
}

/** x, with what the mask drops set to zero and the rest divided by `keep`: its expectation is x. */
const inverted = <T extends TF.Tensor>(x: T, mask: TF.Tensor, keep: number): T => x.mul<T>(mask.div(keep));

const linear = (features: TF.Tensor2D, weight: TF.Tensor2D, bias: TF.Tensor1D): TF.Tensor2D =>
  tf.matMul(features, weight).add<TF.Tensor2D>(bias);

/**
 * Dropout (Srivastava et al., JMLR 2014), inverted, of the head's input [batch, featureSize]: each feature of each
 * image on its own.
 */
function headDropout(rate: number): Trick {
  return {
    hooks: (seed) => ({
      head: (features, weight, bias) =>
        linear(inverted(features, keepMask(features.shape, 1 - rate, seed), 1 - rate), weight, bias),
    }),
  };
}

/** Dropout of the CNN's features: every element of every stage's output [batch, height, width, channels] on its own. */
function stageDropout(rate: number, taps: readonly string[]): Trick {
  return {
    hooks: (seed) => ({
      tap: (x, name) => inverted(x, keepMask(x.shape, 1 - rate, seed, taps.indexOf(name)), 1 - rate),
    }),
  };
}

/**
 * DropConnect (Wan et al., ICML 2013) on the head: logits[b] = features[b] (W * M[b]) / keep + bias with a mask M
 * [batch, featureSize, classes] of
 * its own for each image. Two choices of ours: the bias is never dropped, and evaluation uses the plain head, the mean
 * of the masked ones
 * (the paper samples a normal approximation).
 */
function dropConnect(rate: number): Trick {
  const head =
    (seed: TF.Tensor1D): ForwardHooks['head'] =>
    (features, weight, bias) => {
      const mask = keepMask([features.shape[0], ...weight.shape], 1 - rate, seed);
      const masked = inverted(weight.expandDims<TF.Tensor3D>(0), mask, 1 - rate);
      return tf.matMul(features.expandDims<TF.Tensor3D>(1), masked).squeeze<TF.Tensor2D>([1]).add<TF.Tensor2D>(bias);
    };
  return { hooks: (seed) => ({ head: head(seed) }) };
}

/**
 * The class DropConnect of the authors' code (lixingjian/RIFLE, train.py), which nothing there uses: a mask [batch, 1]
 * on whole features.
 */
function sampleDropConnect(rate: number): Trick {
  return {
    hooks: (seed) => ({
      head: (features, weight, bias) =>
        linear(inverted(features, keepMask([features.shape[0], 1], 1 - rate, seed), 1 - rate), weight, bias),
    }),
  };
}

/**
 * Probability that residual block `block` (from 0) of `blocks` survives: p = 1 - (block + 1) / blocks (1 - survival).
 */
export const survivalOf = (block: number, blocks: number, survival: number): number =>
  1 - ((block + 1) / blocks) * (1 - survival);

/**
 * Stochastic depth (Huang et al., ECCV 2016) with linear decay: the branch of a block is dropped with a mask [batch, 1,
 * 1, 1]. Two choices
 * common today: each image on its own, not a whole batch; and survivors are divided by p, where the paper multiplies by
 * p in evaluation.
 */
function stochasticDepth(survival: number, blocks: number): Trick {
  const residual =
    (seed: TF.Tensor1D): ForwardHooks['residual'] =>
    (branch, block) => {
      const keep = survivalOf(block, blocks, survival);
      return inverted(branch, keepMask([branch.shape[0], 1, 1, 1], keep, seed, block), keep);
    };
  return { hooks: (seed) => ({ residual: residual(seed) }) };
}

/**
 * Disturb Label (Xie et al., CVPR 2016): with probability `rate` a label is drawn anew, uniformly over all C classes,
 * its own included; so it stays
 * with probability 1 - rate (C - 1) / C.
 */
function disturbLabel(rate: number, classes: number): Trick {
  return {
    labels: (labels, seed) =>
      tf.tidy(() => {
        const drawn = statelessUniform(labels.shape, seed.add(tf.tensor1d([0, 1], 'int32')))
          .mul(classes)
          .floor()
          .toInt();
        return tf.where(keepMask(labels.shape, rate, seed).toBool(), drawn, labels) as TF.Tensor1D;
      }),
  };
}
