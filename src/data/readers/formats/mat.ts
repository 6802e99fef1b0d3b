// Reads MATLAB's MAT-files of version 5 (`-v6`, `-v7`), in which some data sets keep their lists. Time and memory are
// bounded by the file's size, and nothing is executed.
import { inflateSync } from 'node:zlib';
import { KitError } from '../../../base/errors';
import { quoted } from '../../../base/visible';

/** A variable of a MAT-file. Everything is in MATLAB's order, columns first; a row or a column is simply a list. */
export type MatValue =
  | { kind: 'numbers'; dims: number[]; values: Float64Array }
  /** One string a row of the character array. */
  | { kind: 'text'; dims: number[]; rows: string[] }
  | { kind: 'cells'; dims: number[]; cells: MatValue[] }
  | { kind: 'structs'; dims: number[]; structs: Map<string, MatValue>[] };

/** Cells in cells in cells ... */
const MOST_DEPTH = 16;
const MOST_DIMENSIONS = 8;
const MOST_FIELDS = 4096;

/** What may still be made of one file: a base for small files, and more with the file's size. */
interface Budget {
  /** Bytes of all compressed variables, inflated. The largest list of a known data set has about 10 MB. */
  inflated: number;
  /** Matrices, whatever their size: each costs memory of its own. */
  matrices: number;
  /** Numbers and characters. */
  values: number;
}

const budgetOf = (bytes: number): Budget => ({
  inflated: 2 ** 24 + 20 * bytes,
  matrices: 100_000 + bytes / 8,
  values: 2 ** 22 + 2 * bytes,
});

/** Takes `amount` from a budget. @throws Damaged when it is used up. */
function spend(budget: Budget, kind: 'matrices' | 'values', amount: number): void {
  budget[kind] -= amount;
  if (budget[kind] < 0) throw new Damaged(`it has too many ${kind} for its size`);
}

