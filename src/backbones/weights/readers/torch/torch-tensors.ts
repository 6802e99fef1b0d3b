// The tensors of a PyTorch file: strided views of storages, and the copies that some of them need.
import { KitError } from '../../../../base/errors';
import {
  elementArrays,
  gather,
  rowMajorStrides,
  sizeOf,
  type ElementArray,
  type ElementType,
  type StateDict,
  type StateTensor,
} from '../state-dict';
import { Opaque } from './pickle-machine';

/** Most bytes for the copies of all expanded tensors: an expanded tensor is a view of fewer numbers than it has. */
const roomForExpanded = 16 * 2 ** 20;

/** The elements of a storage: a supported type, or the name and size of an unsupported one. */
export type StorageType = { dtype: ElementType } | { dtype: null; name: string; bytes: number };

/** A sequence of elements of which tensors are views. The pickle describes it; its data come after the pickle. */
export class Storage extends Opaque {
  readonly kind = 'storage';
  data: ElementArray | undefined;

  constructor(
    readonly key: string,
    readonly type: StorageType,
    /** Number of elements. */
    readonly length: number,
  ) {
    super();
  }

  get byteLength(): number {
    const { type } = this;
    return this.length * (type.dtype === null ? type.bytes : elementArrays[type.dtype].BYTES_PER_ELEMENT);
  }

  /** The storage's data are the bytes of `buffer`, from its start. */
  fill(buffer: ArrayBufferLike): void {
    const { dtype } = this.type;
    if (dtype !== null) this.data = new elementArrays[dtype](buffer as ArrayBuffer, 0, this.length);
  }
}

/** A tensor as the pickle describes it: a strided view of a storage, counted in elements. */
export class TensorView extends Opaque {
  readonly kind = 'tensor';

  constructor(
    readonly storage: Storage,
    readonly dtype: ElementType,
    readonly offset: number,
    readonly shape: number[],
    readonly stride: number[],
  ) {
    super();
  }
}

/** A tensor of an unsupported type or form: complex, quantized, sparse, 8-bit floating point. */
export class UnreadableTensor extends Opaque {
  readonly kind = 'unreadable tensor';

  /** @param type for messages, for example `complex64`. */
  constructor(readonly type: string) {
    super();
  }
}

/** Tensors by name, in the order of the file. */
export type TensorViews = Map<string, TensorView>;

/** The storages that the tensors are views of, each once. */
export const storagesOf = (views: TensorViews): Storage[] => [
  ...new Set([...views.values()].map((view) => view.storage)),
];

/**
 * The tensors with their elements; the storages must be filled.
 * @throws KitError when the copies of transposed and sliced views would be larger than all storages together, or those
 *   of expanded ones larger than 16 MiB.
 */
export function materialise(views: TensorViews): StateDict {
  let room = storagesOf(views).reduce((sum, storage) => sum + storage.byteLength, 0);
  let expanded = roomForExpanded;
  for (const view of views.values()) {
    const bytes = sizeOf(view.shape) * elementArrays[view.dtype].BYTES_PER_ELEMENT;
    if (isExpanded(view)) expanded -= bytes;
    else if (!isRowMajor(view)) room -= bytes;
  }
  if (!(room >= 0 && expanded >= 0))
    throw new KitError('It has more views of its numbers than a checkpoint should have.', { code: 'PTH_VIEWS' });
  return new Map([...views].map(([name, view]) => [name, tensorOf(view)]));
}

/** Whether a view repeats its elements along an axis. */
const isExpanded = ({ shape, stride }: TensorView): boolean =>
  shape.some((side, axis) => side > 1 && stride[axis] === 0);

/** Whether the elements of a view are contiguous in its storage. */
function isRowMajor({ shape, stride }: TensorView): boolean {
  const rowMajor = rowMajorStrides(shape);
  return shape.every((side, axis) => side === 1 || stride[axis] === rowMajor[axis]);
}

/** The elements of a view in row-major order: the memory of the storage if they are contiguous, otherwise a copy. */
function tensorOf(view: TensorView): StateTensor {
  const { storage, dtype, offset, shape, stride } = view;
  const data = storage.data!;
  const count = sizeOf(shape);
  if (isRowMajor(view)) return { shape, dtype, data: data.subarray(offset, offset + count) };
  return { shape, dtype, data: gather(data, new elementArrays[dtype](count), offset, shape, stride) };
}
