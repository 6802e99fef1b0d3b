// When the values of a graph are computed: TensorFlow runs every op as soon as it can, these passes make it wait where
// waiting saves memory.
// They change no value, only which of them lie in memory at the same time. (Where TensorFlow then fuses ops that it
// could not before, as of SiLU, the last bits are those of the fused op.)
import type { GraphNode, GraphTensor } from '../graph/saved-model';
import { dataInputs, producerOf, Uses } from '../graph/graph-index';

/** Which input of a gradient op is the gradient that comes in: what it waits for. */
const INCOMING: Readonly<Record<string, number>> = {
  Conv2DBackpropFilter: 2,
  DepthwiseConv2dNativeBackpropFilter: 2,
  MaxPoolGrad: 2,
  ReluGrad: 0,
  Relu6Grad: 0,
};

const PADDINGS = new Set(['Pad', 'PadV2']);

/**
 * The gradient that `node` waits for; of a padding, that of the gradient op which takes it. Undefined when it belongs
 * to the forward pass.
 */
function incoming(node: GraphNode, uses: Uses): string | undefined {
  const place = INCOMING[node.op];
  if (place !== undefined) return node.inputs[place];
  if (!PADDINGS.has(node.op)) return undefined;
  const waits = uses.of(node).map((taker) => incoming(taker, uses));
  // One that is itself the gradient (of a slice) cannot wait for itself.
  return waits.every((wait) => wait !== undefined && uses.source(wait) !== node) ? waits[0] : undefined;
}

const isTrainingNorm = (node: GraphNode | undefined): boolean =>
  node?.op === 'FusedBatchNormV3' && (node.attributes.is_training as { bool: boolean }).bool;

/**
 * Multiplications with each number of a layer's result from which on it costs little to compute the result again: 2 %
 * of a step of ResNet-50, 12 % of MobileNetV2's without this bound.
 */
const WORTHWHILE = 100;

/** Whether `node` is the gradient of a convolution that multiplies each number of its input often enough. */
function isWorthIt(node: GraphNode, uses: Uses): boolean {
  if (node.op !== 'Conv2DBackpropFilter') return false;
  const { bytes } = (uses.source(node.inputs[1])!.attributes.value as { tensor: GraphTensor }).tensor;
  const [height, width, , outputs] = new Int32Array(bytes.slice().buffer);
  return height * width * outputs >= WORTHWHILE;
}

/**
 * Batch normalisations with a rectifier behind them are computed again for the backward pass, where that costs little
 * beside the convolution that takes them: their result need not be kept from the forward pass until then, only their
 * input, which their gradient needs anyway. The same op on the same input gives the same bits.
 */
export function computeAgain(nodes: readonly GraphNode[]): GraphNode[] {
  const uses = new Uses(nodes);
  const result: GraphNode[] = [];
  const replaced = new Map<GraphNode, Map<string, string>>();
  for (const node of nodes) {
    const norm = node.op === 'Relu' || node.op === 'Relu6' ? uses.source(node.inputs[0]) : undefined;
    if (!isTrainingNorm(norm) || uses.of(norm!).length > 1) continue;
    const backward = uses.of(node).filter((taker) => incoming(taker, uses) !== undefined);
    const first = backward.find((taker) => isWorthIt(taker, uses)); // the rectifier's own gradient comes later
    if (first === undefined) continue;
    const again = {
      ...norm!,
      name: `${norm!.name}/again`,
      inputs: [...norm!.inputs, `^${producerOf(incoming(first, uses)!)}`],
    };
    result.push(again, { ...node, name: `${node.name}/again`, inputs: [again.name] });
    for (const taker of backward)
      replaced.set(taker, (replaced.get(taker) ?? new Map<string, string>()).set(node.name, `${node.name}/again`));
  }
  return [
    ...nodes.map((node) => ({ ...node, inputs: node.inputs.map((input) => replaced.get(node)?.get(input) ?? input) })),
    ...result,
  ];
}

/** Ops whose results are there from the start, whatever the arguments are. */
const THERE = new Set(['Const', 'ReadVariableOp', 'VarHandleOp']);

/**
 * What is computed from variables and constants alone, and paddings of the backward pass, wait for what they are then
 * computed with: a weight times its decay is not needed before the weight's gradient. (No circle arises: whatever comes
 * after such a value comes after its one taker too.)
 */
export function computeLate(nodes: readonly GraphNode[]): GraphNode[] {
  const uses = new Uses(nodes);
  const early = new Set<GraphNode>();
  for (const node of nodes) {
    if (THERE.has(node.op) || (node.inputs.length > 0 && node.inputs.every((input) => early.has(uses.source(input)!))))
      early.add(node);
  }
  return nodes.map((node) => {
    const [taker, ...others] = uses.of(node);
    if (taker === undefined || others.length > 0 || THERE.has(node.op)) return node;
    const wait = early.has(node)
      ? dataInputs(taker).find((input) => !early.has(uses.source(input)!))
      : PADDINGS.has(node.op)
        ? incoming(node, uses)
        : undefined;
    return wait === undefined ? node : { ...node, inputs: [...node.inputs, `^${producerOf(wait)}`] };
  });
}

/**
 * A value that the function itself computes twice, as the gradient of SiLU does to keep nothing, waits the second time
 * for what it is then multiplied with. Otherwise TensorFlow would find that the two are the same, and keep the first.
 */
export function keepApart(nodes: readonly GraphNode[]): GraphNode[] {
  const uses = new Uses(nodes);
  const met = new Set<string>();
  return nodes.map((node) => {
    const key = `${node.op} ${node.inputs.join()} ${JSON.stringify(node.attributes)}`;
    if (node.op !== 'Sigmoid' || !met.has(key)) {
      met.add(key);
      return node;
    }
    const factors = uses
      .of(node)
      .flatMap((taker) => (taker.op === 'Mul' ? taker.inputs.filter((input) => input !== node.name) : []));
    const wait = factors.map((factor) => uses.source(factor)!).find((factor) => !comesAfter(factor, node, uses));
    return wait === undefined ? node : { ...node, inputs: [...node.inputs, `^${wait.name}`] };
  });
}

/** Whether `node` needs, over any way, what `other` gives. */
function comesAfter(node: GraphNode, other: GraphNode, uses: Uses): boolean {
  const [seen, open] = [new Set([node]), [node]];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === other) return true;
    for (const input of at.inputs) {
      const source = uses.source(producerOf(input));
      if (source !== undefined && !seen.has(source)) (open.push(source), seen.add(source));
    }
  }
  return false;
}
