// What a weights file holds once read: named arrays, and how their names and shapes line up with those that a network
// wants.
import { createHash } from 'node:crypto';
import { KitError } from '../../../base/errors';

/**
 * The element types that weights files use, and the array that holds each. Halves stay as their 16 bits until
 * `float32Of`.
 */
export const elementArrays = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** Name of an element type. */
export type ElementType = keyof typeof elementArrays;

/** The elements of a tensor in memory. */
export type ElementArray =
  Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** One named array of a weights file, row-major, in the layout of the file. */
export interface StateTensor {
  /** Empty for a single number. */
  shape: number[];
  dtype: ElementType;
  /** As many elements as the shape asks for. Two names can share memory when the file ties them. */
  data: ElementArray;
}

/** The named arrays of a weights file, in the order of the file. */
export type StateDict = Map<string, StateTensor>;

/** Number of elements of a shape; 1 for a single number. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/** For each axis of a row-major array of `shape`, how many elements further its next place is. */
export const rowMajorStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/**
 * Fills `into`, row-major of `shape`, with the elements of `from` that begin at `offset` and lie `strides` apart on
 * each axis.
 */
export function gather<A extends ElementArray>(
  from: ElementArray,
  into: A,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): A {
  const place = shape.map(() => 0);
  for (let i = 0, at = offset; i < into.length; i++) {
    into[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++place[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return into;
}

/** A shape as people write it, for example `[3, 3, 32, 64]`. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The numbers of a floating-point tensor as float32: the same memory where they are that already. */
export function float32Of(tensor: StateTensor, name: string): Float32Array {
  const { dtype, data } = tensor;
  if (dtype === 'float32') return data as Float32Array;
  if (dtype === 'float64') return Float32Array.from(data as Float64Array);
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToNumber);
  throw new KitError(`The weight "${name}" holds ${dtype} numbers; a floating-point type was expected.`, {
    fix: 'Export the weights as float32: quantized ones cannot be trained.',
  });
}

/** The number that 16 bits mean in IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The sha256 of everything in `stateDict`: names, types, shapes and elements, in order. */
export function hashStateDict(stateDict: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { shape, dtype, data }] of stateDict)
    hash.update(`${name} ${dtype} ${shapeText(shape)}\n`).update(data);
  return hash.digest('hex');
}

/** How a weights file lines up with what a network wants. */
export interface MatchReport {
  /** Names with the right shape. */
  matched: string[];
  /** Names that the network wants and the file lacks. */
  missing: string[];
  /** Names in the file that the network has no place for. */
  leftOver: string[];
  /** Names in the file that are known to carry nothing that the network needs: counters of batches, for example. */
  ignored: string[];
  wrongShape: { name: string; expected: number[]; found: number[] }[];
}

/**
 * Lines up `found` with the shapes that a network wants, by name.
 * @param ignore names in the file that carry nothing to keep, for example counters of batches.
 */
export function matchStateDict(
  found: StateDict,
  wanted: ReadonlyMap<string, readonly number[]>,
  ignore?: RegExp,
): MatchReport {
  const report: MatchReport = { matched: [], missing: [], leftOver: [], ignored: [], wrongShape: [] };
  for (const [name, expected] of wanted) {
    const tensor = found.get(name);
    if (tensor === undefined) report.missing.push(name);
    else if (shapeText(tensor.shape) !== shapeText(expected))
      report.wrongShape.push({ name, expected: [...expected], found: tensor.shape });
    else report.matched.push(name);
  }
  for (const name of found.keys())
    if (!wanted.has(name)) (ignore?.test(name) ? report.ignored : report.leftOver).push(name);
  return report;
}

/**
 * Throws one KitError that names everything in `report` that does not fit; `source` says where the weights came from.
 */
export function requireMatch(report: MatchReport, source: string, network: string): void {
  const { matched, missing, leftOver, wrongShape } = report;
  const problems = [
    ...wrongShape.map((w) => `wrong shape: ${w.name} is ${shapeText(w.found)}, expected ${shapeText(w.expected)}`),
    ...listed('missing', missing),
    ...listed('left over', leftOver),
  ];
  if (problems.length === 0) return;
  const found = `The weights in ${source} do not fit the network ${network} (${matched.length} names fit):`;
  throw new KitError([found, ...problems.map((p) => `  - ${p}`)].join('\n'), {
    fix: 'Give a file of the same architecture with its original parameter names, whole and not a part of it.',
  });
}

/** `kind: a, b, c`: all names up to a dozen, and how many more there are. */
function listed(kind: string, names: string[], limit = 12): string[] {
  if (names.length === 0) return [];
  const rest = names.length > limit ? ` and ${names.length - limit} more` : '';
  return [`${kind} (${names.length}): ${names.slice(0, limit).join(', ')}${rest}`];
}
