// Reads the weights of a frozen TensorFlow graph (`.pb`): its constants by name. The graph is neither built nor run.
import fs from 'node:fs';
import { readFully } from '../../../../base/files/read-fully';
import { KitError } from '../../../../base/errors';
import { quoted } from '../../../../base/visible';
import { ByteStream } from '../byte-stream';
import { withFileName, type ReadOptions } from '../reading';
import { elementArrays, shapeText, sizeOf, type ElementArray, type ElementType, type StateDict } from '../state-dict';
import { malformed, WireReader, wireType } from './wire';

/**
 * TensorFlow's element types (types.proto) that are supported. Constants of others (text) are no weights and are left
 * out.
 */
const elementTypes: ReadonlyMap<number, ElementType> = new Map([
  [1, 'float32'],
  [2, 'float64'],
  [3, 'int32'],
  [4, 'uint8'],
  [5, 'int16'],
  [6, 'int8'],
  [9, 'int64'],
  [10, 'bool'],
  [14, 'bfloat16'],
  [19, 'float16'],
]);

/** Fields of a TensorProto (tensor.proto) that hold elements one by one, and the wire type of each. */
const elementFields: ReadonlyMap<number, { of: ElementType[]; type: number }> = new Map([
  [5, { of: ['float32'], type: wireType.fixed32 }],
  [6, { of: ['float64'], type: wireType.fixed64 }],
  [7, { of: ['int32', 'int16', 'int8', 'uint8'], type: wireType.varint }],
  [10, { of: ['int64'], type: wireType.varint }],
  [11, { of: ['bool'], type: wireType.varint }],
  [13, { of: ['float16', 'bfloat16'], type: wireType.varint }],
]);

/** Most constants: more than any network has. */
const mostConstants = 2 ** 20;

const tooManyAxes = 255; // TensorFlow's TensorShape has fewer

/** A constant of the graph: the position of its message. */
interface Constant {
  name: string;
  start: number;
  end: number;
}

/** A tensor as its message describes it. */
interface Description {
  dtype: number;
  shape: number[];
  /** The position of `tensor_content`: the elements as in memory, little-endian. */
  content: { start: number; end: number } | null;
  /** The position of the message: elements written one by one are read from there. */
  start: number;
  end: number;
}

/**
 * The constants of a frozen graph by the names of their nodes, in the layouts of TensorFlow. Needs as much memory as
 * the constants.
 * @throws KitError when the file is truncated, is no GraphDef, has no constants, or the elements of a constant do
 *   not match its shape.
 */
export async function readGraphDef(path: string, options: ReadOptions = {}): Promise<StateDict> {
  return withFileName(path, 'a frozen TensorFlow graph', async () => {
    const file = await fs.promises.open(path);
    try {
      return await readConstants(file, (done, total) =>
        options.onProgress?.({ task: 'read weights', done, total, unit: 'bytes' }),
      );
    } finally {
      await file.close();
    }
  });
}

async function readConstants(
  file: fs.promises.FileHandle,
  report: (done: number, total: number) => void,
): Promise<StateDict> {
  const { size } = await file.stat();
  const bytes = new ByteStream(size, (at, count) => {
    const chunk = Buffer.alloc(count);
    return chunk.subarray(0, fs.readSync(file.fd, chunk, 0, count, at));
  });
  const found: StateDict = new Map();
  // bytes left for listed elements: with one repeated value a small file could need much memory
  let room = size;
  for (const { name, start, end } of findConstants(bytes, size)) {
    const description = describe(bytes, start, end);
    const dtype = elementTypes.get(description.dtype);
    if (dtype === undefined) continue;
    const { shape, content } = description;
    const wanted = sizeOf(shape) * elementArrays[dtype].BYTES_PER_ELEMENT;
    if (!Number.isSafeInteger(wanted)) throw malformed(`the constant ${quoted(name)} has no size`);
    const refuse = (what: string) =>
      new KitError(`Its constant ${quoted(name)} of shape ${shapeText(shape)} and type ${dtype} ${what}.`, {
        code: 'GRAPHDEF_CONSTANT',
      });
    if (found.has(name)) throw refuse('is there twice');
    if (content !== null && content.end > content.start) {
      if (content.end - content.start !== wanted)
        throw refuse(`has ${content.end - content.start} bytes, ${wanted} were expected`);
      const data = new Uint8Array(wanted);
      await readFully(file, data, content.start);
      found.set(name, { shape, dtype, data: new elementArrays[dtype](data.buffer as ArrayBuffer) });
    } else {
      room -= wanted;
      if (!(room >= 0)) throw refuse('is larger than the file that lists its elements');
      const data = new elementArrays[dtype](sizeOf(shape));
      if (!fillListed(data, bytes, description, dtype)) throw refuse('lists more elements than it has');
      found.set(name, { shape, dtype, data });
    }
    report(end, size);
  }
  if (found.size === 0)
    throw new KitError('It has no constants, so it is not a frozen graph. Its variables may be in other files.', {
      code: 'GRAPHDEF_NO_CONSTANTS',
      fix: 'Freeze the graph, so that its variables are constants in it.',
    });
  report(size, size);
  return found;
}

