// The shapes of an op's results, where no rule tells them: the op runs once.
import type { Attribute, TensorMetadata, TFJSBinding } from '../binding';
import type { TensorShape } from '../graph/shapes';
import { dataOf } from './tensor-data';

/** An input of the op: a native id, and its shape where its numbers were never computed. */
export interface OpInput {
  id: number;
  unknown: TensorShape | null;
}

/** Runs an op, on zeros in place of inputs whose numbers are unknown, and gives the shapes of its results. */
export function shapesByRunning(
  binding: TFJSBinding,
  { op, attributes, outputCount }: { op: string; attributes: Attribute[]; outputCount: number },
  inputs: readonly OpInput[],
): TensorMetadata[] {
  const made: number[] = [];
  const zeros = ({ shape, dtype }: TensorShape): number => {
    const count = shape.reduce((product, side) => product * side, 1);
    const id = binding.createTensor([...shape], dtype, dataOf(dtype, count));
    made.push(id);
    return id;
  };
  try {
    const ids = inputs.map(({ id, unknown }) => (unknown === null ? id : zeros(unknown)));
    const outputs = binding.executeOp(op, attributes, ids, outputCount);
    for (const { id } of outputs) binding.deleteTensor(id);
    return outputs;
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}
