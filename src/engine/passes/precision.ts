// Mixed precision: rewrites a recorded graph so that its networks compute in bfloat16 or float16, and what must stay
// exact in float32.
import { DataType } from '../binding';
import type { GraphNode } from '../graph/saved-model';
import type { Graph, TensorShape } from '../graph/shapes';
import { dataInputs, producerOf } from '../graph/graph-index';

/** What a compiled program computes in. */
export const PRECISIONS = ['float32', 'bfloat16', 'float16'] as const;

/** One of `PRECISIONS`. */
export type Precision = (typeof PRECISIONS)[number];

/** TensorFlow's numbers of the two (types.proto). */
const LOW = { bfloat16: 14, float16: 19 } as const;

/**
 * Of float16 (IEEE 754 binary16): smallest number with all its digits, largest number. bfloat16 reaches as far as
 * float32.
 */
const HALF_RANGE = [2 ** -14, 65504] as const;

/** Which tensors of an op have the type that is lowered: all but those named. */
interface Lowered {
  /** Inputs of another type, by position; from the end where negative. */
  otherInputs?: readonly number[];
  /** The outputs. Default: all. */
  outputs?: readonly number[];
  /** Attributes that hold the type. Default `T`. */
  types?: readonly string[];
}

/**
 * Ops that are always lowered: nearly all the arithmetic of a step, in sums that both oneDNN and the tensor cores of a
 * card keep in float32. Their gradients are the same kind of op.
 */
const ALLOW: Readonly<Record<string, Lowered>> = {
  Conv2D: {},
  Conv2DBackpropInput: { otherInputs: [0] },
  Conv2DBackpropFilter: { otherInputs: [1] },
  DepthwiseConv2dNative: {},
  DepthwiseConv2dNativeBackpropInput: { otherInputs: [0] },
  DepthwiseConv2dNativeBackpropFilter: { otherInputs: [1] },
  MatMul: {},
  BatchMatMulV2: {},
};

/**
 * Ops that follow their inputs: lowered where one of them is. They move values, or make each value of a few others, so
 * that a float32 in between would double the traffic of memory and keep nothing of use. Batch norm is here with its
 * images alone: scale, offset and statistics (its type
 * `U`) are float32, and so are the sums over a batch inside.
 */
const INFER: Readonly<Record<string, Lowered>> = {
  FusedBatchNormV3: { otherInputs: [1, 2, 3, 4], outputs: [0] },
  FusedBatchNormGradV3: { otherInputs: [2, 3, 4, 5], outputs: [0] },
  Relu: {},
  ReluGrad: {},
  Relu6: {},
  Relu6Grad: {},
  Sigmoid: {},
  Add: {},
  AddV2: {},
  AddN: {},
  Sub: {},
  Mul: {},
  RealDiv: {},
  MaxPool: {},
  MaxPoolGrad: {},
  AvgPool: {},
  AvgPoolGrad: { otherInputs: [0] },
  Identity: {},
  Reshape: { otherInputs: [1] },
  ExpandDims: { otherInputs: [1] },
  Squeeze: {},
  Transpose: { otherInputs: [1] },
  PadV2: { otherInputs: [1] },
  Slice: { otherInputs: [1, 2] },
  ConcatV2: { otherInputs: [-1] },
  SplitV: { otherInputs: [1, 2] },
  BroadcastTo: { otherInputs: [1] },
  Tile: { otherInputs: [1] },
  SelectV2: { otherInputs: [0] },
  Cast: { types: ['SrcT', 'DstT'] },
};

/** Ops that set a variable. What leads to them through ops of INFER alone is the update, which stays float32. */
const SETS_VARIABLE = /^(Assign(Add|Sub)?VariableOp|ResourceApply\w+)$/;

/**
 * `graph` so that its networks compute in `precision`.
 *
 * - Every op in ALLOW is lowered, and every op in INFER that one lowered value reaches. Casts go in between, one for
 * each value and direction.
 * - All others stay float32 (the deny list is what is not named): sums, means and norms (`Sum`, `Mean`, `L2Loss`),
 * which add up more numbers than 8 or 11 bits can count; softmax and cross entropy, whose exponentials overflow float16
 * above 11; squares and `Svd` of the
 *   regularisers; random numbers,
 *   comparisons.
 * - Variables are float32, and what is read of them is cast: weights, momentum and batch norm's statistics are master
 * copies that lose nothing to
 *   rounding. A gradient is cast back before it meets the weight decay, the momentum, or its norm.
 * - What nobody in the graph reads is fetched by the caller, and stays float32.
 * - Not lowered, though in INFER: a difference of two computed values (how far a feature moved, as DELTA has it: near
 * values cancel and leave the
 *   rounding alone), and in float16 an op with a constant beyond its range.
 *
 * The type of a value changes and nothing else: names, order, what is fetched and what waits for what stay the same.
 *
 * TensorFlow has such a pass itself (`auto_mixed_precision` of its graph optimizer). It is switched on in the
 * configuration of a session, and tfjs-node's binding opens a SavedModel with an empty one, which no environment
 * variable changes; nor does it know of master weights or of what of a graph is the update.
 */
export function lowerPrecision(graph: Graph, precision: Precision): Graph {
  if (precision === 'float32') return graph;
  return new Rewriter(graph, precision).rewrite();
}

class Rewriter {
  private readonly result: GraphNode[] = [];
  private readonly byName: ReadonlyMap<string, GraphNode>;
  private readonly read: ReadonlySet<string>;
  private readonly updates: ReadonlySet<GraphNode>;
  /** How the nodes are lowered that are, by name. */
  private readonly low = new Map<string, Lowered>();
  /** Names of the casts made so far. */
  private readonly casts = new Set<string>();
  private readonly shapes: Map<string, TensorShape>;

