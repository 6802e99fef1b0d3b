// Convolutions, and the padding of windows.
import { list, text, type, type Attribute } from '../binding';
import { fused, shapeOf, single } from './fused-op';
import { tf, type TF } from '../tensorflow';

/**
 * Padding of a window: TensorFlow's `same` or `valid`, the same number of zeros on all four sides (as PyTorch), or
 * [[top, bottom], [left, right]].
 */
export type Padding = 'same' | 'valid' | number | [[number, number], [number, number]];

/** What is added to height and width. */
type ExplicitSides = [[top: number, bottom: number], [left: number, right: number]];
/** Likewise, or as TensorFlow's `SAME` has it. */
type Sides = 'same' | ExplicitSides;

const NO_SIDES: ExplicitSides = [
  [0, 0],
  [0, 0],
];
const isNone = (sides: ExplicitSides): boolean => sides.flat().every((side) => side === 0);
/** The sides that `padding` adds. */
export const sidesOf = (padding: Padding): Sides =>
  padding === 'valid'
    ? NO_SIDES
    : typeof padding === 'number'
      ? [
          [padding, padding],
          [padding, padding],
        ]
      : padding;

/** TensorFlow's padding attributes, NHWC. */
export function paddingAttributes(sides: Sides): Attribute[] {
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

/**
 * What `SAME` adds before and after an axis of `length` for a window of `side` (TensorFlow's
 * framework/kernel_shape_util.cc).
 */
function samePadding(
  length: number,
  side: number,
  { stride, dilation }: Omit<ConvolutionAttributes, 'sides'>,
): [number, number] {
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + (side - 1) * dilation + 1 - length, 0);
  return [total >> 1, total - (total >> 1)];
}

/**
 * `'same'` wherever that is what `padding` adds: oneDNN has no gradients for explicit padding, and without it they take
 * twice as long.
 */
function sidesOfConvolution(
  x: TF.Tensor4D,
  filter: TF.Tensor4D,
  padding: Padding,
  window: Omit<ConvolutionAttributes, 'sides'>,
): Sides {
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

const paddedShape = (
  [batch, height, width, channels]: number[],
  [[top, bottom], [left, right]]: ExplicitSides,
): number[] => [batch, height + top + bottom, width + left + right, channels];
const pad = (x: TF.Tensor, sides: ExplicitSides): TF.Tensor =>
  isNone(sides) ? x : tf.pad(x, [[0, 0], ...sides, [0, 0]]);
const unpad = (x: TF.Tensor, sides: ExplicitSides, shape: number[]): TF.Tensor =>
  isNone(sides) ? x : x.slice([0, sides[0][0], sides[1][0], 0], shape);

/** A convolution op: `Conv2D` or `DepthwiseConv2dNative`, whose gradients are named alike. */
function convolution(name: string, tensorflow: string) {
  const run = fused({
    name,
    save: ['x', 'filter'],
    run: ({ x, filter }, o) =>
      single(tensorflow, convolutionAttributes(o as unknown as ConvolutionAttributes), [x, filter]),
    gradient: ([dy], [x, filter], o) => {
      // Explicit padding becomes padding beforehand: oneDNN has no gradients for it.
      const { sides, ...window } = o as unknown as ConvolutionAttributes;
      const [within, added] = sides === 'same' ? (['same', NO_SIDES] as const) : ([NO_SIDES, sides] as const);
      const attributes = convolutionAttributes({ ...window, sides: within });
      return {
        x: () =>
          unpad(
            single(`${tensorflow}BackpropInput`, attributes, [shapeOf(paddedShape(x.shape, added)), filter, dy]),
            added,
            x.shape,
          ),
        filter: () => single(`${tensorflow}BackpropFilter`, attributes, [pad(x, added), shapeOf(filter.shape), dy]),
      };
    },
  });
  return (
    x: TF.Tensor4D,
    filter: TF.Tensor4D,
    { stride = 1, dilation = 1, padding = 'same' }: ConvolutionOptions,
  ): TF.Tensor4D =>
    run(
      { x, filter },
      { stride, dilation, sides: sidesOfConvolution(x, filter, padding, { stride, dilation }) },
    )[0] as TF.Tensor4D;
}

const runConv2d = convolution('RifleConv2D', 'Conv2D');
const runDepthwise = convolution('RifleDepthwiseConv2D', 'DepthwiseConv2dNative');

/** Convolution of `x` [batch, height, width, in] with `filter` [height, width, in, out]. */
export function conv2d(x: TF.Tensor4D, filter: TF.Tensor4D, options: ConvolutionOptions = {}): TF.Tensor4D {
  return runConv2d(x, filter, options);
}

/**
 * Convolution of every channel of `x` [batch, height, width, channels] with its own `filter` [height, width, channels,
 * 1].
 */
export function depthwiseConv2d(
  x: TF.Tensor4D,
  filter: TF.Tensor4D,
  options: Omit<ConvolutionOptions, 'dilation'> = {},
): TF.Tensor4D {
  return runDepthwise(x, filter, options);
}