/** Element types, by their number in the file: bytes of a value, and how one is read. */
const NUMBERS: Record<number, { size: number; read: (view: DataView, at: number, little: boolean) => number }> = {
  1: { size: 1, read: (view, at) => view.getInt8(at) },
  2: { size: 1, read: (view, at) => view.getUint8(at) },
  3: { size: 2, read: (view, at, little) => view.getInt16(at, little) },
  4: { size: 2, read: (view, at, little) => view.getUint16(at, little) },
  5: { size: 4, read: (view, at, little) => view.getInt32(at, little) },
  6: { size: 4, read: (view, at, little) => view.getUint32(at, little) },
  7: { size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  9: { size: 8, read: (view, at, little) => view.getFloat64(at, little) },
  12: { size: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  13: { size: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};
const [INT32, MATRIX, COMPRESSED, UTF8, UTF16, UTF32] = [5, 14, 15, 16, 17, 18];

/** What array classes are read, by their number in the file. */
const [CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC] = [1, 2, 4, 6, 15];

class Damaged extends Error {}

/** One element of the file: its type and its bytes. */
interface Element {
  type: number;
  start: number;
  end: number;
  /** Where the next one begins. */
  next: number;
}

/**
 * The variables of a MAT-file by their names. Numbers of any kind become float64 (whole ones are exact up to 2^53). The
 * imaginary parts of complex ones are left out, as are variables that are objects, sparse matrices or function handles.
 * @param name the file's name, for errors
 * @throws KitError `MAT_VERSION` when it is no MAT-file of version 5; `MAT_DAMAGED` when it is damaged, or holds more
 *   than the bounds for its size.
 */
export function readMat(bytes: Uint8Array, name: string): Map<string, MatValue> {
  const header = Buffer.from(bytes.subarray(0, 128)).toString('latin1');
  if (header.startsWith('MATLAB 7.3')) {
    throw new KitError(`${name} is a MAT-file of version 7.3 (HDF5), which is not read.`, {
      code: 'MAT_VERSION',
      fix: 'Use the file as its publisher gives it, or save it with -v7.',
    });
  }
  const order = header.slice(126);
  if (bytes.length < 128 || (order !== 'IM' && order !== 'MI'))
    throw new KitError(`${name} is no MAT-file of version 5.`, {
      code: 'MAT_VERSION',
      fix: 'Download the file again.',
    });
  try {
    return readVariables(bytes.subarray(128), order === 'IM', budgetOf(bytes.length));
  } catch (cause) {
    if (!(cause instanceof Damaged)) throw cause;
    throw new KitError(`The MAT-file ${name} is damaged: ${cause.message}.`, {
      code: 'MAT_DAMAGED',
      fix: 'Download the file again.',
      cause,
    });
  }
}

function readVariables(bytes: Uint8Array, little: boolean, budget: Budget): Map<string, MatValue> {
  const variables = new Map<string, MatValue>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const element = readTag(view, at, bytes.length, little);
    at = element.next;
    if (element.type === COMPRESSED) {
      at = element.end; // the only kind that is not padded
      const inner = inflate(bytes.subarray(element.start, element.end), budget);
      const innerView = new DataView(inner.buffer, inner.byteOffset, inner.byteLength);
      const [only] = [readTag(innerView, 0, inner.length, little)];
      if (only.type === MATRIX) add(new Reader(innerView, little, budget).matrix(only, 0));
    } else if (element.type === MATRIX) add(new Reader(view, little, budget).matrix(element, 0));
  }
  return variables;

  function add({ name, value }: { name: string; value: MatValue | null }): void {
    if (value !== null) variables.set(name, value);
  }
}

function inflate(packed: Uint8Array, budget: Budget): Buffer {
  try {
    const inner = inflateSync(packed, { maxOutputLength: Math.max(1, budget.inflated) });
    budget.inflated -= inner.length;
    return inner;
  } catch (cause) {
    const tooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new Damaged(
      tooLarge ? 'its variables are too large for its size' : 'a compressed variable cannot be inflated',
      { cause },
    );
  }
}

/** The tag at `at`; its bytes must end before `end`. */
function readTag(view: DataView, at: number, end: number, little: boolean): Element {
  if (at + 8 > end) throw new Damaged('it ends within an element');
  const first = view.getUint32(at, little);
  const small = first >>> 16; // a small element has its length here and its bytes in the tag
  const type = small > 0 ? first & 0xffff : first;
  const length = small > 0 ? small : view.getUint32(at + 4, little);
  const start = small > 0 ? at + 4 : at + 8;
  if (small > 4 || start + length > end) throw new Damaged('an element is longer than what it stands in');
  return {
    type,
    start,
    end: start + length,
    next: small > 0 ? at + 8 : Math.min(end, start + Math.ceil(length / 8) * 8),
  };
}

/** Reads the matrices of one piece of memory. */
class Reader {
  constructor(
    private readonly view: DataView,
    private readonly little: boolean,
    private readonly budget: Budget,
  ) {}

  /** A matrix with its name; the value is null when it is of a kind that is not read. */
  matrix(element: Element, depth: number): { name: string; value: MatValue | null } {
    spend(this.budget, 'matrices', 1);
    if (depth > MOST_DEPTH) throw new Damaged(`its cells are more than ${MOST_DEPTH} deep`);
    if (element.end === element.start)
      return { name: '', value: { kind: 'numbers', dims: [0, 0], values: new Float64Array(0) } }; // as MATLAB writes []
    let at = element.start;
    const next = (): Element => {
      const inner = readTag(this.view, at, element.end, this.little);
      at = inner.next;
      return inner;
    };
    const flags = next();
    if (flags.end - flags.start !== 8) throw new Damaged('the flags of a matrix have another length than 8 bytes');
    const kind = this.view.getUint32(flags.start, this.little) & 0xff;
    const sides = next();
    if (sides.end - sides.start > 4 * MOST_DIMENSIONS)
      throw new Damaged(`a matrix has ${(sides.end - sides.start) / 4} dimensions`);
    const dims = [...this.numbers(sides, INT32)];
    const count = dims.reduce((product, size) => product * size, 1);
    if (dims.length < 2 || dims.some((size) => size < 0) || !Number.isSafeInteger(count))
      throw new Damaged(`a matrix has the size ${dims.join(' x ')}`);
    const name = this.latin(next());

    if (kind >= FIRST_NUMERIC && kind <= LAST_NUMERIC) {
      const values = this.numbers(next());
      if (values.length !== count)
        throw new Damaged(`the matrix ${quoted(name)} has ${values.length} values where its size says ${count}`);
      return { name, value: { kind: 'numbers', dims, values } };
    }
    if (kind === CHAR)
      return { name, value: { kind: 'text', dims, rows: rowsOf(this.characters(next()), dims, count) } };
    const matrices = (number: number): MatValue[] => {
      if (number > (element.end - at) / 8)
        throw new Damaged(`${quoted(name)} has fewer elements than the ${number} that its size says`);
      return Array.from({ length: number }, () => {
        const inner = next();
        if (inner.type !== MATRIX) throw new Damaged(`an element of ${quoted(name)} is no matrix`);
        return this.matrix(inner, depth + 1).value ?? { kind: 'numbers', dims: [0, 0], values: new Float64Array(0) };
      });
    };
    if (kind === CELL) return { name, value: { kind: 'cells', dims, cells: matrices(count) } };
    if (kind === STRUCT) {
      const fields = this.fieldNames(next(), next());
      spend(this.budget, 'matrices', count);
      const values = matrices(count * fields.length);
      const structs = Array.from(
        { length: count },
        (_, i) => new Map(fields.map((field, k) => [field, values[i * fields.length + k]])),
      );
      return { name, value: { kind: 'structs', dims, structs } };
    }
    return { name, value: null };
  }

  /** The numbers of an element, which must be of the type `only` when it is given. */
  private numbers({ type, start, end }: Element, only?: number): Float64Array {
    const number = NUMBERS[type];
    if (number === undefined || (only !== undefined && type !== only))
      throw new Damaged(`an element has the type ${type} where numbers are expected`);
    if ((end - start) % number.size !== 0) throw new Damaged('an element ends within a number');
    const values = new Float64Array((end - start) / number.size);
    spend(this.budget, 'values', values.length);
    for (let i = 0; i < values.length; i++) values[i] = number.read(this.view, start + i * number.size, this.little);
    return values;
  }

  private bytes({ start, end }: Element): Buffer {
    return Buffer.from(this.view.buffer, this.view.byteOffset + start, end - start);
  }

  private latin(element: Element): string {
    return this.bytes(element).toString('latin1');
  }

  private characters(element: Element): string {
    if (element.type === UTF8) {
      spend(this.budget, 'values', element.end - element.start);
      return this.bytes(element).toString('utf8');
    }
    const type = { [UTF16]: 4, [UTF32]: 6 }[element.type] ?? element.type;
    const codes = this.numbers({ ...element, type });
    const wrong = codes.find((code) => !(code >= 0 && code <= 0x10ffff));
    if (wrong !== undefined) throw new Damaged(`a character has the code ${wrong}`);
    const toText = element.type === UTF32 ? String.fromCodePoint : String.fromCharCode;
    const pieces: string[] = [];
    for (let at = 0; at < codes.length; at += 4096) pieces.push(toText(...codes.subarray(at, at + 4096)));
    return pieces.join('');
  }

  private fieldNames(length: Element, names: Element): string[] {
    const [size] = this.numbers(length, INT32);
    const text = this.latin(names);
    if (text.length === 0) return [];
    if (!(size >= 1) || text.length % size !== 0) throw new Damaged('the names of fields have no fixed length');
    if (text.length / size > MOST_FIELDS) throw new Damaged(`a structure has more than ${MOST_FIELDS} fields`);
    return Array.from({ length: text.length / size }, (_, i) =>
      text.slice(i * size, (i + 1) * size).replace(/\0.*$/s, ''),
    );
  }
}

/** The rows of a character array whose columns stand one after another. */
function rowsOf(text: string, dims: number[], count: number): string[] {
  if (count === 0) return [''];
  const characters = text.length === count ? text : [...text];
  if (characters.length !== count)
    throw new Damaged(`a text has ${characters.length} characters where its size says ${count}`);
  const [height] = dims;
  if (height === 1) return [text];
  const width = count / height;
  return Array.from({ length: height }, (_, row) => {
    let line = '';
    for (let column = 0; column < width; column++) line += characters[row + column * height];
    return line;
  });
}
