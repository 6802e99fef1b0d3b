// Reads and writes weights as a safetensors file: a JSON header of names, types, shapes and ranges, then the numbers.
import fs from 'node:fs';
import { makeAtomically } from '../../../base/files/atomic';
import { readFully } from '../../../base/files/read-fully';
import { KitError } from '../../../base/errors';
import { quoted } from '../../../base/visible';
import { again, unreadable, withFileName, type ReadOptions } from './reading';
import { parseUniqueJson } from './unique-json';
import { elementArrays, shapeText, sizeOf, type ElementType, type StateDict, type StateTensor } from './state-dict';

// Layout: the safetensors README, section "Format". Eight bytes hold the header's length, little-endian.
const lengthBytes = 8;

/**
 * Largest header that is read or written, in bytes: room for more than a hundred thousand tensors. (The reference
 * allows 100 MB.)
 */
const largestHeader = 2 ** 24;

/** Most axes of a tensor: NumPy's limit. */
const mostAxes = 64;

/** The element types of the format that are supported. */
const dtypes: ReadonlyMap<string, ElementType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);
const codes: ReadonlyMap<ElementType, string> = new Map([...dtypes].map(([code, dtype]) => [dtype, code]));

/** The name of the notes in the header. No tensor can have this name. */
const notesName = '__metadata__';

/** A tensor as the header describes it. */
interface Entry {
  name: string;
  /** `null` for an unsupported type. */
  dtype: ElementType | null;
  /** The type as the header has it. */
  code: string;
  shape: number[];
  /** Where its bytes begin and end, counted from the end of the header. */
  begin: number;
  end: number;
}

interface Header {
  /** In the order of their bytes. */
  entries: Entry[];
  notes: Record<string, string>;
  /** Where the tensors' bytes begin in the file. */
  start: number;
}

/**
 * The named tensors of a safetensors file, in the order of their bytes. Needs as much memory as the tensors themselves.
 * @throws KitError when the header is not valid, the bytes of tensors overlap, leave a gap, reach beyond the end of the
 *   file or do not match shape and type, or a name comes twice. A tensor of an unsupported type is refused, unless
 *   `options.onUnreadable` is given.
 */
export async function readSafetensors(
  path: string,
  { onProgress, onUnreadable = unreadable }: ReadOptions = {},
): Promise<StateDict> {
  return withHeader(path, async ({ entries, start }, file) => {
    const total = entries.at(-1)?.end ?? 0;
    const found: StateDict = new Map();
    for (const { name, dtype, code, shape, begin, end } of entries) {
      if (dtype === null) {
        onUnreadable(name, code);
        continue;
      }
      const bytes = new Uint8Array(end - begin);
      await readFully(file, bytes, start + begin);
      found.set(name, { shape, dtype, data: new elementArrays[dtype](bytes.buffer as ArrayBuffer) });
      onProgress?.({ task: 'read weights', done: end, total, unit: 'bytes' });
    }
    return found;
  });
}

/**
 * The notes (`__metadata__`) of a safetensors file, text by name; empty when it has none. @throws KitError as
 * `readSafetensors`.
 */
export async function readSafetensorsNotes(path: string): Promise<Record<string, string>> {
  return withHeader(path, async ({ notes }) => notes);
}

/**
 * Writes the tensors as a safetensors file, whole or not at all. Wider element types come first, so that every tensor
 * lies at a multiple of its element's size, as the reference has it; tensors of one type keep their order.
 * @param options.notes text by name, kept in the header. PyTorch's readers need `{format: 'pt'}`, which is the default.
 * @throws KitError when the number of elements of a tensor does not match its shape, or the file cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: StateDict,
  { notes = { format: 'pt' } }: { notes?: Record<string, string> } = {},
): Promise<void> {
  const width = ({ dtype }: StateTensor): number => elementArrays[dtype].BYTES_PER_ELEMENT;
  const ordered = [...tensors].sort(([, a], [, b]) => width(b) - width(a));
  const described: [string, unknown][] = [[notesName, notes]];
  let end = 0;
  for (const [name, { shape, dtype, data }] of ordered) {
    if (name === notesName)
      throw new KitError(`A tensor cannot be named "${notesName}" in a safetensors file.`, {
        code: 'SAFETENSORS_NAME',
        fix: 'Rename it.',
      });
    if (data.length !== sizeOf(shape))
      throw new KitError(
        `The tensor ${quoted(name)} has ${data.length} elements; its shape ${shapeText(shape)} has ${sizeOf(shape)}.`,
        { code: 'SAFETENSORS_SHAPE', fix: 'Give as many elements as the shape has.' },
      );
    described.push([name, { dtype: codes.get(dtype), shape, data_offsets: [end, (end += data.byteLength)] }]);
  }
  // Not by Object.fromEntries: names that are whole numbers would move to the front, and "__proto__" would vanish.
  const json = Buffer.from(
    `{${described.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  );
  if (json.length > largestHeader)
    throw new KitError(`The header of ${path} would have ${json.length} bytes, more than ${largestHeader}.`, {
      code: 'SAFETENSORS_HEADER',
      fix: 'Write fewer tensors to one file.',
    });
  const padded = Buffer.alloc(Math.ceil(json.length / lengthBytes) * lengthBytes, ' ');
  json.copy(padded);
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(padded.length));
  await makeAtomically(path, async (partial) => {
    const file = await fs.promises.open(partial, 'wx');
    try {
      await file.writeFile(length);
      await file.writeFile(padded);
      for (const [, { data }] of ordered)
        await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Opens a file, checks its header, and calls `use` with both. Every error names the file. */
