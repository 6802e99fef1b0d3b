// What is added to the cross entropy to keep the weights small, or near where they started.
import { singularValues } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import type { Backbone, ForwardResult } from '../../backbones/backbone';
import { deltaTaps, type ChannelWeights } from './channel-weights';
import type { RunSpec } from '../spec';

/** A regulariser as the training step uses it. */
export interface Regularizer {
  /** Variables of its own, which never change. */
  variables: Record<string, TF.Variable>;
  /** Coefficient that SGD adds to every gradient: its weight decay. */
  weightDecay: number;
  /** Term added to the loss, a scalar, from the batch's `images` and what the network made of them; null for none. */
  penalty: ((images: TF.Tensor4D, forward: ForwardResult) => TF.Scalar) | null;
  /** Frees its variables. */
  dispose(): void;
}

/**
 * The regulariser of `spec` for `backbone`, whose present values are the starting point.
 * @param channelWeights of DELTA, see `findChannelWeights`; without: all channels weigh the same.
 */
export function makeRegularizer(
  { regularizer, optimizer }: Pick<RunSpec, 'regularizer' | 'optimizer'>,
  backbone: Backbone,
  channelWeights?: ChannelWeights,
): Regularizer {
  switch (regularizer.name) {
    case 'l2-sp':
      return l2sp(backbone, regularizer.alpha, regularizer.beta);
    case 'delta':
      return delta(backbone, regularizer.alpha, regularizer.beta, channelWeights);
    case 'bss':
      return {
        ...none(optimizer.weightDecay),
        penalty: (_, { features }) => bss(features, regularizer.eta, regularizer.k),
      };
    default:
      return none(optimizer.weightDecay);
  }
}

const none = (weightDecay: number): Regularizer => ({
  variables: {},
  weightDecay,
  penalty: null,
  dispose: () => undefined,
});

/** The weights and biases that begin new: those of the head, and of the auxiliary classifier's where there is one. */
const newlyDrawn = ({ head, auxiliaryHead }: Backbone): TF.Variable[] =>
  [head, ...(auxiliaryHead ? [auxiliaryHead] : [])].flatMap(({ weight, bias }) => [weight, bias]);

/** beta/2 |w|^2 over the head's weight and bias. */
const headDecay = (backbone: Backbone, beta: number): TF.Scalar =>
  tf.addN(newlyDrawn(backbone).map((w) => w.square().sum())).mul<TF.Scalar>(beta / 2);

/**
 * L2-SP (Li, Grandvalet, Davoine, ICML 2018): alpha/2 |w - w0|^2 over the trunk's parameters, batch norm's scale and
 * offset included,
 * plus beta/2 |w|^2 over the head's. As in the authors' code (train.py) it replaces the optimizer's weight decay.
 */
export function l2sp(backbone: Backbone, alpha: number, beta: number): Regularizer {
  const head = new Set(newlyDrawn(backbone));
  const trunk = Object.entries(backbone.variables).filter(([, variable]) => variable.trainable && !head.has(variable));
  const variables: Record<string, TF.Variable> = {};
  for (const [name, variable] of trunk)
    variables[`start/${name}`] = tf.tidy(() => tf.variable(variable.clone(), false));
  const penalty = (): TF.Scalar =>
    tf.tidy(() => {
      const moved = trunk.map(([name, variable]) => variable.sub(variables[`start/${name}`]).square().sum());
      return tf
        .addN(moved)
        .mul(alpha / 2)
        .add<TF.Scalar>(headDecay(backbone, beta));
    });
  return { variables, weightDecay: 0, penalty, dispose: () => tf.dispose(variables) };
}

/**
 * DELTA (Li et al., ICLR 2019): the outputs of the stages stay near those of the pretrained network on the same images,
 * alpha/2 sum over stages and channels of C w_c |F_c - F0_c|^2 / (height width), plus beta/2 |w|^2 over the head. F
 * [batch, height, width, C];
 * w_c sums to one over the C channels of a stage. The pretrained network runs in evaluation mode. The mean over the
 * batch is taken, as of the
 * cross entropy, so that alpha does not depend on the batch size. No weight decay besides.
 */
export function delta(backbone: Backbone, alpha: number, beta: number, channelWeights?: ChannelWeights): Regularizer {
  const source = backbone.copy();
  const variables = Object.fromEntries(
    Object.entries(source.variables).map(([name, variable]) => [`source/${name}`, variable]),
  );
  const penalty = (images: TF.Tensor4D, { taps }: ForwardResult): TF.Scalar =>
    tf.tidy(() => {
      const before = source.forward(images, { training: false }).taps;
      const distances = deltaTaps(taps).map((name) => {
        const [batch, height, width, channels] = taps[name].shape;
        const squares = taps[name].sub(before[name]).square().sum([0, 1, 2]);
        const weights = channelWeights?.[name];
        return (weights ? squares.mul(tf.tensor1d(weights)).mul(channels) : squares).sum().div(batch * height * width);
      });
      return tf
        .addN(distances)
        .mul(alpha / 2)
        .add<TF.Scalar>(headDecay(backbone, beta));
    });
  return { variables, weightDecay: 0, penalty, dispose: () => source.dispose() };
}

/**
 * Batch spectral shrinkage (Chen et al., NeurIPS 2019): eta times the sum of the `k` smallest squared singular values
 * of the
 * batch's `features` [batch, featureSize]; of all there are in a batch of fewer than `k` images.
 */
export function bss(features: TF.Tensor2D, eta: number, k: number): TF.Scalar {
  return tf.tidy(() => {
    const values = singularValues(features);
    const few = Math.min(k, values.size);
    return values
      .slice(values.size - few, few)
      .square()
      .sum()
      .mul<TF.Scalar>(eta);
  });
}
