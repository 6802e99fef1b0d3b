// The few fused, differentiable ops that a CNN's training step needs, each one TensorFlow op forward and one backward.
import { backend, float, flag, list, text, type, type Attribute } from './binding';
import { tf, type TF } from './tensorflow';

/** Padding of a window: TensorFlow's `same` or `valid`, the same number of zeros on all four sides (as PyTorch), or [[top, bottom], [left, right]]. */
export type Padding = 'same' | 'valid' | number | [[number, number], [number, number]];

/** One TensorFlow kernel with its gradient, in the terms of tfjs's kernel and gradient registries. */
interface FusedOp {
  name: string;
  /** Outputs of the TensorFlow op. */
  run(inputs: Record<string, TF.Tensor>, attributes: Settings): TF.Tensor | TF.Tensor[];
  save: string[];
  /** Which outputs the gradient needs. */
  saveOutputs?: boolean[];
  gradient(dy: TF.Tensor[], saved: TF.Tensor[], attributes: Settings): Record<string, () => TF.Tensor>;
}

type Settings = Record<string, unknown>;

/** Registers `op` with tfjs, whose tape then differentiates it, and returns the function that runs it. */
function fused(op: FusedOp): (inputs: Record<string, TF.Tensor>, attributes?: Settings) => TF.Tensor[] {
  tf.registerKernel({
    kernelName: op.name,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) => op.run(inputs as Record<string, TF.Tensor>, attrs as Settings),
  });
  tf.registerGradient({
    kernelName: op.name,
    inputsToSave: op.save,
    outputsToSave: op.saveOutputs,
    gradFunc: (dy, saved, attrs) => op.gradient(Array.isArray(dy) ? dy : [dy], saved, attrs as Settings),
  });
  return (inputs, attributes = {}) => {
    const outputs = tf.engine().runKernel(op.name, inputs, attributes as TF.NamedAttrMap) as TF.Tensor | TF.Tensor[];
    return Array.isArray(outputs) ? outputs : [outputs];
  };
}

const single = (name: string, attributes: Attribute[], inputs: TF.Tensor[]): TF.Tensor =>
  backend().executeSingleOutput(name, attributes, inputs);

const shapeOf = (shape: number[]): TF.Tensor1D => tf.tensor1d(shape, 'int32');

/** What is added to height and width. */
type ExplicitSides = [[top: number, bottom: number], [left: number, right: number]];
/** Likewise, or as TensorFlow's `SAME` has it. */
type Sides = 'same' | ExplicitSides;

const NO_SIDES: ExplicitSides = [[0, 0], [0, 0]];
const isNone = (sides: ExplicitSides): boolean => sides.flat().every((side) => side === 0);
const sidesOf = (padding: Padding): Sides => (padding === 'valid' ? NO_SIDES : typeof padding === 'number' ? [[padding, padding], [padding, padding]] : padding);

/** TensorFlow's padding attributes, NHWC. */
function paddingAttributes(sides: Sides): Attribute[] {
  if (sides === 'same') return [text('padding', 'SAME')];
  if (isNone(sides)) return [text('padding', 'VALID')];
  return [text('padding', 'EXPLICIT'), list('explicit_paddings', [0, 0, ...sides.flat(), 0, 0])];
}

interface ConvolutionOptions {
  /** Step of the window, both directions. Default 1. */
  stride?: number;
  /** Default `'same'`. */
  padding?: Padding;
  /** Spacing of the filter's taps, both directions. Default 1. */
  dilation?: number;
}

/** A convolution with every choice made. */
interface ConvolutionAttributes {
  stride: number;
  dilation: number;
  sides: Sides;
}

/** What `SAME` adds before and after an axis of `length` for a window of `side` (TensorFlow's framework/kernel_shape_util.cc). */
function samePadding(length: number, side: number, { stride, dilation }: Omit<ConvolutionAttributes, 'sides'>): [number, number] {
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + (side - 1) * dilation + 1 - length, 0);
  return [total >> 1, total - (total >> 1)];
}

