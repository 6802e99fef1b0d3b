// Writes a TensorFlow graph as a SavedModel, in the wire format of protocol buffers (graph.proto, node_def.proto,
// attr_value.proto).
import { base128, bytes, float, message, text, varint } from './wire-format';

/** A constant as the graph holds it: raw little-endian bytes of `shape`. */
export interface GraphTensor {
  dtype: number;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** An attribute of a node: exactly one of its kinds. */
export type AttributeValue =
  | { type: number }
  | { int: number }
  | { float: number }
  | { bool: boolean }
  | { string: string }
  | { shape: readonly number[] }
  | { tensor: GraphTensor }
  | { ints: readonly number[] };

/** A node of the graph. An input is `node`, `node:output`, or `^node` for order alone. */
export interface GraphNode {
  name: string;
  op: string;
  inputs: string[];
  attributes: Record<string, AttributeValue>;
}

/** Version of TensorFlow's graph format that the nodes are written for (versions.proto): that of TensorFlow 2.15. */
const GRAPH_PRODUCER = 1645;

/** A tensor of a signature: the node that holds it, and its shape, -1 for a side of any length. */
export interface SignatureTensor {
  node: string;
  dtype: number;
  shape: readonly number[];
}

/** What a server calls: named inputs and outputs (meta_graph.proto, SignatureDef). */
export interface Signature {
  inputs: Record<string, SignatureTensor>;
  outputs: Record<string, SignatureTensor>;
}

/**
 * The bytes of `saved_model.pb` that holds `nodes` under the tag `serve`. @param signature of the name
 * `serving_default`; default none.
 */
export function encodeSavedModel(nodes: readonly GraphNode[], signature?: Signature): Buffer {
  const graph = [...nodes.map((node) => message(1, encodeNode(node))), message(4, [varint(1, GRAPH_PRODUCER)])];
  const metaInfo = [text(4, 'serve')];
  const signatures =
    signature === undefined ? [] : [message(5, [text(1, 'serving_default'), message(2, encodeSignature(signature))])];
  return Buffer.concat([varint(1, 1), message(2, [message(1, metaInfo), message(2, graph), ...signatures])]);
}

function encodeSignature({ inputs, outputs }: Signature): Buffer[] {
  const tensors = (field: number, named: Signature['inputs']): Buffer[] =>
    Object.entries(named).map(([name, { node, dtype, shape }]) =>
      message(field, [
        text(1, name),
        message(2, [text(1, `${node}:0`), varint(2, dtype), message(3, encodeShape(shape))]),
      ]),
    );
  return [...tensors(1, inputs), ...tensors(2, outputs), text(3, 'tensorflow/serving/predict')];
}

function encodeNode({ name, op, inputs, attributes }: GraphNode): Buffer[] {
  return [
    text(1, name),
    text(2, op),
    ...inputs.map((input) => text(3, input)),
    ...Object.entries(attributes).map(([key, value]) =>
      message(5, [text(1, key), message(2, [encodeAttribute(value)])]),
    ),
  ];
}

function encodeAttribute(value: AttributeValue): Buffer {
  if ('string' in value) return text(2, value.string);
  if ('int' in value) return varint(3, value.int);
  if ('float' in value) return float(4, value.float);
  if ('bool' in value) return varint(5, value.bool ? 1 : 0);
  if ('type' in value) return varint(6, value.type);
  if ('shape' in value) return message(7, encodeShape(value.shape));
  if ('tensor' in value) return message(8, encodeTensor(value.tensor));
  return message(1, [bytes(3, Buffer.concat(value.ints.map(base128)))]);
}

const encodeShape = (shape: readonly number[]): Buffer[] => shape.map((size) => message(2, [varint(1, size)]));

const encodeTensor = ({ dtype, shape, bytes: content }: GraphTensor): Buffer[] => [
  varint(1, dtype),
  message(2, encodeShape(shape)),
  bytes(4, content),
];
