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
 * Records `run` on zeros of `shape`, whose first side is the batch: the graph takes any. (`run` must not write that
 * side into a constant, as a
 * reshape to a fixed shape would; whoever exports tries another.)
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
          nodes: recorder.nodes,
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
