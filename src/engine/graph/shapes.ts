// Shapes of what TensorFlow's ops give, from the shapes of what they take: so that a function is recorded without
// computing anything.
import { DataType } from '../binding';
import type { AttributeValue, GraphNode } from './saved-model';

/** What is known of a tensor that was never computed. */
export interface TensorShape {
  shape: readonly number[];
  dtype: number;
  /** The values of a constant of whole numbers; some ops (Reshape, Mean, ...) take a shape or axes so. */
  ints?: readonly number[];
}

/**
 * A recorded graph: its nodes, each after those that it reads, and what is known of their outputs (by `node` or
 * `node:output`).
 */
export interface Graph {
  nodes: readonly GraphNode[];
  shapes: ReadonlyMap<string, TensorShape>;
}

type Attributes = Readonly<Record<string, AttributeValue>>;
type Rule = (
  inputs: readonly TensorShape[],
  attributes: Attributes,
) => (Pick<TensorShape, 'shape' | 'dtype'> | undefined)[];

const ints = (value: AttributeValue): readonly number[] => (value as { ints: readonly number[] }).ints;
const bool = (value: AttributeValue | undefined): boolean => value !== undefined && (value as { bool: boolean }).bool;
const int = (value: AttributeValue): number => (value as { int: number }).int;
const typeOf = (value: AttributeValue): number => (value as { type: number }).type;

const size = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);
const fromEnd = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The shape that tensors of `shapes` have together, sides of 1 being repeated. */
function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.map((shape) => shape[i - rank + shape.length] ?? 1).reduce((side, other) => (side === 1 ? other : side)),
  );
}

const likeFirst: Rule = ([x]) => [x];
const elementwise: Rule = (inputs) => [{ shape: broadcast(inputs.map(({ shape }) => shape)), dtype: inputs[0].dtype }];
const comparison: Rule = (inputs) => [{ shape: broadcast(inputs.map(({ shape }) => shape)), dtype: DataType.bool }];
const choice: Rule = (inputs) => [{ shape: broadcast(inputs.map(({ shape }) => shape)), dtype: inputs[1].dtype }];

/** Of the shape that input `which` holds as numbers. */
const asNumbersSay =
  (which: number, dtype: (inputs: readonly TensorShape[], attributes: Attributes) => number): Rule =>
  (inputs, attributes) => [inputs[which].ints && { shape: inputs[which].ints, dtype: dtype(inputs, attributes) }];

const reduction: Rule = ([x, axes], attributes) => {
  if (axes.ints === undefined) return [undefined];
  const gone = new Set(axes.ints.map((axis) => fromEnd(axis, x.shape.length)));
  const shape = bool(attributes.keep_dims)
    ? x.shape.map((side, i) => (gone.has(i) ? 1 : side))
    : x.shape.filter((_, i) => !gone.has(i));
  return [{ shape, dtype: x.dtype }];
};

