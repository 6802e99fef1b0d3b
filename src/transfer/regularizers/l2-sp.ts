// L2-SP (Li, Grandvalet, Davoine, ICML 2018): weights stay near their pretrained values.
import { z } from 'zod';
import { tf, type TF } from '../../engine/tensorflow';
import { defineRegularizer, headDecay, newlyDrawn } from './regularizer';

const coefficient = z.number().min(0);

/**
 * L2-SP: alpha/2 |w - w0|^2 over the trunk's parameters (scale and offset of batch norm included), plus beta/2 |w|^2
 * over the head's. As in the authors' code (train.py) it replaces the optimizer's weight decay.
 */
export const l2sp = defineRegularizer({
  name: 'l2-sp',
  title: 'L2-SP',
  source: 'Li, Grandvalet, Davoine, ICML 2018; alpha and beta: lixingjian/RIFLE, train.py (commit ba10be2)',
  options: z.strictObject({ alpha: coefficient.default(0.01), beta: coefficient.default(1e-4) }),
  weightDecay: () => 0,
  create({ alpha, beta }, { backbone }) {
    const head = new Set(newlyDrawn(backbone));
    const trunk = Object.entries(backbone.variables).filter(
      ([, variable]) => variable.trainable && !head.has(variable),
    );
    const variables: Record<string, TF.Variable> = {};
    for (const [name, variable] of trunk)
      variables[`start/${name}`] = tf.tidy(() => tf.variable(variable.clone(), false));
    return {
      variables,
      penalty: () =>
        tf.tidy(() => {
          const moved = trunk.map(([name, variable]) => variable.sub(variables[`start/${name}`]).square().sum());
          return tf
            .addN(moved)
            .mul(alpha / 2)
            .add<TF.Scalar>(headDecay(backbone, beta));
        }),
    };
  },
});