/**
 * Field numbers: graph.proto (node 1), node_def.proto (name 1, op 2, attr 5), attr_value.proto (tensor 8); a map's
 * entry has key 1, value 2.
 */
function findConstants(bytes: ByteStream, size: number): Constant[] {
  const constants: Constant[] = [];
  const graph = new WireReader(bytes, size);
  graph.fields((field) => {
    if (field.number !== 1 || field.type !== wireType.bytes) return;
    let [name, op] = ['', ''];
    let value: { start: number; end: number } | null = null;
    const node = graph.message();
    node.fields(({ number, type }) => {
      if (type !== wireType.bytes) return;
      if (number === 1) name = node.text();
      if (number === 2) op = node.text();
      if (number === 5) value = tensorOf(bytes, node.message()) ?? value;
    });
    if (op !== 'Const' || value === null) return;
    if (constants.push({ name, ...(value as { start: number; end: number }) }) > mostConstants)
      throw malformed('it has too many constants');
  });
  return constants;
}

/** The position of the tensor, if `attribute` is the attribute `value`. */
function tensorOf(bytes: ByteStream, attribute: WireReader): { start: number; end: number } | null {
  let key = '';
  let found: { start: number; end: number } | null = null;
  attribute.fields(({ number, type }) => {
    if (type !== wireType.bytes) return;
    if (number === 1) key = attribute.text();
    if (number !== 2) return;
    const kinds = attribute.message();
    kinds.fields((kind) => {
      if (kind.number !== 8 || kind.type !== wireType.bytes) return;
      const end = kinds.span();
      found = { start: bytes.position, end };
      bytes.position = end;
    });
  });
  return key === 'value' ? found : null;
}

/**
 * Field numbers: tensor.proto (dtype 1, shape 2, content 4), tensor_shape.proto (dim 2, unknown rank 3; of a dim: size
 * 1).
 */
function describe(bytes: ByteStream, start: number, end: number): Description {
  bytes.position = start;
  const description: Description = { dtype: 0, shape: [], content: null, start, end };
  const tensor = new WireReader(bytes, end);
  tensor.fields(({ number, type }) => {
    if (number === 1 && type === wireType.varint) description.dtype = Number(tensor.varint());
    if (number === 2 && type === wireType.bytes) description.shape = shapeOf(tensor.message());
    if (number === 4 && type === wireType.bytes) {
      const last = tensor.span();
      description.content = { start: bytes.position, end: last };
      bytes.position = last;
    }
  });
  return description;
}

function shapeOf(message: WireReader): number[] {
  const shape: number[] = [];
  message.fields(({ number, type }) => {
    if (number !== 2 || type !== wireType.bytes) return;
    const dim = message.message();
    let side = 0;
    dim.fields((field) => {
      if (field.number === 1 && field.type === wireType.varint) side = Number(dim.varint());
    });
    if (!Number.isSafeInteger(side) || side < 0 || shape.length >= tooManyAxes)
      throw malformed('a constant has no shape of whole numbers');
    shape.push(side);
  });
  return shape;
}

/**
 * Fills `data` with the elements that a tensor lists one by one. Where it lists fewer than it has, the last is
 * repeated; where it lists none, all are zero (tensor.proto). Returns false when it lists more.
 */
function fillListed(data: ElementArray, bytes: ByteStream, { start, end }: Description, dtype: ElementType): boolean {
  let count = 0;
  const fill = (reader: WireReader, type: number, last: number): void => {
    while (bytes.position < last && count <= data.length) {
      const element = elementOf(reader, bytes, type, dtype);
      if (count < data.length) data[count] = element;
      count++;
    }
  };
  bytes.position = start;
  const tensor = new WireReader(bytes, end);
  tensor.fields(({ number, type }) => {
    const listed = elementFields.get(number);
    if (listed === undefined || !listed.of.includes(dtype) || count > data.length) return;
    if (type === listed.type) return fill(tensor, type, bytes.position + 1); // one element
    if (type !== wireType.bytes) throw malformed('an element has the wire type of another');
    const last = tensor.span();
    fill(new WireReader(bytes, last), listed.type, last);
    if (count > data.length) bytes.position = last;
    if (bytes.position > last) throw malformed('an element ends after its field');
  });
  if (count > data.length) return false;
  if (count > 0) data.fill(data[count - 1] as never, count);
  return true;
}

/** The element at the current position. */
function elementOf(reader: WireReader, bytes: ByteStream, type: number, dtype: ElementType): number | bigint {
  if (type === wireType.fixed32) return bytes.take(4).readFloatLE();
  if (type === wireType.fixed64) return bytes.take(8).readDoubleLE();
  return dtype === 'int64' ? reader.varint() : Number(reader.varint());
}
