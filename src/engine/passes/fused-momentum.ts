// The update of a parameter by SGD with momentum, as one op: TensorFlow then changes both variables where they lie.
import type { AttributeValue, GraphNode } from '../graph/saved-model';
import { Uses } from '../graph/graph-index';

/**
 * An update as `sgdStep` of the trainer records it: buffer := slope - buffer x (-momentum), variable := variable -
 * buffer x rate.
 */
interface Update {
  /** The two assignments. */
  variable: GraphNode;
  buffer: GraphNode;
  /** What is assigned to the buffer. */
  velocity: GraphNode;
  slope: string;
  rate: string;
  momentum: number;
}

/**
 * Puts ResourceApplyMomentum in place of every such update. It computes the same, rounding after each operation as the
 * single ops do, so it gives the same bits; it saves four passes over the parameters, and new memory for them in every
 * step, between whose pieces free memory would lie in pieces.
 */
export function fuseMomentum(nodes: readonly GraphNode[]): GraphNode[] {
  const uses = new Uses(nodes);
  const updates = nodes.flatMap((node) => updateOf(node, uses) ?? []);
  const byAssignment = new Map(
    updates.flatMap(
      (update) =>
        [
          [update.variable, update],
          [update.buffer, update],
        ] as const,
    ),
  );
  const readAgain = new Map(updates.map(({ velocity }) => [velocity.name, `${velocity.name}/applied`]));
  return nodes.flatMap((node) => {
    const update = byAssignment.get(node);
    if (update === undefined)
      return node.op === 'Sub' && readAgain.has(node.name)
        ? []
        : { ...node, inputs: node.inputs.map((input) => readAgain.get(input) ?? input) };
    if (node === update.buffer)
      return { name: node.name, op: 'NoOp', inputs: [`^${update.variable.name}`], attributes: {} };
    return applied(update);
  });
}

function applied({ variable, buffer, velocity, slope, rate, momentum }: Update): GraphNode[] {
  const float = { type: FLOAT };
  const weight = `${velocity.name}/momentum`;
  const order = [...new Set([...variable.inputs, ...buffer.inputs].filter((input) => input.startsWith('^')))];
  return [
    {
      name: weight,
      op: 'Const',
      inputs: [],
      attributes: {
        dtype: float,
        value: { tensor: { dtype: FLOAT, shape: [], bytes: new Uint8Array(Float32Array.of(momentum).buffer) } },
      },
    },
    {
      name: variable.name,
      op: 'ResourceApplyMomentum',
      inputs: [variable.inputs[0], buffer.inputs[0], rate, slope, weight, ...order],
      attributes: { T: float, use_locking: { bool: false }, use_nesterov: { bool: false } },
    },
    // What else the velocity was taken for reads it from the buffer.
    {
      name: `${velocity.name}/applied`,
      op: 'ReadVariableOp',
      inputs: [buffer.inputs[0], `^${variable.name}`],
      attributes: { dtype: float },
    },
  ];
}

const FLOAT = 1;

/** The update whose assignment to the variable is `node`. */
function updateOf(node: GraphNode, uses: Uses): Update | undefined {
  if (node.op !== 'AssignVariableOp') return undefined;
  const moved = uses.source(node.inputs[1]);
  if (moved?.op !== 'Sub' || !reads(moved.inputs[0], node, uses)) return undefined;
  const way = uses.source(moved.inputs[1]);
  if (way?.op !== 'Mul') return undefined;
  const [velocity, rate] = [uses.source(way.inputs[0]), way.inputs[1]];
  const buffer = velocity && uses.of(velocity).find(({ op }) => op === 'AssignVariableOp');
  if (velocity?.op !== 'Sub' || buffer === undefined || buffer === node) return undefined;
  const kept = uses.source(velocity.inputs[1]);
  if (kept?.op !== 'Mul' || !reads(kept.inputs[0], buffer, uses)) return undefined;
  const factor = uses.source(kept.inputs[1]);
  const momentum = factor?.op === 'Const' ? scalar(factor.attributes.value) : undefined;
  return momentum === undefined
    ? undefined
    : { variable: node, buffer, velocity, slope: velocity.inputs[0], rate, momentum: -momentum };
}

/** Whether `input` is the value, before the assignment, of the variable that `assignment` changes. */
function reads(input: string, assignment: GraphNode, uses: Uses): boolean {
  const read = uses.source(input);
  return read?.op === 'ReadVariableOp' && read.inputs[0] === assignment.inputs[0];
}

function scalar(value: AttributeValue): number | undefined {
  const { shape, dtype, bytes } = (value as { tensor: { shape: readonly number[]; dtype: number; bytes: Uint8Array } })
    .tensor;
  return dtype === FLOAT && shape.length === 0 ? new Float32Array(bytes.slice().buffer)[0] : undefined;
}
