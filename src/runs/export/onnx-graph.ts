// A frozen TensorFlow graph of a network as an ONNX graph. Images come in as [batch, height, width, 3]; they are
// transposed once, and everything after has the channels second, as ONNX wants it.
import { DataType } from '../../engine/binding';
import type { FrozenGraph } from '../../engine/graph/freeze';
import type { AttributeValue, GraphNode, GraphTensor } from '../../engine/graph/saved-model';
import { KitError } from '../../base/errors';
import { OnnxType, type OnnxAttribute, type OnnxModel, type OnnxNode, type OnnxTensor } from './onnx-file';

/** Where an axis of [batch, height, width, channels] is in [batch, channels, height, width]. */
const AXIS = [0, 2, 3, 1];

/** Sides, or anything by axis, from channels last to channels second. */
const channelsSecond = <T>([batch, height, width, channels]: readonly T[]): T[] => [batch, channels, height, width];

/**
 * The ONNX graph of `frozen`, whose one input is images [batch, side, side, 3]. The input is uint8.
 * @throws KitError `EXPORT_ONNX_OP` for an op that has no translation.
 */
export function onnxGraph(frozen: FrozenGraph): Omit<OnnxModel, 'metadata'> {
  return new Translation(frozen).model();
}

class Translation {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants: OnnxTensor[] = [];
  /** Constants of the TensorFlow graph by name: each use decides its layout. */
  private readonly tensors = new Map<string, GraphTensor>();
  /** Number of axes of each value. */
  private readonly ranks = new Map<string, number>();

  constructor(private readonly frozen: FrozenGraph) {}

  model(): Omit<OnnxModel, 'metadata'> {
    const { nodes, signature } = this.frozen;
    nodes.forEach((node) => this.translate(node));
    const [[input, { shape }]] = Object.entries(signature.inputs);
    const outputs = Object.entries(signature.outputs).map(
      ([
        name,
        {
          node,
          shape: [, ...sides],
        },
      ]) => {
        if (node !== name) this.nodes.push({ op: 'Identity', inputs: [node], output: name });
        return { name, type: OnnxType.float32, shape: ['batch', ...sides] };
      },
    );
    return {
      nodes: this.nodes,
      constants: this.constants,
      inputs: [{ name: input, type: OnnxType.uint8, shape: ['batch', ...shape.slice(1)] }],
      outputs,
    };
  }

