// The contents of a weights file: named arrays.
import { createHash } from 'node:crypto';
import { KitError } from '../../../base/errors';
import { quoted } from '../../../base/visible';

/**
 * The element types of weights files, and the typed array of each. 16-bit floats remain as bits until `float32Of`.
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
  /** As many elements as the shape has. Two names can share memory when the file ties them. */
  data: ElementArray;
}

/** The named arrays of a weights file, in the order of the file. */
export type StateDict = Map<string, StateTensor>;

/** Number of elements of a shape; 1 for a single number. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/** For each axis of a row-major array of `shape`, the distance of its next element, in elements. */
export const rowMajorStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/**
 * Fills `into`, row-major of `shape`, with the elements of `from` from `offset` on, with `strides` on
 * each axis.
 */
export function gather<A extends ElementArray>(
  from: ElementArray,
  into: A,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): A {
  const index = shape.map(() => 0);
  for (let i = 0, at = offset; i < into.length; i++) {
    into[i] = from[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return into;
}

/** A shape as text, for example `[3, 3, 32, 64]`; of more than 16 axes, the first 16. */
export const shapeText = (shape: readonly number[]): string =>
  `[${shape.slice(0, 16).join(', ')}${shape.length > 16 ? ', ...' : ''}]`;

/** The numbers of a floating-point tensor as float32; float32 tensors are not copied. */
export function float32Of(tensor: StateTensor, name: string): Float32Array {
  const { dtype, data } = tensor;
  if (dtype === 'float32') return data as Float32Array;
  if (dtype === 'float64') return Float32Array.from(data as Float64Array);
  if (dtype === 'bfloat16') return new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer);
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, halfToNumber);
  throw new KitError(`The weight ${quoted(name)} has the type ${dtype}; expected a floating-point type.`, {
    code: 'WEIGHTS_ELEMENT_TYPE',
    fix: 'Export the weights as float32: quantized ones cannot be trained.',
  });
}

/** The number of 16 bits in IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
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
