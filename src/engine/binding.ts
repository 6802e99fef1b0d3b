// The door to TensorFlow's own ops: the Node backend of tfjs, its native binding, and the attributes that an op takes.
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend';
import type { TensorMetadata, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { tf, type TF } from './tensorflow';

export type { TensorMetadata, TFJSBinding };

/** An attribute of a TensorFlow op: `type` is one of the binding's TF_ATTR_* numbers. */
export interface Attribute {
  name: string;
  type: number;
  value: boolean | number | object | string | number[];
}

/** TensorFlow's numbers of the data types that the kit meets (types.proto). */
export const DataType = { float32: 1, int32: 3, uint8: 4, bool: 10 } as const;

/** A data type that a compiled function's argument can have; inside the function `uint8` is seen as int32. */
export type DataTypeName = keyof typeof DataType;

/** The Node backend of the process. */
export function backend(): NodeJSKernelBackend {
  return tf.backend() as NodeJSKernelBackend;
}

/** What the compiler needs of the Node backend beyond its public face. */
export interface BackendInternals {
  binding: TFJSBinding;
  /** Where the data of a tensor is: its native id, or values that have not been handed over yet. */
  tensorMap: { get(dataId: object): { id: number; values: unknown } };
  getInputTensorIds(tensors: readonly TF.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): TF.Tensor;
  write(values: TF.backend_util.BackendValues, shape: number[], dtype: TF.DataType): object;
}

/** The Node backend of the process, as the compiler sees it. */
export function internals(): BackendInternals {
  return tf.backend() as unknown as BackendInternals;
}

/** TensorFlow's numbers of the kinds of attributes (TF_AttrType in c_api.h), so that none is read from the library. */
export const AttributeKind = { string: 0, int: 1, float: 2, bool: 3, type: 4 } as const;

/** A data type attribute, for example `type('T', 'float32')`. */
export const type = (name: string, value: DataTypeName): Attribute => ({
  name,
  type: AttributeKind.type,
  value: DataType[value],
});
/** A float attribute. */
export const float = (name: string, value: number): Attribute => ({ name, type: AttributeKind.float, value });
/** A boolean attribute. */
export const flag = (name: string, value: boolean): Attribute => ({ name, type: AttributeKind.bool, value });
/** A string attribute. */
export const text = (name: string, value: string): Attribute => ({ name, type: AttributeKind.string, value });
/** A list of integers. */
export const list = (name: string, value: number[]): Attribute => ({ name, type: AttributeKind.int, value });