/** Height and width after a window has moved over [batch, height, width, channels]. */
function windowed(x: readonly number[], window: readonly [number, number], attributes: Attributes): [number, number] {
  const strides = ints(attributes.strides);
  const dilations = attributes.dilations === undefined ? [1, 1, 1, 1] : ints(attributes.dilations);
  const padding = (attributes.padding as { string: string }).string;
  const along = (axis: 1 | 2): number => {
    if (padding === 'SAME') return Math.ceil(x[axis] / strides[axis]);
    const explicit = padding === 'EXPLICIT' ? ints(attributes.explicit_paddings) : undefined;
    const padded = x[axis] + (explicit === undefined ? 0 : explicit[2 * axis] + explicit[2 * axis + 1]);
    return Math.floor((padded - (window[axis - 1] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  };
  return [along(1), along(2)];
}

const convolution =
  (channels: (filter: readonly number[]) => number): Rule =>
  ([x, filter], attributes) => {
    const [height, width] = windowed(x.shape, [filter.shape[0], filter.shape[1]], attributes);
    return [{ shape: [x.shape[0], height, width, channels(filter.shape)], dtype: x.dtype }];
  };

const pool: Rule = ([x], attributes) => {
  const [, high, wide] = ints(attributes.ksize);
  const [height, width] = windowed(x.shape, [high, wide], attributes);
  return [{ shape: [x.shape[0], height, width, x.shape[3]], dtype: x.dtype }];
};

const matrixProduct =
  (transposeA: string, transposeB: string): Rule =>
  ([a, b], attributes) => {
    const [rows, columns] = [bool(attributes[transposeA]) ? -1 : -2, bool(attributes[transposeB]) ? -2 : -1];
    return [
      {
        shape: [...broadcast([a.shape.slice(0, -2), b.shape.slice(0, -2)]), a.shape.at(rows)!, b.shape.at(columns)!],
        dtype: a.dtype,
      },
    ];
  };

const normalisation: Rule = ([x, scale]) => {
  const statistic = { shape: scale.shape, dtype: scale.dtype };
  return [x, statistic, statistic, statistic, statistic, { shape: [0], dtype: scale.dtype }];
};

const normalisationGradient: Rule = ([, x, scale]) => {
  const vector = { shape: scale.shape, dtype: scale.dtype };
  const nothing = { shape: [0], dtype: scale.dtype };
  return [x, vector, vector, nothing, nothing];
};

const reshaped: Rule = ([x, { ints: wanted }]) => {
  if (wanted === undefined) return [undefined];
  const rest = size(x.shape) / size(wanted.filter((side) => side !== -1));
  return [{ shape: wanted.map((side) => (side === -1 ? rest : side)), dtype: x.dtype }];
};

const sliced: Rule = ([x, begin, lengths]) => [
  begin.ints &&
    lengths.ints && {
      shape: lengths.ints.map((length, i) => (length === -1 ? x.shape[i] - begin.ints![i] : length)),
      dtype: x.dtype,
    },
];

const padded: Rule = ([x, { ints: sides }]) => [
  sides && { shape: x.shape.map((side, i) => side + sides[2 * i] + sides[2 * i + 1]), dtype: x.dtype },
];

const transposed: Rule = ([x, { ints: order }]) => [
  order && { shape: order.map((axis) => x.shape[axis]), dtype: x.dtype },
];

const expanded: Rule = ([x, { ints: axes }]) => {
  if (axes === undefined) return [undefined];
  const at = axes[0] < 0 ? axes[0] + x.shape.length + 1 : axes[0];
  return [{ shape: [...x.shape.slice(0, at), 1, ...x.shape.slice(at)], dtype: x.dtype }];
};

const concatenated: Rule = (inputs) => {
  const parts = inputs.slice(0, -1);
  const { ints: axes } = inputs[inputs.length - 1];
  if (axes === undefined) return [undefined];
  const axis = fromEnd(axes[0], parts[0].shape.length);
  return [
    {
      shape: parts[0].shape.map((side, i) => (i === axis ? parts.reduce((sum, part) => sum + part.shape[i], 0) : side)),
      dtype: parts[0].dtype,
    },
  ];
};

const split: Rule = ([x, { ints: lengths }, { ints: axes }]) => {
  if (lengths === undefined || axes === undefined) return [undefined];
  const axis = fromEnd(axes[0], x.shape.length);
  return lengths.map((length) => ({ shape: x.shape.map((side, i) => (i === axis ? length : side)), dtype: x.dtype }));
};

const squeezed: Rule = ([x], attributes) => {
  const gone = ints(attributes.squeeze_dims).map((axis) => fromEnd(axis, x.shape.length));
  return [{ shape: x.shape.filter((side, i) => (gone.length > 0 ? !gone.includes(i) : side !== 1)), dtype: x.dtype }];
};

const stacked: Rule = (inputs, attributes) => {
  const at = fromEnd(int(attributes.axis), inputs[0].shape.length + 1);
  return [
    { shape: [...inputs[0].shape.slice(0, at), inputs.length, ...inputs[0].shape.slice(at)], dtype: inputs[0].dtype },
  ];
};

const largestPlace: Rule = ([x, { ints: axes }], attributes) => [
  axes && {
    shape: x.shape.filter((_, i) => i !== fromEnd(axes[0], x.shape.length)),
    dtype: typeOf(attributes.output_type),
  },
];

const all = (names: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

/** The ops that a network's steps are made of. */
const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...all(
      'Identity Relu Relu6 ReluGrad Relu6Grad Sigmoid Tanh Neg Abs Square Sqrt Rsqrt Reciprocal Exp Log Sign Floor ' +
        'ZerosLike OnesLike LogicalNot Softmax LogSoftmax AddN MaxPoolGrad',
      likeFirst,
    ),
    ...all('Add AddV2 Sub Mul Div RealDiv Maximum Minimum Pow SquaredDifference', elementwise),
    ...all('Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr', comparison),
    ...all('Select SelectV2', choice),
    ...all('Sum Mean Max Min Prod All Any', reduction),
    ...all('MaxPool AvgPool', pool),
    ...all(
      'BroadcastTo',
      asNumbersSay(1, ([x]) => x.dtype),
    ),
    ...all(
      'Fill',
      asNumbersSay(0, ([, value]) => value.dtype),
    ),
    ...all(
      'Conv2DBackpropInput DepthwiseConv2dNativeBackpropInput',
      asNumbersSay(0, ([, filter]) => filter.dtype),
    ),
    ...all(
      'Conv2DBackpropFilter DepthwiseConv2dNativeBackpropFilter',
      asNumbersSay(1, ([x]) => x.dtype),
    ),
    ...all(
      'AvgPoolGrad',
      asNumbersSay(0, ([, dy]) => dy.dtype),
    ),
    ...all(
      'StatelessRandomUniform',
      asNumbersSay(0, (_, attributes) => typeOf(attributes.dtype)),
    ),
    Conv2D: convolution((filter) => filter[3]),
    DepthwiseConv2dNative: convolution((filter) => filter[2] * filter[3]),
    FusedBatchNormV3: normalisation,
    FusedBatchNormGradV3: normalisationGradient,
    MatMul: matrixProduct('transpose_a', 'transpose_b'),
    BatchMatMulV2: matrixProduct('adj_x', 'adj_y'),
    SparseSoftmaxCrossEntropyWithLogits: ([logits]) => [
      { shape: logits.shape.slice(0, 1), dtype: logits.dtype },
      logits,
    ],
    L2Loss: ([x]) => [{ shape: [], dtype: x.dtype }],
    Cast: ([x], attributes) => [{ shape: x.shape, dtype: typeOf(attributes.DstT) }],
    Reshape: reshaped,
    Slice: sliced,
    Pad: padded,
    PadV2: padded,
    Transpose: transposed,
    ExpandDims: expanded,
    Squeeze: squeezed,
    ConcatV2: concatenated,
    SplitV: split,
    Pack: stacked,
    ArgMax: largestPlace,
  }),
);

/** Shapes and types of what `op` gives for `inputs`; undefined when that takes running it. */
export function outputShapes(
  op: string,
  inputs: readonly TensorShape[],
  attributes: Attributes,
): Pick<TensorShape, 'shape' | 'dtype'>[] | undefined {
  const outputs = RULES.get(op)?.(inputs, attributes);
  if (outputs === undefined || outputs.includes(undefined)) return undefined;
  return outputs.map((output) => ({ shape: output!.shape, dtype: output!.dtype }));
}
