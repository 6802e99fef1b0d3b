// A linear probe: softmax regression on fixed features, fitted by full-batch gradient descent in a compiled step, the
// same every time.
import { setImmediate } from 'node:timers/promises';
import { compile } from '../engine/compile';
import { KitError } from '../base/errors';
import { randomStream } from '../base/random';
import { tf, type TF } from '../engine/tensorflow';
import type { FeatureMatrix } from './cka';

/** How a probe is fitted. */
export interface ProbeOptions {
  /** lambda, the L2 coefficient of the weights; not of the biases. Default 0.01. */
  l2?: number;
  /** Most iterations. Default 2000. */
  iterations?: number;
  /** The fit ends when the gradient's norm is this fraction of the first one. Default 1e-4. */
  tolerance?: number;
  signal?: AbortSignal;
}

/** A fitted probe. */
export interface LinearProbe {
  classes: number;
  /**
   * What is taken off each feature, and what it is divided by then: mean and standard deviation (divisor n) over the
   * images of the fit.
   */
  mean: Float32Array;
  std: Float32Array;
  /** [features, classes], of standardised features. */
  weight: Float32Array;
  /** [classes]. */
  bias: Float32Array;
  l2: number;
  /** Step size: one over a bound of the objective's curvature. */
  rate: number;
  iterations: number;
  /** Norm of the objective's gradient at the end, as a fraction of that at the beginning. */
  gradient: number;
}

/** Iterations in one call of the compiled step. */
const UNROLLED = 20;

/**
 * Fits softmax regression to standardised features: the weights W and biases b that minimise
 *   mean over images of cross entropy(softmax(x W + b), label) + l2 / 2 |W|^2,
 * from zeros, by Nesterov's accelerated gradient descent for strongly convex objectives (Introductory lectures on
 * convex optimization, 2004, scheme
 * 2.2.11), full batch, without chance. The rate is 1 / L with L = lambda_max / 2 + l2, where lambda_max, the largest
 * eigenvalue of the second moments of the standardised features, comes from 100 power iterations with 5 % to spare;
 * half of it bounds the curvature of the softmax (Boehning 1992). A feature that never changes has weight 0.
 * @throws KitError when labels and features are not of the same images; the signal's reason when stopped.
 */
export async function fitProbe(
  features: FeatureMatrix,
  labels: Int32Array,
  classes: number,
  options: ProbeOptions = {},
): Promise<LinearProbe> {
  const { l2 = 0.01, iterations: most = 2000, tolerance = 1e-4, signal } = options;
  const { examples: n, features: d } = features;
  requireLabels(features, labels, classes);
  if (!(l2 > 0))
    throw new KitError(`A probe's L2 coefficient must be above 0, found ${l2}.`, {
      code: 'PROBE_L2',
      fix: 'Give a positive number; without it separable features have no best weights.',
    });
  const { mean, std } = momentsOf(features);
  const variables = tf.tidy(() => ({
    x: tf.variable(tf.tensor2d(standardised(features, mean, std), [n, d]), false),
    y: tf.variable(tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat() as TF.Tensor2D, false),
    weight: tf.variable(tf.zeros([d, classes]), false),
    bias: tf.variable(tf.zeros([classes]), false),
    lastWeight: tf.variable(tf.zeros([d, classes]), false),
    lastBias: tf.variable(tf.zeros([classes]), false),
    direction: tf.variable(tf.tensor2d(Array.from({ length: d }, directionOf()), [d, 1]), false),
  }));
  const { x, y, weight, bias, lastWeight, lastBias, direction } = variables as Record<
    keyof typeof variables,
    TF.Variable<TF.Rank.R2>
  >;
  const gradientAt = (w: TF.Tensor2D, b: TF.Tensor): { w: TF.Tensor2D; b: TF.Tensor } => {
    const error = tf.softmax(tf.matMul(x, w).add(b)).sub<TF.Tensor2D>(y).div<TF.Tensor2D>(n);
    return { w: tf.matMul(x, error, true).add(w.mul(l2)), b: error.sum(0) };
  };
  const scalar = { shape: [], dtype: 'float32' as const };
  try {
    const program = await compile(
      {
        power: {
          args: {},
          run() {
            const image = tf.matMul(x, tf.matMul(x, direction), true).div<TF.Tensor2D>(n);
            const length = image.norm();
            direction.assign(tf.divNoNan(image, length));
            return length;
          },
        },
        gradient: {
          args: {},
          run() {
            const { w, b } = gradientAt(weight, bias);
            return w.square().sum().add(b.square().sum()).sqrt();
          },
        },
        descend: {
          args: { rate: scalar, momentum: scalar },
          run({ rate, momentum }: { rate: TF.Scalar; momentum: TF.Scalar }) {
            for (let i = 0; i < UNROLLED; i++) {
              const ahead = {
                w: weight.add<TF.Tensor2D>(weight.sub(lastWeight).mul(momentum)),
                b: bias.add(bias.sub(lastBias).mul(momentum)),
              };
              const slope = gradientAt(ahead.w, ahead.b);
              lastWeight.assign(weight.clone());
              lastBias.assign(bias.clone());
              weight.assign(ahead.w.sub(slope.w.mul(rate)));
              bias.assign(ahead.b.sub(slope.b.mul(rate)) as TF.Tensor2D);
            }
            return [];
          },
        },
      },
      variables,
    );
    try {
      let largest = 0;
      for (let i = 0; i < 100; i++) largest = numberOf(program.power({}) as TF.Tensor);
      const rate = 1 / (1.05 * 0.5 * Math.max(largest, 1) + l2); // 1: of the bias, whose feature is always 1
      const momentum = (1 - Math.sqrt(rate * l2)) / (1 + Math.sqrt(rate * l2));
      const first = numberOf(program.gradient({}) as TF.Tensor);
      let [gradient, iterations] = [1, 0];
      while (iterations < most && gradient > tolerance) {
        await setImmediate();
        signal?.throwIfAborted();
        program.descend({ rate, momentum });
        iterations += UNROLLED;
        gradient = first === 0 ? 0 : numberOf(program.gradient({}) as TF.Tensor) / first;
      }
      const found = program.read(['weight', 'bias']);
      const values = { weight: found.weight.dataSync<'float32'>(), bias: found.bias.dataSync<'float32'>() };
      tf.dispose(found);
      return { classes, mean, std, ...values, l2, rate, iterations, gradient };
    } finally {
      program.dispose();
    }
  } finally {
    tf.dispose(variables);
  }
}

