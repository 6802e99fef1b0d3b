// The few fused, differentiable ops that a CNN's training step needs, each one TensorFlow op forward and one backward.
import { backend, float, flag, list, text, type, type Attribute } from '../binding';
import { paddingAttributes, sidesOf, type Padding } from './convolution';
import { fused, shapeOf, single, type Settings } from './fused-op';
import { tf, type TF } from '../tensorflow';

export { conv2d, depthwiseConv2d, type Padding } from './convolution';

const normAttributes = (o: Settings): Attribute[] => [
  type('T', 'float32'),
  type('U', 'float32'),
  float('epsilon', o.epsilon as number),
  text('data_format', 'NHWC'),
  flag('is_training', o.training as boolean),
];

const runBatchNorm = fused({
  name: 'RifleBatchNorm',
  save: ['x', 'scale'],
  saveOutputs: [false, false, false, true, true, true],
  run: ({ x, scale, offset, mean, variance }, o) =>
    backend().executeMultipleOutputs(
      'FusedBatchNormV3',
      [...normAttributes(o), float('exponential_avg_factor', o.momentum as number)],
      [x, scale, offset, mean, variance],
      6,
    ),
  gradient: ([dy], [x, scale, ...reserved], o) => {
    // Here, not in the functions below: tfjs tidies up after each of those.
    const [dx, dScale, dOffset] = backend().executeMultipleOutputs(
      'FusedBatchNormGradV3',
      normAttributes(o),
      [dy, x, scale, ...reserved],
      5,
    );
    const zero = () => tf.zeros(scale.shape);
    return { x: () => dx, scale: () => dScale, offset: () => dOffset, mean: zero, variance: zero };
  },
});

/** What `batchNorm` gives. */
export interface BatchNormResult {
  /** [batch, height, width, channels]. */
  value: TF.Tensor4D;
  /** In training, the running statistics after this batch [channels], kept: the caller disposes them. Else null. */
  mean: TF.Tensor1D | null;
  variance: TF.Tensor1D | null;
}

/**
 * Batch normalisation of `x` [batch, height, width, channels], as PyTorch's BatchNorm2d: in training the batch's own
 * statistics normalise and the running ones move by `momentum` (variance unbiased); otherwise the running ones
 * normalise.
 * @param options.epsilon added to the variance. Default 1e-5.
 * @param options.momentum weight of the batch in the running statistics. Default 0.1 (PyTorch's).
 */
export function batchNorm(
  x: TF.Tensor4D,
  scale: TF.Tensor1D,
  offset: TF.Tensor1D,
  mean: TF.Tensor1D,
  variance: TF.Tensor1D,
  { training, epsilon = 1e-5, momentum = 0.1 }: { training: boolean; epsilon?: number; momentum?: number },
): BatchNormResult {
  const outputs = runBatchNorm({ x, scale, offset, mean, variance }, { training, epsilon, momentum });
  const value = outputs[0] as TF.Tensor4D;
  if (!training) return { value, mean: null, variance: null };
  return { value, mean: tf.keep(outputs[1] as TF.Tensor1D), variance: tf.keep(outputs[2] as TF.Tensor1D) };
}

/** A rectifier, whose gradient needs its output alone. */
const rectifier = (name: string, tensorflow: string) =>
  fused({
    name,
    save: [],
    saveOutputs: [true],
    run: ({ x }) => single(tensorflow, [type('T', 'float32')], [x]),
    gradient: ([dy], [y]) => ({ x: () => single(`${tensorflow}Grad`, [type('T', 'float32')], [dy, y]) }),
  });

const runRelu = rectifier('RifleRelu', 'Relu');
const runRelu6 = rectifier('RifleRelu6', 'Relu6');

/** max(x, 0), any shape. */
export function relu<T extends TF.Tensor>(x: T): T {
  return runRelu({ x })[0] as T;
}

/** min(max(x, 0), 6), any shape. */
export function relu6<T extends TF.Tensor>(x: T): T {
  return runRelu6({ x })[0] as T;
}

const runSilu = fused({
  name: 'RifleSilu',
  save: ['x'],
  run: ({ x }) => tf.tidy(() => x.mul(single('Sigmoid', [type('T', 'float32')], [x]))),
  // The sigmoid is computed again: to keep it would take as much memory as the layer's input.
  gradient: ([dy], [x]) => ({
    x: () => {
      const gate = single('Sigmoid', [type('T', 'float32')], [x]);
      return dy.mul(gate).mul(x.mul(tf.sub(1, gate)).add(1));
    },
  }),
});

/** x sigmoid(x), any shape: SiLU, also called swish (Ramachandran et al. 2017). */
export function silu<T extends TF.Tensor>(x: T): T {
  return runSilu({ x })[0] as T;
}

interface PoolOptions {
  /** Side of the window. */
  size: number;
  /** Default `size`. */
  stride?: number;
  /** Default `'valid'`. Padded places never win. */
  padding?: Padding;
}

const poolAttributes = ({ size, stride = size, padding = 'valid' }: PoolOptions): Attribute[] => [
  type('T', 'float32'),
  list('ksize', [1, size, size, 1]),
  list('strides', [1, stride, stride, 1]),
  text('data_format', 'NHWC'),
  ...paddingAttributes(sidesOf(padding)),
];

