// Writes an ONNX model file (onnx/onnx, onnx.proto3) in the wire format of protocol buffers.
import { kitVersion } from '../../base/home';
import { bytes, float, message, text, varint } from '../../engine/graph/wire-format';

/** ONNX's numbers of the data types in use (TensorProto.DataType). */
export const OnnxType = { float32: 1, uint8: 2, int64: 7 } as const;

/** A constant of the graph. */
export interface OnnxTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array | BigInt64Array;
}

/** An attribute of a node. */
export type OnnxAttribute = { int: number } | { float: number } | { string: string } | { ints: readonly number[] };

/** A node of the graph: an op of the default domain. */
export interface OnnxNode {
  op: string;
  inputs: string[];
  output: string;
  attributes?: Record<string, OnnxAttribute>;
}

/** An input or output: a side may be a name, then it is of any length. */
export interface OnnxValue {
  name: string;
  type: number;
  shape: readonly (number | string)[];
}

/** A whole model. */
export interface OnnxModel {
  nodes: readonly OnnxNode[];
  constants: readonly OnnxTensor[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  /** Text by name, kept in the file. */
  metadata: Record<string, string>;
}

/** Version of the format (IR), and of the set of ops that the nodes are written for: ONNX 1.8 and later read both. */
const IR_VERSION = 7;
const OPSET = 13;

/** The bytes of a `.onnx` file. */
export function encodeOnnx({ nodes, constants, inputs, outputs, metadata }: OnnxModel): Buffer {
  const graph = [
    ...nodes.map((node) => message(1, encodeNode(node))),
    text(2, 'network'),
    ...constants.map((tensor) => message(5, encodeTensor(tensor))),
    ...inputs.map((value) => message(11, encodeValue(value))),
    ...outputs.map((value) => message(12, encodeValue(value))),
  ];
  return Buffer.concat([
    varint(1, IR_VERSION),
    text(2, 'rifle-kit'),
    text(3, kitVersion()),
    message(7, graph),
    message(8, [text(1, ''), varint(2, OPSET)]),
    ...Object.entries(metadata).map(([key, value]) => message(14, [text(1, key), text(2, value)])),
  ]);
}

const encodeNode = ({ op, inputs, output, attributes = {} }: OnnxNode): Buffer[] => [
  ...inputs.map((input) => text(1, input)),
  text(2, output),
  text(3, output),
  text(4, op),
  ...Object.entries(attributes).map(([name, value]) => message(5, [text(1, name), ...encodeAttribute(value)])),
];

/** The value, and its kind (AttributeProto.AttributeType). */
function encodeAttribute(value: OnnxAttribute): Buffer[] {
  if ('float' in value) return [float(2, value.float), varint(20, 1)];
  if ('int' in value) return [varint(3, value.int), varint(20, 2)];
  if ('string' in value) return [text(4, value.string), varint(20, 3)];
  return [...value.ints.map((each) => varint(8, each)), varint(20, 7)];
}

const encodeTensor = ({ name, shape, data }: OnnxTensor): Buffer[] => [
  ...shape.map((side) => varint(1, side)),
  varint(2, data instanceof Float32Array ? OnnxType.float32 : OnnxType.int64),
  text(8, name),
  bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
];

const encodeValue = ({ name, type, shape }: OnnxValue): Buffer[] => {
  const sides = shape.map((side) => message(1, [typeof side === 'string' ? text(2, side) : varint(1, side)]));
  return [text(1, name), message(2, [message(1, [varint(1, type), message(2, sides)])])];
};