  constructor(
    private readonly graph: Graph,
    private readonly precision: keyof typeof LOW,
  ) {
    const { nodes, shapes } = graph;
    this.byName = new Map(nodes.map((node) => [node.name, node]));
    this.read = new Set(nodes.flatMap((node) => dataInputs(node).map(producerOf)));
    this.updates = this.updateOf(nodes);
    this.shapes = new Map(shapes);
  }

  rewrite(): Graph {
    for (const node of this.graph.nodes) {
      const lowered = this.loweredOf(node);
      this.result.push(lowered === null ? this.kept(node) : this.lowered(node, lowered));
    }
    for (const [value, known] of this.graph.shapes)
      if (this.isLow(value)) this.shapes.set(value, { ...known, dtype: LOW[this.precision] });
    return { nodes: this.result, shapes: this.shapes };
  }

  /** How `node` is lowered; null when it is not. */
  private loweredOf(node: GraphNode): Lowered | null {
    const lowered = Object.hasOwn(ALLOW, node.op)
      ? ALLOW[node.op]
      : Object.hasOwn(INFER, node.op)
        ? INFER[node.op]
        : null;
    if (lowered === null || !this.read.has(node.name)) return null;
    if (!typesOf(lowered).every((name) => isFloat(node, name))) return null;
    if (Object.hasOwn(ALLOW, node.op)) return lowered;
    if (this.updates.has(node)) return null;
    const inputs = typedInputs(node, lowered);
    if (!inputs.some((input) => this.isLow(input))) return null;
    const constants = inputs.map((input) => this.byName.get(producerOf(input))!).filter(({ op }) => op === 'Const');
    if (node.op === 'Sub' && constants.length === 0) return null;
    return this.precision === 'float16' && constants.some(beyondHalf) ? null : lowered;
  }

  /** `node` in the low type. */
  private lowered(node: GraphNode, lowered: Lowered): GraphNode {
    const typed = new Set(typedInputs(node, lowered));
    const { name, attributes } = node;
    this.low.set(name, lowered);
    return {
      ...node,
      inputs: node.inputs.map((input) =>
        typed.has(input) && !this.isLow(input) ? this.cast(input, 'float32', this.precision) : input,
      ),
      attributes: {
        ...attributes,
        ...Object.fromEntries(typesOf(lowered).map((type) => [type, { type: LOW[this.precision] }])),
      },
    };
  }

  /** `node` as it is, with what it reads cast back. */
  private kept(node: GraphNode): GraphNode {
    if (!node.inputs.some((input) => this.isLow(input))) return node;
    return {
      ...node,
      inputs: node.inputs.map((input) => (this.isLow(input) ? this.cast(input, this.precision, 'float32') : input)),
    };
  }

  private isLow(value: string): boolean {
    const [name, output = '0'] = value.split(':');
    const lowered = this.low.get(name);
    return lowered !== undefined && (lowered.outputs?.includes(Number(output)) ?? true);
  }

  /** The name of `value` cast from one type to the other. */
  private cast(value: string, from: Precision, to: Precision): string {
    const name = `${value.replace(':', '_')}/${to}`;
    if (this.casts.has(name)) return name;
    const [SrcT, DstT] = [from, to].map((precision) => ({
      type: precision === 'float32' ? DataType.float32 : LOW[precision],
    }));
    this.result.push({ name, op: 'Cast', inputs: [value], attributes: { SrcT, DstT, Truncate: { bool: false } } });
    this.casts.add(name);
    const known = this.graph.shapes.get(value);
    if (known !== undefined) this.shapes.set(name, { ...known, dtype: DstT.type });
    return name;
  }

  /** The nodes through which values reach variables, back to the first that is not of INFER. */
  private updateOf(nodes: readonly GraphNode[]): Set<GraphNode> {
    const found = new Set<GraphNode>();
    const open = nodes.filter(({ op }) => SETS_VARIABLE.test(op));
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const input of dataInputs(node)) {
        const before = this.byName.get(producerOf(input))!;
        // Of batch norm only the images are lowered, and an update comes from its statistics.
        if (!Object.hasOwn(INFER, before.op) || INFER[before.op].outputs !== undefined || found.has(before)) continue;
        found.add(before);
        open.push(before);
      }
    }
    return found;
  }
}

const typesOf = ({ types = ['T'] }: Lowered): readonly string[] => types;

/** The inputs of `node` that have the type that is lowered. */
function typedInputs(node: GraphNode, { otherInputs = [] }: Lowered): string[] {
  const inputs = dataInputs(node);
  const others = new Set(otherInputs.map((position) => (position < 0 ? inputs.length + position : position)));
  return inputs.filter((_, position) => !others.has(position));
}

function isFloat(node: GraphNode, attribute: string): boolean {
  const value = node.attributes[attribute];
  return value !== undefined && 'type' in value && value.type === DataType.float32;
}

/** Whether a constant holds a number that float16 cannot, or only with few digits. */
function beyondHalf({ attributes }: GraphNode): boolean {
  if (!('value' in attributes) || !('tensor' in attributes.value) || attributes.value.tensor.dtype !== DataType.float32)
    return false;
  const { bytes } = attributes.value.tensor;
  const numbers = new Float32Array(bytes.slice().buffer);
  const [least, most] = HALF_RANGE;
  return numbers.some((number) => number !== 0 && (Math.abs(number) < least || Math.abs(number) > most));
}