const runMaxPool = fused({
  name: 'RifleMaxPool',
  save: ['x'],
  saveOutputs: [true],
  run: ({ x }, o) => single('MaxPool', poolAttributes(o as unknown as PoolOptions), [x]),
  gradient: ([dy], [x, y], o) => ({
    x: () => single('MaxPoolGrad', poolAttributes(o as unknown as PoolOptions), [x, y, dy]),
  }),
});

/** Largest value in each window of `x` [batch, height, width, channels]. */
export function maxPool(x: TF.Tensor4D, options: PoolOptions): TF.Tensor4D {
  return runMaxPool({ x }, { ...options })[0] as TF.Tensor4D;
}

const runAveragePool = fused({
  name: 'RifleAveragePool',
  save: ['x'],
  run: ({ x }, o) => single('AvgPool', poolAttributes(o as unknown as PoolOptions), [x]),
  gradient: ([dy], [x], o) => ({
    x: () => single('AvgPoolGrad', poolAttributes(o as unknown as PoolOptions), [shapeOf(x.shape), dy]),
  }),
});

/**
 * Mean of each window of `x` [batch, height, width, channels]. A number as padding adds zeros that count in the mean,
 * as PyTorch's
 * `avg_pool2d` has it; `'same'` leaves the padded places out, as TensorFlow has it.
 */
export function averagePool(
  x: TF.Tensor4D,
  { padding, ...window }: Omit<PoolOptions, 'padding'> & { padding?: 'same' | 'valid' | number },
): TF.Tensor4D {
  if (typeof padding !== 'number' || padding === 0)
    return runAveragePool({ x }, { ...window, padding: padding || 'valid' })[0] as TF.Tensor4D;
  const sides: [number, number] = [padding, padding];
  return runAveragePool({ x: tf.pad(x, [[0, 0], sides, sides, [0, 0]]) }, window)[0] as TF.Tensor4D;
}

const runGlobalAveragePool = fused({
  name: 'RifleGlobalAveragePool',
  save: ['x'],
  run: ({ x }) =>
    single('Mean', [flag('keep_dims', false), type('T', 'float32'), type('Tidx', 'int32')], [x, shapeOf([1, 2])]),
  gradient: ([dy], [x]) => ({
    x: () => {
      const [batch, height, width, channels] = x.shape;
      const each = dy.div(height * width).reshape([batch, 1, 1, channels]);
      return single('BroadcastTo', [type('T', 'float32'), type('Tidx', 'int32')], [each, shapeOf(x.shape)]);
    },
  }),
});

/** Mean over height and width: [batch, height, width, channels] to [batch, channels]. */
export function globalAveragePool(x: TF.Tensor4D): TF.Tensor2D {
  return runGlobalAveragePool({ x })[0] as TF.Tensor2D;
}

const runCrossEntropy = fused({
  name: 'RifleSoftmaxCrossEntropy',
  save: [],
  saveOutputs: [false, true],
  run: ({ logits, labels }) =>
    backend().executeMultipleOutputs(
      'SparseSoftmaxCrossEntropyWithLogits',
      [type('T', 'float32'), type('Tlabels', 'int32')],
      [logits, labels],
      2,
    ),
  gradient: ([dy], [slope]) => ({
    logits: () => slope.mul(dy.expandDims(1)),
    labels: () => tf.zeros([slope.shape[0]]),
  }),
});

/**
 * Cross entropy of each example, natural log: `logits` [batch, classes] against `labels` [batch] int32, giving [batch].
 */
export function softmaxCrossEntropy(logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Tensor1D {
  return runCrossEntropy({ logits, labels })[0] as TF.Tensor1D;
}

/**
 * Uniform random numbers in [0, 1) of `shape`, drawn by TensorFlow from `seed` [2] int32 alone: the same seed, the same
 * numbers.
 * Inside a compiled function, make the seed an argument and give another at each call.
 */
export function statelessUniform(shape: number[], seed: TF.Tensor1D): TF.Tensor {
  return single(
    'StatelessRandomUniform',
    [type('dtype', 'float32'), type('T', 'int32'), type('Tseed', 'int32')],
    [shapeOf(shape), seed],
  );
}

const runSvd = fused({
  name: 'RifleSvd',
  save: [],
  saveOutputs: [false, true, true],
  run: ({ x }) =>
    backend().executeMultipleOutputs(
      'Svd',
      [type('T', 'float32'), flag('compute_uv', true), flag('full_matrices', false)],
      [x],
      3,
    ),
  gradient: ([dy], [u, v]) => ({ x: () => tf.matMul(u.mul(dy), v, false, true) }),
});

/**
 * Singular values of a matrix `x` [m, n], largest first: [min(m, n)]. The gradient of a value is the outer product of
 * its two singular vectors.
 */
export function singularValues(x: TF.Tensor2D): TF.Tensor1D {
  return runSvd({ x })[0] as TF.Tensor1D;
}

/** Half the sum of squares of `x`, in one op: a scalar. It has no gradient. */
export function halfSquaredNorm(x: TF.Tensor): TF.Scalar {
  return single('L2Loss', [type('T', 'float32')], [x]) as TF.Scalar;
}

/**
 * `a` where the scalar `condition` holds, else `b`, of the same shape. It has no gradient. (`tf.where` would first
 * spread the condition to that shape.)
 */
export function choose<T extends TF.Tensor>(condition: TF.Scalar, a: T, b: T): T {
  return single('SelectV2', [type('T', 'float32')], [condition, a, b]) as T;
}
