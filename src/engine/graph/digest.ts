// A short name for a recorded graph: the same on every machine, and another one after a change of the recorded code.
import { createHash } from 'node:crypto';
import { encodeSavedModel, type GraphNode } from './saved-model';

/**
 * The first 16 hex digits of the sha256 of a graph. It depends on ops, their order, attributes and constants, and on
 * nothing of the machine or the process.
 * @param data arrays whose constants count by their length alone: numbers that were computed from data may differ in
 *   their last digits between machines. Default none.
 */
export function graphDigest(nodes: readonly GraphNode[], data: readonly Float32Array[] = []): string {
  const bytesOf = (array: Float32Array): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  const known = data.map(bytesOf);
  const masked = nodes.map((node): GraphNode => {
    const { value } = node.attributes;
    if (value === undefined || !('tensor' in value)) return node;
    const { tensor } = value;
    if (!known.some((bytes) => bytes.length === tensor.bytes.length && bytes.equals(tensor.bytes))) return node;
    return {
      ...node,
      attributes: { ...node.attributes, value: { tensor: { ...tensor, bytes: new Uint8Array(tensor.bytes.length) } } },
    };
  });
  return createHash('sha256').update(encodeSavedModel(masked)).digest('hex').slice(0, 16);
}
