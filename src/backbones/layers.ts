// The vocabulary in which families are written: layers that know their parameters by name, and ways to combine them.
import * as ops from '../engine/ops/ops';
import type { Padding } from '../engine/ops/ops';
import { tf, type TF } from '../engine/tensorflow';
import { constant, heNormal, linearUniform, Parameter, type FileConvention, type Initializer } from './parameters';
import type { ForwardHooks, StatisticUpdate } from './record';

/** One forward pass: how to run, and the results that it collects. */
export interface Pass {
  training: boolean;
  hooks: ForwardHooks;
  updates: StatisticUpdate[];
  taps: Record<string, TF.Tensor4D>;
  /** In training, the input of the auxiliary head before the mean over positions. */
  auxiliary: TF.Tensor4D | null;
}

/** A layer, or several put together: [batch, height, width, channels] to the same kind. */
export type Layer = (x: TF.Tensor4D, pass: Pass) => TF.Tensor4D;

/** A network that classifies: the trunk's last feature map is averaged over its positions, and the head reads that. */
export interface Network {
  /** Every parameter and running statistic by its name in the source file, in the order of the network. */
  parameters: ReadonlyMap<string, Parameter>;
  convention: FileConvention;
  trunk: Layer;
  /** Number of blocks that add a shortcut. */
  residualBlocks: number;
  head: { weight: Parameter; bias: Parameter };
  /** The head of the auxiliary classifier, where there is one. */
  auxiliaryHead: Network['head'] | null;
  /**
   * Logits [batch, classes] of the trunk's last feature map, where they are not linear in its average: with a rectifier
   * between, for example. Default: features times weight plus bias.
   */
  classify?(map: TF.Tensor4D, weight: TF.Tensor2D, bias: TF.Tensor1D): TF.Tensor2D;
}

/** What a convolution needs besides its name. */
export interface ConvolutionSettings {
  /** Side of the square filter, or its height and width. */
  size: number | [height: number, width: number];
  inputs: number;
  outputs: number;
  /** Default 1. */
  stride?: number;
  /** Default `'same'`. */
  padding?: Padding;
  /** Whether a bias is added. Default false: batch normalisation follows. */
  bias?: boolean;
}

/** What a depthwise convolution needs besides its name. */
export interface DepthwiseSettings {
  /** Side of the square filter. */
  size: number;
  channels: number;
  /** Default 1. */
  stride?: number;
  /** Default `'same'`. */
  padding?: Padding;
}

const sides = (size: number | [number, number]): [number, number] => (typeof size === 'number' ? [size, size] : size);

/** The padding that PyTorch's networks give to a filter of odd size: half of it on each side, whatever the stride. */
export function around(size: number | [height: number, width: number]): Padding {
  const [vertical, horizontal] = sides(size).map((side) => (side - 1) / 2);
  return [
    [vertical, vertical],
    [horizontal, horizontal],
  ];
}

/** Makes the layers of one network and keeps its parameters, named as the files of one framework name them. */
export class LayerFactory {
  readonly parameters = new Map<string, Parameter>();
  /** Made so far. */
  residualBlocks = 0;
  private auxiliaryHead: Network['head'] | null = null;

  constructor(
    readonly convention: FileConvention,
    private readonly norm: { epsilon: number; momentum: number },
  ) {}

  /** A convolution, [batch, height, width, inputs] to [batch, height / stride, width / stride, outputs]. */
  conv(
    name: string,
    { size, inputs, outputs, stride = 1, padding = 'same', bias = false }: ConvolutionSettings,
  ): Layer {
    const { suffix, axes } = this.convention;
    const [height, width] = sides(size);
    const filter = this.parameter(
      name + suffix.weight,
      [height, width, inputs, outputs],
      axes.convolution,
      heNormal(height * width * outputs),
    );
    const convolve: Layer = (x) => ops.conv2d(x, value(filter), { stride, padding });
    if (!bias) return convolve;
    const offset = this.parameter(name + suffix.bias, [outputs], axes.vector, constant(0));
    return (x, pass) => tf.add(convolve(x, pass), value(offset));
  }

  /** A convolution of every channel with a filter of its own. */
  depthwiseConv(name: string, { size, channels, stride = 1, padding = 'same' }: DepthwiseSettings): Layer {
    const { suffix, axes } = this.convention;
    const filter = this.parameter(
      name + (suffix.depthwise ?? suffix.weight),
      [size, size, channels, 1],
      axes.depthwise,
      heNormal(size * size),
    );
    return (x) => ops.depthwiseConv2d(x, value(filter), { stride, padding });
  }