  private translate({ name, op, inputs, attributes }: GraphNode): void {
    const x = inputs[0];
    const rank = this.ranks.get(x) ?? 0;
    const add = (onnx: string, from: string[], given: Record<string, OnnxAttribute> = {}, ranked = rank): void => {
      this.nodes.push({ op: onnx, inputs: from, output: name, attributes: given });
      this.ranks.set(name, ranked);
    };
    switch (op) {
      case 'Placeholder':
        this.ranks.set(name, 4);
        return;
      case 'Const':
        this.tensors.set(name, (attributes.value as { tensor: GraphTensor }).tensor);
        return;
      case 'Cast':
        if (!Object.hasOwn(this.frozen.signature.inputs, x)) return add('Cast', [x], { to: { int: OnnxType.float32 } });
        this.nodes.push({ op: 'Cast', inputs: [x], output: `${name}/pixels`, attributes: { to: { int: 1 } } });
        return add('Transpose', [`${name}/pixels`], { perm: { ints: [0, 3, 1, 2] } });
      case 'Relu':
      case 'Sigmoid':
      case 'Identity':
        return add(op, [x]);
      case 'Softmax':
        return add(op, [x], { axis: { int: -1 } });
      case 'Relu6':
        return add('Clip', [x, this.floats(`${name}/0`, [], [0]), this.floats(`${name}/6`, [], [6])]);
      case 'Add':
      case 'AddV2':
      case 'BiasAdd':
      case 'Sub':
      case 'Mul':
      case 'RealDiv': {
        const both = Math.max(...inputs.map((input) => this.ranks.get(input) ?? 0));
        const names = { Add: 'Add', AddV2: 'Add', BiasAdd: 'Add', Sub: 'Sub', Mul: 'Mul', RealDiv: 'Div' };
        const operands = inputs.map((input) => this.operand(input, both, name));
        return add(names[op], operands, {}, both);
      }
      case 'MatMul':
      case 'BatchMatMulV2':
        return add('MatMul', [x, this.matrix(inputs[1])], {}, 2);
      case 'Conv2D':
        return add('Conv', [x, this.filter(inputs[1], [3, 2, 0, 1])], windowOf(attributes));
      case 'DepthwiseConv2dNative': {
        const [, , channels] = this.tensor(inputs[1]).shape;
        return add('Conv', [x, this.depthwiseFilter(inputs[1])], {
          ...windowOf(attributes),
          group: { int: channels },
        });
      }
      case 'MaxPool':
      case 'AvgPool':
        return add(op === 'MaxPool' ? 'MaxPool' : 'AveragePool', [x], windowOf(attributes));
      case 'FusedBatchNormV3': {
        const parameters = inputs.slice(1, 5).map((input) => this.vector(input));
        const { float: epsilon } = attributes.epsilon as { float: number };
        return add('BatchNormalization', [x, ...parameters], { epsilon: { float: epsilon } });
      }
      case 'Mean': {
        const axes = this.wholes(inputs[1]).map((axis) => this.axisOf(axis, rank));
        const { bool: keeps } = attributes.keep_dims as { bool: boolean };
        const given = { axes: { ints: axes }, keepdims: { int: keeps ? 1 : 0 } };
        return add('ReduceMean', [x], given, keeps ? rank : rank - axes.length);
      }
      case 'Reshape': {
        const sides = this.wholes(inputs[1]);
        const target = sides.length === 4 ? channelsSecond(sides) : sides;
        return add('Reshape', [x, this.longs(`${name}/shape`, target)], {}, sides.length);
      }
      case 'ConcatV2': {
        const [axis] = this.wholes(inputs[inputs.length - 1]);
        return add('Concat', inputs.slice(0, -1), { axis: { int: this.axisOf(axis, rank) } });
      }
      case 'ReverseV2': {
        const axes = this.wholes(inputs[1]).map((axis) => this.axisOf(axis, rank));
        const slices = { from: axes.map(() => -1), to: axes.map(() => -(2 ** 31)), axes, step: axes.map(() => -1) };
        const from = Object.entries(slices).map(([part, values]) => this.longs(`${name}/${part}`, values));
        return add('Slice', [x, ...from]);
      }
      case 'PadV2': {
        const sides = this.wholes(inputs[1]); // [axis][before, after]
        const [before, after] = [0, 1].map((end) => channelsSecond([0, 1, 2, 3].map((axis) => sides[2 * axis + end])));
        const value = floatsOf(this.tensor(inputs[2]));
        return add('Pad', [
          x,
          this.longs(`${name}/pads`, [...before, ...after]),
          this.floats(`${name}/value`, [], value),
        ]);
      }
      default:
        throw new KitError(`The op ${op} of the network has no translation to ONNX.`, {
          code: 'EXPORT_ONNX_OP',
          fix: 'Export as tfjs or savedmodel, and report this.',
        });
    }
  }

  private axisOf(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    return rank === 4 ? AXIS[positive] : positive;
  }

  private tensor(name: string): GraphTensor {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new KitError(`The value ${name} of the network is not a constant.`, {
      code: 'EXPORT_ONNX_OP',
      fix: 'Export as tfjs or savedmodel, and report this.',
    });
  }

  /** The whole numbers of a constant. */
  private wholes(name: string): number[] {
    const { bytes } = this.tensor(name);
    return [...new Int32Array(bytes.slice().buffer)];
  }

