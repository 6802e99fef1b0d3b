// The head: the last linear layer, from features to classes, and what its values are drawn from.
import type { RandomStream } from '../base/random';
import type { HeadDistribution } from './spec';

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
