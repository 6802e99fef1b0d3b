// What is added to the cross entropy to keep the weights small, or near where they started.
import { tf, type TF } from '../engine/tensorflow';
import type { Backbone } from '../backbones/backbone';
import type { RunSpec } from './spec';

/** A regulariser as the training step uses it. */
export interface Regularizer {
  /** Variables of its own, which never change; disposed by the caller. */
  variables: Record<string, TF.Variable>;
  /** Coefficient that SGD adds to every gradient: its weight decay. */
  weightDecay: number;
  /** Term added to the loss, a scalar; null for none. */
  penalty: (() => TF.Scalar) | null;
}

/** The regulariser of `spec` for `backbone`, whose present values are the starting point. */
export function makeRegularizer({ regularizer, optimizer }: RunSpec, backbone: Backbone): Regularizer {
  if (regularizer.name === 'l2-sp') return l2sp(backbone, regularizer.alpha, regularizer.beta);
  return { variables: {}, weightDecay: optimizer.weightDecay, penalty: null };
}

/**
 * L2-SP (Li, Grandvalet, Davoine, ICML 2018): alpha/2 |w - w0|^2 over the trunk's parameters, batch norm's scale and offset included,
 * plus beta/2 |w|^2 over the head's. As in the authors' code (train.py) it replaces the optimizer's weight decay.
 */
export function l2sp(backbone: Backbone, alpha: number, beta: number): Regularizer {
  const head = new Set<TF.Variable>([backbone.head.weight, backbone.head.bias]);
  const trunk = Object.entries(backbone.variables).filter(([, variable]) => variable.trainable && !head.has(variable));
  const variables: Record<string, TF.Variable> = {};
  for (const [name, variable] of trunk) variables[`start/${name}`] = tf.tidy(() => tf.variable(variable.clone(), false));
  const penalty = (): TF.Scalar =>
    tf.tidy(() => {
      const moved = trunk.map(([name, variable]) => variable.sub(variables[`start/${name}`]).square().sum());
      const size = [...head].map((variable) => variable.square().sum());
      return tf.addN(moved).mul(alpha / 2).add(tf.addN(size).mul(beta / 2)) as TF.Scalar;
    });
  return { variables, weightDecay: 0, penalty };
}
