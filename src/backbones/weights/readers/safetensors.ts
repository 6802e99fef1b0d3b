// Reads and writes weights as a safetensors file: a JSON header of names, types, shapes and places, then the numbers.
import fs from 'node:fs';
import { makeAtomically } from '../../../base/files/atomic';
import { readFully } from '../../../base/files/read-fully';
import { KitError } from '../../../base/errors';
import type { OnProgress } from '../../../base/progress';
import { parseUniqueJson } from './unique-json';
import { elementArrays, sizeOf, type ElementType, type StateDict, type StateTensor } from './state-dict';

// Layout: the safetensors README, section "Format". Eight bytes hold the header's length, little-endian.
const lengthBytes = 8;

/**
 * Largest header that is read or written, in bytes: room for more than a hundred thousand tensors. (The reference
 * allows 100 MB.)
 */
const largestHeader = 2 ** 24;

/** Most axes of a tensor: NumPy's limit. */
const mostAxes = 64;

/** The format's element types that the kit can hold. */
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

/** What the header calls the notes of the file; no tensor can have this name. */
const notesName = '__metadata__';

const again = 'Fetch or save the file again.';

/** A tensor as the header describes it. */
interface Entry {
  name: string;
  dtype: ElementType;
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
 * @throws KitError when the header is no such header, a tensor's place overlaps another's, leaves a gap, reaches beyond
 *   the file or
 *   has not the size that shape and type ask for, a name comes twice, or a type is one that the kit cannot hold.
 */
export async function readSafetensors(
  path: string,
  { onProgress }: { onProgress?: OnProgress } = {},
): Promise<StateDict> {
  return withHeader(path, async ({ entries, start }, file) => {
    const total = entries.at(-1)?.end ?? 0;
    const found: StateDict = new Map();
    for (const { name, dtype, shape, begin, end } of entries) {
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
 * lies at a multiple
 * of its element's size, as the reference has it; tensors of one type keep their order.
 * @param options.notes text by name, kept in the header. PyTorch's readers want `{format: 'pt'}`, which is the default.
 * @throws KitError when a tensor has not as many elements as its shape asks for, or the disk refuses.
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
      throw new KitError(`A tensor cannot be named "${notesName}" in a safetensors file.`, { fix: 'Rename it.' });
    if (data.length !== sizeOf(shape))
      throw new KitError(
        `The tensor "${name}" has ${data.length} elements, its shape [${shape.join(', ')}] asks for ${sizeOf(shape)}.`,
      );
    described.push([name, { dtype: codes.get(dtype), shape, data_offsets: [end, (end += data.byteLength)] }]);
  }
  // Not by Object.fromEntries: names that are whole numbers would move to the front, and "__proto__" would vanish.
  const json = Buffer.from(
    `{${described.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
  );
  if (json.length > largestHeader)
    throw new KitError(`The header of ${path} would have ${json.length} bytes, more than ${largestHeader}.`, {
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

/** Opens a file, checks its header, and gives what `use` makes of both; every failure names the file. */
async function withHeader<T>(
  path: string,
  use: (header: Header, file: fs.promises.FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const file = await fs.promises.open(path);
    try {
      return await use(await readHeader(file), file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { message, fix } = cause as Error & { fix?: string };
    throw new KitError(`The weights file ${path} cannot be read as a safetensors file. ${message}`, {
      fix: fix || again,
      cause,
    });
  }
}

async function readHeader(file: fs.promises.FileHandle): Promise<Header> {
  const { size } = await file.stat();
  if (size < lengthBytes)
    throw new KitError(`It has ${size} bytes, fewer than the ${lengthBytes} that give the length of its header.`);
  const eight = Buffer.alloc(lengthBytes);
  await readFully(file, eight, 0);
  const length = eight.readBigUInt64LE();
  if (length > BigInt(size - lengthBytes) || length > BigInt(largestHeader)) {
    throw new KitError(
      `It claims a header of ${length} bytes, where ${Math.min(size - lengthBytes, largestHeader)} are possible: it is truncated, or no such file.`,
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
    throw new KitError(`Its ${notesName} is not text by name.`);
  return value as Record<string, string>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The description of one tensor, with everything in it that does not depend on the others checked. */
function entryOf(name: string, value: unknown): Entry {
  const refuse = (why: string, fix = again) => new KitError(`Its tensor "${name}" ${why}.`, { fix });
  const { dtype: code, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  const dtype = dtypes.get(String(code));
  if (dtype === undefined) {
    throw refuse(
      `holds elements of type ${JSON.stringify(code)?.slice(0, 40)}; ${[...dtypes.keys()].join(', ')} can be read`,
      'Export the weights as F32.',
    );
  }
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(isWhole))
    throw refuse('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isWhole))
    throw refuse('has no place given by two whole numbers');
  const [begin, end] = offsets as [number, number];
  const wanted = sizeOf(shape as number[]) * elementArrays[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== wanted)
    throw refuse(
      `has ${end - begin} bytes at ${begin} to ${end}, its shape [${shape.join(', ')}] and type ${code} ask for ${wanted}`,
    );
  return { name, dtype, shape: shape as number[], begin, end };
}

/**
 * Sorts the tensors by place, and refuses overlaps, gaps, and places beyond the `available` bytes: each byte belongs to
 * one tensor.
 */
function requireTiling(entries: Entry[], available: number): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const { name, begin, end: next } of entries) {
    if (begin !== end)
      throw new KitError(
        `Its tensor "${name}" begins at byte ${begin} of the data, where the one before ends at ${end}: they ${begin < end ? 'overlap' : 'leave a gap'}.`,
      );
    end = next;
  }
  if (end !== available) {
    throw new KitError(
      `Its tensors take ${end} bytes and it holds ${available}: ${end > available ? 'it is truncated' : 'something follows that no tensor owns'}.`,
    );
  }
}