  /** An operand of an elementwise op whose result has `rank` axes: a vector of channels gets two sides more. */
  private operand(name: string, rank: number, user: string): string {
    if (!this.tensors.has(name)) return name;
    const { shape } = this.tensor(name);
    const values = floatsOf(this.tensor(name));
    const layout =
      rank !== 4 || shape.length === 0
        ? shape
        : shape.length === 1
          ? [shape[0], 1, 1]
          : channelsSecond([...new Array<number>(4 - shape.length).fill(1), ...shape]);
    if (rank === 4 && shape.length > 1 && shape.slice(0, -1).some((side) => side !== 1))
      throw new KitError(`A constant of shape [${shape.join(', ')}] in the network has no translation to ONNX.`, {
        code: 'EXPORT_ONNX_OP',
        fix: 'Export as tfjs or savedmodel, and report this.',
      });
    return this.floats(`${user}/${name}`, layout, values);
  }

  private vector = (name: string): string => this.floats(name, this.tensor(name).shape, floatsOf(this.tensor(name)));

  private matrix = (name: string): string => (this.tensors.has(name) ? this.vector(name) : name);

  /** A filter [height, width, in, out] as [out, in, height, width]. */
  private filter(name: string, order: readonly number[]): string {
    const { shape } = this.tensor(name);
    return this.floats(
      name,
      order.map((axis) => shape[axis]),
      permuted(floatsOf(this.tensor(name)), shape, order),
    );
  }

  /** A filter [height, width, channels, multiplier] as [channels * multiplier, 1, height, width]. */
  private depthwiseFilter(name: string): string {
    const { shape } = this.tensor(name);
    const [height, width, channels, multiplier] = shape;
    const values = permuted(floatsOf(this.tensor(name)), shape, [2, 3, 0, 1]);
    return this.floats(name, [channels * multiplier, 1, height, width], values);
  }

  private floats(name: string, shape: readonly number[], data: ArrayLike<number>): string {
    return this.keep({ name, shape, data: Float32Array.from(data) });
  }

  private longs(name: string, values: readonly number[]): string {
    return this.keep({ name, shape: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  private keep(tensor: OnnxTensor): string {
    if (!this.constants.some(({ name }) => name === tensor.name)) this.constants.push(tensor);
    return tensor.name;
  }
}

const floatsOf = ({ bytes, dtype }: GraphTensor): Float32Array =>
  dtype === DataType.float32
    ? new Float32Array(bytes.slice().buffer)
    : Float32Array.from(new Int32Array(bytes.slice().buffer));

/** Strides, size and padding of a window, from the attributes of a convolution or a pool. */
function windowOf(attributes: Record<string, AttributeValue>): Record<string, OnnxAttribute> {
  const ints = (name: string): readonly number[] | undefined =>
    (attributes[name] as { ints: readonly number[] } | undefined)?.ints;
  const [, height, width] = ints('strides')!;
  const [kernel, dilations] = [ints('ksize'), ints('dilations')];
  return {
    strides: { ints: [height, width] },
    ...(kernel ? { kernel_shape: { ints: [kernel[1], kernel[2]] } } : {}),
    ...(dilations ? { dilations: { ints: [dilations[1], dilations[2]] } } : {}),
    ...paddingOf((attributes.padding as { string: string }).string, ints('explicit_paddings')),
  };
}

function paddingOf(padding: string, sides: readonly number[] = []): Record<string, OnnxAttribute> {
  if (padding === 'SAME') return { auto_pad: { string: 'SAME_UPPER' } };
  if (padding === 'VALID') return { auto_pad: { string: 'VALID' } };
  const [, , top, bottom, left, right] = sides;
  return { pads: { ints: [top, left, bottom, right] } };
}

/** The elements of a tensor whose axes are put into another `order`. */
function permuted(data: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  const out = new Float32Array(data.length);
  const [a, b, c, d] = order.map((axis) => shape[axis]);
  const [sa, sb, sc, sd] = order.map((axis) => strides[axis]);
  let at = 0;
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++) for (let l = 0; l < d; l++) out[at++] = data[i * sa + j * sb + k * sc + l * sd];
  return out;
}
