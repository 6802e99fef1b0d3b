// The parameters of a network: their names and layouts in the file, their layout in memory, and how a new one is drawn.
import { KitError } from '../base/errors';
import type { RandomStream } from '../base/random';
import type { TF } from '../engine/tensorflow';
import { float32Of, gather, rowMajorStrides, shapeText, sizeOf, type StateTensor } from './weights/readers/state-dict';

/** How the files of a framework name and lay out the parameters of a layer. */
export interface FileConvention {
  /** What follows the layer's name; `depthwise` where that differs from `weight`. */
  suffix: {
    weight: string;
    depthwise?: string;
    bias: string;
    scale: string;
    offset: string;
    mean: string;
    variance: string;
  };
  /**
   * For each axis of the layout in memory, the axis of the file that it comes from; further axes of the file have
   * length 1.
   * In memory: convolution [height, width, in, out], depthwise [height, width, channels, 1], linear [in, out].
   */
  axes: { convolution: number[]; depthwise: number[]; linear: number[]; vector: number[] };
  /** Names in the file that the kit has no use for. */
  ignore?: RegExp;
}

/** PyTorch: convolution [out, in, height, width], depthwise [channels, 1, height, width], linear [out, in]. */
export const torch: FileConvention = {
  suffix: {
    weight: '.weight',
    bias: '.bias',
    scale: '.weight',
    offset: '.bias',
    mean: '.running_mean',
    variance: '.running_var',
  },
  axes: { convolution: [2, 3, 1, 0], depthwise: [2, 3, 0, 1], linear: [1, 0], vector: [0] },
  ignore: /\.num_batches_tracked$/, // counters, used only by an average without momentum
};

/** Keras: the layouts in memory are its own. */
export const keras: FileConvention = {
  suffix: {
    weight: '/kernel',
    bias: '/bias',
    scale: '/gamma',
    offset: '/beta',
    mean: '/moving_mean',
    variance: '/moving_variance',
  },
  axes: { convolution: [0, 1, 2, 3], depthwise: [0, 1, 2, 3], linear: [0, 1], vector: [0] },
};

/** TensorFlow-Slim: layouts in memory, and a head that is a 1x1 convolution [1, 1, in, out]. */
export const slim: FileConvention = {
  suffix: {
    weight: '/weights',
    depthwise: '/depthwise_weights',
    bias: '/biases',
    scale: '/BatchNorm/gamma',
    offset: '/BatchNorm/beta',
    mean: '/BatchNorm/moving_mean',
    variance: '/BatchNorm/moving_variance',
  },
  axes: { convolution: [0, 1, 2, 3], depthwise: [0, 1, 2, 3], linear: [2, 3], vector: [0] },
};

/** Gives `count` first values. */
export type Initializer = (stream: RandomStream, count: number) => Float32Array;

/** Always `value`. */
export const constant =
  (value: number): Initializer =>
  (_, count) =>
    new Float32Array(count).fill(value);

/** `count` numbers in the order in which they are drawn; Float32Array.from takes twice as long. */
function drawn(count: number, draw: () => number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = draw();
  return values;
}

/** Normal with standard deviation sqrt(2 / fanOut): He et al. 2015, for convolutions before rectifiers. */
export const heNormal =
  (fanOut: number): Initializer =>
  (stream, count) =>
    drawn(count, () => stream.normal(0, Math.sqrt(2 / fanOut)));

/** Uniform in +-1/sqrt(fanIn): what torch.nn.Linear draws its weight and its bias from. */
export const linearUniform =
  (fanIn: number): Initializer =>
  (stream, count) =>
    drawn(count, () => stream.uniform(-1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn)));

/** One parameter or running statistic of a network. */
export class Parameter {
  /** The variable that the network uses; set before the first forward pass. */
  variable: TF.Variable | undefined;

  constructor(
    /** The name in the source file. */
    readonly name: string,
    /** In memory. */
    readonly shape: number[],
    /** For each axis in memory, the axis of the file. */
    private readonly axes: number[],
    readonly trainable: boolean,
    private readonly initializer: Initializer,
  ) {}

  /** The shape in the source file. */
  get fileShape(): number[] {
    const shape = Array<number>(Math.max(...this.axes) + 1).fill(1);
    this.axes.forEach((axis, i) => (shape[axis] = this.shape[i]));
    return shape;
  }

  /** The values of the file's `tensor`, in the layout of memory. */
  fromFile(tensor: StateTensor): Float32Array {
    return permute(float32Of(tensor, this.name), tensor.shape, this.axes);
  }

  /** The inverse of `fromFile`. @throws KitError when `values` are not as many as the shape asks for. */
  toFile(values: Float32Array): StateTensor {
    const expected = sizeOf(this.shape);
    if (values.length !== expected)
      throw new KitError(`The parameter "${this.name}" has ${expected} numbers; ${values.length} were given.`, {
        code: 'PARAMETER_SIZE',
        fix: `Give the numbers of a tensor of the shape ${shapeText(this.shape)}.`,
      });
    const inFileOrder = [...this.axes.keys()].sort((a, b) => this.axes[a] - this.axes[b]);
    return { shape: this.fileShape, dtype: 'float32', data: permute(values, this.shape, inFileOrder) };
  }

  /** New values, drawn from `stream` in the layout of memory. */
  draw(stream: RandomStream): Float32Array {
    return this.initializer(stream, sizeOf(this.shape));
  }
}

/** Number of trainable numbers in a network. */
export function countTrainable(parameters: Iterable<Parameter>): number {
  let count = 0;
  for (const { trainable, shape } of parameters) if (trainable) count += sizeOf(shape);
  return count;
}

/**
 * The row-major elements of an array of `shape` with its axes in another order: axis i of the result is axis `axes[i]`
 * of `data`.
 */
export function permute(data: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  if (axes.every((axis, i) => axis === i)) return data;
  const strides = rowMajorStrides(shape);
  return gather(
    data,
    new Float32Array(data.length),
    0,
    axes.map((axis) => shape[axis]),
    axes.map((axis) => strides[axis]),
  );
}