/** The class that the probe gives each image: the largest logit's, the first of equals. */
export function probeClasses(probe: LinearProbe, features: FeatureMatrix): Int32Array {
  const { classes, mean, std, weight, bias } = probe;
  const { examples: n, features: d } = features;
  if (d !== mean.length)
    throw new KitError(`The probe expects ${mean.length} features, found ${d}.`, {
      code: 'PROBE_FEATURES_MISMATCH',
      fix: 'Give features of the same stage as those of the fit.',
    });
  return tf.tidy(() => {
    const logits = tf
      .matMul(tf.tensor2d(standardised(features, mean, std), [n, d]), tf.tensor2d(weight, [d, classes]))
      .add(bias);
    return logits.argMax(1).dataSync<'int32'>();
  });
}

/** Fraction of images that the probe classifies right, in [0, 1]. */
export function probeTop1(probe: LinearProbe, features: FeatureMatrix, labels: Int32Array): number {
  requireLabels(features, labels, probe.classes);
  const given = probeClasses(probe, features);
  return given.reduce((right, label, i) => right + Number(label === labels[i]), 0) / labels.length;
}

function requireLabels({ examples }: FeatureMatrix, labels: Int32Array, classes: number): void {
  if (labels.length !== examples)
    throw new KitError(`A probe needs one label for each image: found ${examples} images, ${labels.length} labels.`, {
      code: 'PROBE_LABELS_MISMATCH',
      fix: 'Give labels and features of the same images.',
    });
  const wrong = labels.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined)
    throw new KitError(`A label must be from 0 to ${classes - 1}, found ${wrong}.`, {
      code: 'PROBE_LABEL_RANGE',
      fix: 'Give the number of classes of these labels.',
    });
}

/** Mean and standard deviation (divisor n) of each feature, summed in float64. */
function momentsOf({ examples: n, features: d, values }: FeatureMatrix): { mean: Float32Array; std: Float32Array } {
  const [mean, std] = [new Float32Array(d), new Float32Array(d)];
  for (let j = 0; j < d; j++) {
    let [sum, squares] = [0, 0];
    for (let at = j; at < values.length; at += d) sum += values[at];
    for (let at = j; at < values.length; at += d) squares += (values[at] - sum / n) ** 2;
    mean[j] = sum / n;
    std[j] = Math.sqrt(squares / n);
  }
  return { mean, std };
}

/** (value - mean) / std; 0 where std is 0, or lost in rounding. */
function standardised({ features: d, values }: FeatureMatrix, mean: Float32Array, std: Float32Array): Float32Array {
  return Float32Array.from(values, (value, i) =>
    std[i % d] > 1e-6 * Math.abs(mean[i % d]) ? (value - mean[i % d]) / std[i % d] : 0,
  );
}

function directionOf(): () => number {
  const stream = randomStream(0, 'probe');
  return () => stream.normal();
}

function numberOf(tensor: TF.Tensor): number {
  const [value] = tensor.dataSync();
  tensor.dispose();
  return value;
}