async function withHeader<T>(
  path: string,
  use: (header: Header, file: fs.promises.FileHandle) => Promise<T>,
): Promise<T> {
  return withFileName(path, 'a safetensors file', async () => {
    const file = await fs.promises.open(path);
    try {
      return await use(await readHeader(file), file);
    } finally {
      await file.close();
    }
  });
}

async function readHeader(file: fs.promises.FileHandle): Promise<Header> {
  const { size } = await file.stat();
  if (size < lengthBytes)
    throw new KitError(`It has ${size} bytes, fewer than the ${lengthBytes} that give the length of its header.`, {
      code: 'WEIGHTS_TRUNCATED',
    });
  const eight = Buffer.alloc(lengthBytes);
  await readFully(file, eight, 0);
  const length = eight.readBigUInt64LE();
  if (length > BigInt(size - lengthBytes) || length > BigInt(largestHeader)) {
    const possible = Math.min(size - lengthBytes, largestHeader);
    throw new KitError(
      `It claims a header of ${length} bytes, where ${possible} are possible: it is truncated, or no such file.`,
      { code: 'SAFETENSORS_HEADER' },
    );
  }
  const bytes = Buffer.alloc(Number(length));
  await readFully(file, bytes, lengthBytes);
  const start = lengthBytes + bytes.length;
  const header = parseUniqueJson(bytes);
  const entries: Entry[] = [];
  let notes: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === notesName) notes = textByName(value);
    else entries.push(entryOf(name, value));
  }
  requireTiling(entries, size - start);
  return { entries, notes, start };
}

function textByName(value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some((note) => typeof note !== 'string'))
    throw new KitError(`Its ${notesName} is not text by name.`, { code: 'SAFETENSORS_HEADER' });
  return value as Record<string, string>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The description of one tensor, checked without the other tensors. */
function entryOf(name: string, value: unknown): Entry {
  const refuse = (why: string) =>
    new KitError(`Its tensor ${quoted(name)} ${why}.`, { code: 'SAFETENSORS_TENSOR', fix: again });
  const { dtype: code, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (typeof code !== 'string') throw refuse('has no element type');
  const dtype = dtypes.get(code) ?? null;
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(isWhole))
    throw refuse('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole))
    throw refuse('has no byte range of two whole numbers');
  const [begin, end] = offsets as [number, number];
  const wanted = dtype === null ? end - begin : sizeOf(shape as number[]) * elementArrays[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== wanted || wanted < 0) {
    const asked = `its shape ${shapeText(shape as number[])} and type ${code} ask for ${wanted}`;
    throw refuse(`has ${end - begin} bytes at ${begin} to ${end}, ${asked}`);
  }
  return { name, dtype, code, shape: shape as number[], begin, end };
}

/** Sorts the tensors by their bytes. @throws KitError unless each of the `available` bytes belongs to one tensor. */
function requireTiling(entries: Entry[], available: number): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const { name, begin, end: next } of entries) {
    if (begin !== end) {
      const fault = begin < end ? 'overlap' : 'leave a gap';
      throw new KitError(
        `Its tensor ${quoted(name)} begins at byte ${begin}, where the one before ends at ${end}: they ${fault}.`,
        { code: 'SAFETENSORS_RANGES' },
      );
    }
    end = next;
  }
  if (end !== available) {
    const fault = end > available ? 'it is truncated' : 'bytes follow that belong to no tensor';
    throw new KitError(`Its tensors take ${end} bytes and it holds ${available}: ${fault}.`, {
      code: 'SAFETENSORS_RANGES',
    });
  }
}