/** `'same'` wherever that is what `padding` adds: oneDNN has no gradients for explicit padding, and without it they take twice as long. */
function sidesOfConvolution(x: TF.Tensor4D, filter: TF.Tensor4D, padding: Padding, window: Omit<ConvolutionAttributes, 'sides'>): Sides {
  const sides = sidesOf(padding);
  const same = [0, 1].flatMap((axis) => samePadding(x.shape[axis + 1], filter.shape[axis], window));
  return sides === 'same' || sides.flat().some((side, i) => side !== same[i]) ? sides : 'same';
}

const convolutionAttributes = ({ stride, dilation, sides }: ConvolutionAttributes): Attribute[] => [
  type('T', 'float32'),
  list('strides', [1, stride, stride, 1]),
  list('dilations', [1, dilation, dilation, 1]),
  text('data_format', 'NHWC'),
  ...paddingAttributes(sides),
];

const paddedShape = ([batch, height, width, channels]: number[], [[top, bottom], [left, right]]: ExplicitSides): number[] => [batch, height + top + bottom, width + left + right, channels];
const pad = (x: TF.Tensor, sides: ExplicitSides): TF.Tensor => (isNone(sides) ? x : tf.pad(x, [[0, 0], ...sides, [0, 0]]));
const unpad = (x: TF.Tensor, sides: ExplicitSides, shape: number[]): TF.Tensor => (isNone(sides) ? x : x.slice([0, sides[0][0], sides[1][0], 0], shape));

/** A convolution op: `Conv2D` or `DepthwiseConv2dNative`, whose gradients are named alike. */
function convolution(name: string, tensorflow: string) {
  const run = fused({
    name,
    save: ['x', 'filter'],
    run: ({ x, filter }, o) => single(tensorflow, convolutionAttributes(o as unknown as ConvolutionAttributes), [x, filter]),
    gradient: ([dy], [x, filter], o) => {
      // Explicit padding becomes padding beforehand: oneDNN has no gradients for it.
      const { sides, ...window } = o as unknown as ConvolutionAttributes;
      const [within, added] = sides === 'same' ? (['same', NO_SIDES] as const) : ([NO_SIDES, sides] as const);
      const attributes = convolutionAttributes({ ...window, sides: within });
      return {
        x: () => unpad(single(`${tensorflow}BackpropInput`, attributes, [shapeOf(paddedShape(x.shape, added)), filter, dy]), added, x.shape),
        filter: () => single(`${tensorflow}BackpropFilter`, attributes, [pad(x, added), shapeOf(filter.shape), dy]),
      };
    },
  });
  return (x: TF.Tensor4D, filter: TF.Tensor4D, { stride = 1, dilation = 1, padding = 'same' }: ConvolutionOptions): TF.Tensor4D =>
    run({ x, filter }, { stride, dilation, sides: sidesOfConvolution(x, filter, padding, { stride, dilation }) })[0] as TF.Tensor4D;
}

const runConv2d = convolution('RifleConv2D', 'Conv2D');
const runDepthwise = convolution('RifleDepthwiseConv2D', 'DepthwiseConv2dNative');

/** Convolution of `x` [batch, height, width, in] with `filter` [height, width, in, out]. */
export function conv2d(x: TF.Tensor4D, filter: TF.Tensor4D, options: ConvolutionOptions = {}): TF.Tensor4D {
  return runConv2d(x, filter, options);
}

/** Convolution of every channel of `x` [batch, height, width, channels] with its own `filter` [height, width, channels, 1]. */
export function depthwiseConv2d(x: TF.Tensor4D, filter: TF.Tensor4D, options: Omit<ConvolutionOptions, 'dilation'> = {}): TF.Tensor4D {
  return runDepthwise(x, filter, options);
}

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
    const [dx, dScale, dOffset] = backend().executeMultipleOutputs('FusedBatchNormGradV3', normAttributes(o), [dy, x, scale, ...reserved], 5);
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
 * Batch normalisation of `x` [batch, height, width, channels], as PyTorch's BatchNorm2d: in training the batch's own statistics
 * normalise and the running ones move by `momentum` (variance unbiased); otherwise the running ones normalise.
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
  gradient: ([dy], [x, y], o) => ({ x: () => single('MaxPoolGrad', poolAttributes(o as unknown as PoolOptions), [x, y, dy]) }),
});

