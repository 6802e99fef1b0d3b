// A function of one tensor as a graph of its own, every variable and captured tensor frozen into it: what exports are
// written from.
import { DataType, type DataTypeName } from '../binding';
import { Recorder } from '../recording/recorder';
import type { GraphNode, Signature } from './saved-model';
import { tf, type TF } from '../tensorflow';

/** A graph with its door: one input, named outputs. */
export interface FrozenGraph {
  nodes: GraphNode[];
  signature: Signature;
}

/**
 * Records `run` on zeros of `shape`, whose first side is the batch: the graph takes any. A reshape to a shape that
 * begins with this batch becomes one to any batch. `run` must not write the batch into another constant.
 */
export function freeze<K extends string>(
  input: { name: string; shape: readonly number[]; dtype: DataTypeName },
  run: (x: TF.Tensor) => Record<K, TF.Tensor>,
): FrozenGraph {
  const recorder = new Recorder();
  const dtype = DataType[input.dtype];
  const open = [-1, ...input.shape.slice(1)];
  recorder.add('Placeholder', [], { dtype: { type: dtype }, shape: { shape: open } }, input.name);
  tf.engine().startScope();
  try {
    const example = tf.zeros([...input.shape], input.dtype as 'float32');
    recorder.bind(example, { name: input.name, dtype, shape: input.shape });
    return recorder.record(
      'export',
      'constant',
      new Map(),
      () => run(example),
      (outputs) => {
        const tensors = Object.entries<TF.Tensor>(outputs).map(([name, tensor]) => {
          const value = recorder.valueOf('its result', tensor);
          const node = recorder.add('Identity', [value.name], { T: { type: value.dtype } }, name);
          return [name, { node, dtype: value.dtype, shape: [-1, ...tensor.shape.slice(1)] }] as const;
        });
        return {
          nodes: withOpenBatch(recorder.nodes, input.shape[0]),
          signature: {
            inputs: { [input.name]: { node: input.name, dtype, shape: open } },
            outputs: Object.fromEntries(tensors),
          },
        };
      },
    );
  } finally {
    tf.engine().endScope();
  }
}

/** The same nodes; shapes of reshapes that begin with `batch` begin with -1, any length. */
function withOpenBatch(nodes: readonly GraphNode[], batch: number): GraphNode[] {
  const targets = new Set(nodes.filter(({ op }) => op === 'Reshape').map(({ inputs }) => inputs[1]));
  return nodes.map((node) => {
    const { value } = node.attributes;
    if (!targets.has(node.name) || value === undefined || !('tensor' in value)) return node;
    const sides = new Int32Array(value.tensor.bytes.slice().buffer);
    if (sides[0] !== batch || sides.includes(-1)) return node;
    sides[0] = -1;
    const tensor = { ...value.tensor, bytes: new Uint8Array(sides.buffer) };
    return { ...node, attributes: { ...node.attributes, value: { tensor } } };
  });
}
