// The data of tensors and the attributes of ops, as a graph holds them.
import { KitError } from '../../base/errors';
import { DataType, internals, type Attribute } from '../binding';
import type { AttributeValue } from '../graph/saved-model';
import type { TF } from '../tensorflow';

const ARRAYS = {
  [DataType.float32]: Float32Array,
  [DataType.int32]: Int32Array,
  [DataType.bool]: Uint8Array,
  [DataType.uint8]: Uint8Array,
};

const arrayOf = (dtype: number) =>
  ARRAYS[dtype as keyof typeof ARRAYS] as (typeof ARRAYS)[keyof typeof ARRAYS] | undefined;

/** `count` zeros of TensorFlow's data type `dtype`. */
export function dataOf(dtype: number, count: number): Float32Array | Int32Array | Uint8Array {
  const Data = arrayOf(dtype);
  if (Data === undefined)
    throw new KitError(`A compiled function uses TensorFlow's data type ${dtype}.`, {
      code: 'COMPILE_DTYPE',
      fix: 'Use float32, int32 or bool inside a compiled function.',
    });
  return new Data(count);
}

/** The raw bytes of a tensor's data as tfjs hands it over; undefined when a graph constant cannot hold it. */
export function bytesOf(dtype: number, buffer: TF.backend_util.BackendValues): Uint8Array | undefined {
  const data = arrayOf(dtype)?.from(buffer as ArrayLike<number>);
  return data && new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** An attribute of an op as a graph holds it; undefined when a graph cannot hold its kind. */
export function attributeValue({ type, value }: Attribute): AttributeValue | undefined {
  const { binding } = internals();
  if (type === binding.TF_ATTR_INT)
    return Array.isArray(value) ? { ints: value as number[] } : { int: value as number };
  if (type === binding.TF_ATTR_STRING) return { string: value as string };
  if (type === binding.TF_ATTR_FLOAT) return { float: value as number };
  if (type === binding.TF_ATTR_BOOL) return { bool: value as boolean };
  if (type === binding.TF_ATTR_TYPE) return { type: value as number };
  if (type === binding.TF_ATTR_SHAPE) return { shape: value as number[] };
  return undefined;
}
