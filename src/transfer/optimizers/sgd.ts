// Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD.
import { tf, type TF } from '../../engine/tensorflow';

/** Settings that stay the same over a run. */
export interface SgdOptions {
  /** Weight of the former steps. */
  momentum: number;
  /** L2 coefficient added to the gradient. */
  weightDecay: number;
  /** Nesterov's form: the step looks ahead along the momentum. */
  nesterov: boolean;
}

/**
 * A momentum buffer of zeros for each of `parameters`, under the name `momentum/<name>`. (`fill` makes them in
 * TensorFlow, `zeros` in JavaScript first.)
 */
export function momentumBuffers(parameters: Record<string, TF.Variable>): Record<string, TF.Variable> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, variable]) => [
      `momentum/${name}`,
      tf.tidy(() => tf.variable(tf.fill(variable.shape, 0), false)),
    ]),
  );
}

/**
 * One step: g += weightDecay w; v = momentum v + g; w -= learningRate v (or, with Nesterov, learningRate (g + momentum
 * v)).
 * @param learningRate scalar tensor.
 * @returns the direction in which the variable moved by `learningRate` times its length.
 */
export function sgdStep(
  variable: TF.Variable,
  buffer: TF.Variable,
  gradient: TF.Tensor,
  learningRate: TF.Scalar,
  { momentum, weightDecay, nesterov }: SgdOptions,
): TF.Tensor {
  return tf.tidy(() => {
    const slope = weightDecay === 0 ? gradient : gradient.add(variable.mul(weightDecay));
    // A difference, not a sum of three: TensorFlow's optimiser reorders sums, and compiled steps would round unlike
    // eager ones.
    const velocity = momentum === 0 ? slope : slope.sub(buffer.mul(-momentum));
    const direction = nesterov ? slope.add(velocity.mul(momentum)) : velocity;
    buffer.assign(velocity);
    variable.assign(variable.sub(direction.mul(learningRate)));
    return direction;
  });
}