  /** Batch normalisation; in training it adds its new running statistics to the pass. */
  batchNorm(name: string, channels: number): Layer {
    const { suffix, axes } = this.convention;
    const vector = (ending: string, first: number, trainable: boolean) =>
      this.parameter(name + ending, [channels], axes.vector, constant(first), trainable);
    const [scale, offset] = [vector(suffix.scale, 1, true), vector(suffix.offset, 0, true)];
    const [mean, variance] = [vector(suffix.mean, 0, false), vector(suffix.variance, 1, false)];
    return (x, { training, updates }) => {
      const { epsilon, momentum } = this.norm;
      const result = ops.batchNorm(x, value(scale), value(offset), value(mean), value(variance), {
        training,
        epsilon,
        momentum,
      });
      if (result.mean) updates.push({ variable: mean.variable!, value: result.mean });
      if (result.variance) updates.push({ variable: variance.variable!, value: result.variance });
      return result.value;
    };
  }

  /**
   * main(x) + shortcut(x): what a residual block computes. Blocks count in the order in which they are made: input side
   * first.
   */
  residual(main: Layer, shortcut: Layer = identity): Layer {
    const block = this.residualBlocks++;
    return (x, pass) => {
      const branch = main(x, pass);
      return tf.add(pass.hooks.residual?.(branch, block) ?? branch, shortcut(x, pass));
    };
  }

  /** The parameters of a linear head, [inputs] features to [outputs] logits. */
  head(name: string, inputs: number, outputs: number): Network['head'] {
    const { suffix, axes } = this.convention;
    return {
      weight: this.parameter(name + suffix.weight, [inputs, outputs], axes.linear, linearUniform(inputs)),
      bias: this.parameter(name + suffix.bias, [outputs], axes.vector, linearUniform(inputs)),
    };
  }

  /** A second classifier here: in training `trunk` reads the layer's input, and a head the mean of its output. */
  auxiliary(trunk: Layer, name: string, inputs: number, outputs: number): Layer {
    this.auxiliaryHead = this.head(name, inputs, outputs);
    return (x, pass) => {
      if (pass.training) pass.auxiliary = trunk(x, pass);
      return x;
    };
  }

  /** The network of the layers made so far, around `trunk`, without its head. */
  network(trunk: Layer): Omit<Network, 'head'> {
    const { parameters, convention, residualBlocks, auxiliaryHead } = this;
    return { parameters, convention, trunk, residualBlocks, auxiliaryHead };
  }

  private parameter(
    name: string,
    shape: number[],
    axes: number[],
    initializer: Initializer,
    trainable = true,
  ): Parameter {
    const parameter = new Parameter(name, shape, axes, trainable, initializer);
    this.parameters.set(name, parameter);
    return parameter;
  }
}

/** The variable of a parameter, as the kind of tensor that an op wants. */
const value = <T extends TF.Tensor>(parameter: Parameter): T => parameter.variable as TF.Tensor as T;

/** One layer after the other. */
export const chain =
  (...layers: Layer[]): Layer =>
  (x, pass) =>
    layers.reduce((y, layer) => layer(y, pass), x);

/** The input as it is. */
export const identity: Layer = (x) => x;

/** max(x, 0). */
export const relu: Layer = (x) => ops.relu(x);

/** min(max(x, 0), 6). */
export const relu6: Layer = (x) => ops.relu6(x);

/** x sigmoid(x). */
export const silu: Layer = (x) => ops.silu(x);

/** 1 / (1 + exp(-x)). */
export const sigmoid: Layer = (x) => tf.sigmoid(x);

/** Mean over all positions: [batch, height, width, channels] to [batch, 1, 1, channels]. */
export const squeeze: Layer = (x) => ops.globalAveragePool(x).reshape([x.shape[0], 1, 1, x.shape[3]]);

/** Mean of each window; zeros that pad count. */
export const averagePool =
  (options: { size: number; stride: number; padding?: number }): Layer =>
  (x) =>
    ops.averagePool(x, options);

/** Every layer on the same input, and their channels side by side. */
export const branches =
  (...layers: Layer[]): Layer =>
  (x, pass) =>
    tf.concat(
      layers.map((layer) => layer(x, pass)),
      3,
    );

/** Largest value in each window; padding never wins. */
export const maxPool =
  (options: { size: number; stride: number; padding: Padding }): Layer =>
  (x) =>
    ops.maxPool(x, options);

/** Gives its input to the caller of the forward pass, under `name`. */
export const tap =
  (name: string): Layer =>
  (x, pass) =>
    (pass.taps[name] = pass.hooks.tap?.(x, name) ?? x);