/** Largest value in each window of `x` [batch, height, width, channels]. */
export function maxPool(x: TF.Tensor4D, options: PoolOptions): TF.Tensor4D {
  return runMaxPool({ x }, { ...options })[0] as TF.Tensor4D;
}

const runAveragePool = fused({
  name: 'RifleAveragePool',
  save: ['x'],
  run: ({ x }, o) => single('AvgPool', poolAttributes(o as unknown as PoolOptions), [x]),
  gradient: ([dy], [x], o) => ({ x: () => single('AvgPoolGrad', poolAttributes(o as unknown as PoolOptions), [shapeOf(x.shape), dy]) }),
});

/**
 * Mean of each window of `x` [batch, height, width, channels]. A number as padding adds zeros that count in the mean, as PyTorch's
 * `avg_pool2d` has it; `'same'` leaves the padded places out, as TensorFlow has it.
 */
export function averagePool(x: TF.Tensor4D, { padding, ...window }: Omit<PoolOptions, 'padding'> & { padding?: 'same' | 'valid' | number }): TF.Tensor4D {
  if (typeof padding !== 'number' || padding === 0) return runAveragePool({ x }, { ...window, padding: padding || 'valid' })[0] as TF.Tensor4D;
  const sides: [number, number] = [padding, padding];
  return runAveragePool({ x: tf.pad(x, [[0, 0], sides, sides, [0, 0]]) }, window)[0] as TF.Tensor4D;
}

const runGlobalAveragePool = fused({
  name: 'RifleGlobalAveragePool',
  save: ['x'],
  run: ({ x }) => single('Mean', [flag('keep_dims', false), type('T', 'float32'), type('Tidx', 'int32')], [x, shapeOf([1, 2])]),
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
    backend().executeMultipleOutputs('SparseSoftmaxCrossEntropyWithLogits', [type('T', 'float32'), type('Tlabels', 'int32')], [logits, labels], 2),
  gradient: ([dy], [slope]) => ({ logits: () => slope.mul(dy.expandDims(1)), labels: () => tf.zeros([slope.shape[0]]) }),
});

/** Cross entropy of each example, natural log: `logits` [batch, classes] against `labels` [batch] int32, giving [batch]. */
export function softmaxCrossEntropy(logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Tensor1D {
  return runCrossEntropy({ logits, labels })[0] as TF.Tensor1D;
}

/**
 * Uniform random numbers in [0, 1) of `shape`, drawn by TensorFlow from `seed` [2] int32 alone: the same seed, the same numbers.
 * Inside a compiled function, make the seed an argument and give another at each call.
 */
export function statelessUniform(shape: number[], seed: TF.Tensor1D): TF.Tensor {
  return single('StatelessRandomUniform', [type('dtype', 'float32'), type('T', 'int32'), type('Tseed', 'int32')], [shapeOf(shape), seed]);
}

const runSvd = fused({
  name: 'RifleSvd',
  save: [],
  saveOutputs: [false, true, true],
  run: ({ x }) => backend().executeMultipleOutputs('Svd', [type('T', 'float32'), flag('compute_uv', true), flag('full_matrices', false)], [x], 3),
  gradient: ([dy], [u, v]) => ({ x: () => tf.matMul(u.mul(dy), v, false, true) }),
});

/** Singular values of a matrix `x` [m, n], largest first: [min(m, n)]. The gradient of a value is the outer product of its two singular vectors. */
export function singularValues(x: TF.Tensor2D): TF.Tensor1D {
  return runSvd({ x })[0] as TF.Tensor1D;
}

/** Half the sum of squares of `x`, in one op: a scalar. It has no gradient. */
export function halfSquaredNorm(x: TF.Tensor): TF.Scalar {
  return single('L2Loss', [type('T', 'float32')], [x]) as TF.Scalar;
}

/** `a` where the scalar `condition` holds, else `b`, of the same shape. It has no gradient. (`tf.where` would first spread the condition to that shape.) */
export function choose<T extends TF.Tensor>(condition: TF.Scalar, a: T, b: T): T {
  return single('SelectV2', [type('T', 'float32')], [condition, a, b]) as T;
}
