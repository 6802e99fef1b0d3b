// Loss scaling of float16: gradients are made larger while they are float16, and a step whose gradients overflowed is
// taken back.
import { choose, halfSquaredNorm } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';

/**
 * The scale of the first step: EfficientNet-Lite0 on photographs overflows from 2^14 on, and no step of it is to be
 * lost.
 */
export const FIRST_SCALE = 2 ** 10;

/** Good steps in a row after which the scale doubles (TensorFlow's and PyTorch's). */
export const GROWTH_INTERVAL = 2000;

/** The largest scale: float32 values of any use stay finite under it. */
const LARGEST_SCALE = 2 ** 24;

/**
 * A dynamic loss scale (Micikevicius et al., ICLR 2018). The smallest float16 with all its digits is 6e-5, and many
 * gradients are smaller: the loss is multiplied by a power of two, and the gradients, float32 again, are divided by it.
 * Both are exact. A gradient that is not finite halves the scale and takes the step back; `GROWTH_INTERVAL` good steps
 * in a row double it.
 */
export interface LossScale {
  /** The scale, and the good steps in a row so far: scalars that a training step changes and a checkpoint holds. */
  variables: Record<string, TF.Variable>;
  /** The loss to differentiate. */
  scale(loss: TF.Scalar): TF.Scalar;
  /** What was scaled along, as it would be without. */
  unscale<T extends TF.Tensor>(value: T): T;
  /** Whether all of `gradients` are finite. */
  isFinite(gradients: TF.Tensor[]): TF.Scalar;
  /**
   * Takes back what was assigned to the variables since `before` (their values then) unless `finite`, and moves the
   * scale.
   */
  settle(finite: TF.Scalar, before: ReadonlyMap<TF.Variable, TF.Tensor>): void;
}

/** A new scale. Its variables are the caller's to dispose. */
export function makeLossScale(): LossScale {
  const scalar = (value: number): TF.Variable<TF.Rank.R0> => tf.tidy(() => tf.variable(tf.scalar(value), false));
  const [scale, goodSteps] = [scalar(FIRST_SCALE), scalar(0)];
  return {
    variables: { 'loss-scale': scale, 'loss-scale/good-steps': goodSteps },
    scale: (loss) => loss.mul(scale),
    unscale: (value) => value.div(scale),
    // Through the norms, which the step's output needs anyway: a sum with one infinite or undefined part is not finite.
    isFinite: (gradients) => tf.tidy(() => tf.addN(gradients.map(halfSquaredNorm)).isFinite<TF.Scalar>()),
    settle(finite, before) {
      tf.tidy(() => {
        for (const [variable, old] of before) variable.assign(choose<TF.Tensor>(finite, variable, old));
        const steps = goodSteps.add<TF.Scalar>(1);
        const grows = steps.greaterEqual<TF.Scalar>(GROWTH_INTERVAL);
        const grown = choose(grows, scale.mul(2).minimum<TF.Scalar>(LARGEST_SCALE), scale);
        scale.assign(choose(finite, grown, scale.mul(0.5).maximum<TF.Scalar>(1)));
        goodSteps.assign(choose(finite, choose(grows, tf.scalar(0), steps), tf.scalar(0)));
      });
    },
  };
}
