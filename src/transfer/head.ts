// The head: the last linear layer, from features to classes, and the distributions of its values.
import type { RandomStream } from '../base/random';

/** The distribution of a new head; d is the number of features, C of classes. */
export type HeadDistribution =
  /** PyTorch's nn.Linear: uniform in +-1/sqrt(d), weight and bias. */
  | 'pytorch-linear'
  /** Normal, std sqrt(2/d) for the weight and sqrt(2/C) for the bias (haozhe-an's code). */
  | 'kaiming-normal'
  /** Uniform in +-1/sqrt(C) (PaddleTransfer's code, whose weight is stored [d, C]). */
  | 'uniform-classes';

/** Values of a head: `weight` [features, classes] row by row, and `bias` [classes]. */
export interface HeadValues {
  weight: Float32Array;
  bias: Float32Array;
}

/** Draws one number for a weight or a bias of a head with d `features` and C `classes`. */
type Draw = (stream: RandomStream, features: number, classes: number, part: 'weight' | 'bias') => number;

const DRAWS: Record<HeadDistribution, Draw> = {
  'pytorch-linear': (stream, features) => stream.uniform(-1 / Math.sqrt(features), 1 / Math.sqrt(features)),
  'kaiming-normal': (stream, features, classes, part) =>
    stream.normal(0, Math.sqrt(2 / (part === 'weight' ? features : classes))),
  'uniform-classes': (stream, _features, classes) => stream.uniform(-1 / Math.sqrt(classes), 1 / Math.sqrt(classes)),
};

/** A head drawn from `distribution`: the weight first, then the bias. */
export function drawHead(
  distribution: HeadDistribution,
  features: number,
  classes: number,
  stream: RandomStream,
): HeadValues {
  const draw = DRAWS[distribution];
  const weight = Float32Array.from({ length: features * classes }, () => draw(stream, features, classes, 'weight'));
  const bias = Float32Array.from({ length: classes }, () => draw(stream, features, classes, 'bias'));
  return { weight, bias };
}
