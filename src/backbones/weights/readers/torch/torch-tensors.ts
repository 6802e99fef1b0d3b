// What the pickle of a PyTorch file may say: tensors as strided views of storages, in a dict by name.
import { KitError } from '../../../../base/errors';
import { AllowedName, Opaque, type PickleRules, type PickleValue } from './pickle';
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

/** torch's storage classes and their element types. */
const storageTypes: ReadonlyMap<string, ElementType> = new Map([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.ShortStorage', 'int16'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

/** Most axes of a tensor: PyTorch's own limit. */
const mostAxes = 64;

/** A run of elements that tensors are views of. The pickle describes it; its data come after the pickle. */
export class Storage extends Opaque {
  readonly kind = 'storage';
  data: ElementArray | undefined;

  constructor(
    readonly key: string,
    readonly dtype: ElementType,
    readonly length: number,
  ) {
    super();
  }

  get byteLength(): number {
    return this.length * elementArrays[this.dtype].BYTES_PER_ELEMENT;
  }

  /** The storage's data are the bytes of `buffer`, from its start. */
  fill(buffer: ArrayBufferLike): void {
    this.data = new elementArrays[this.dtype](buffer as ArrayBuffer, 0, this.length);
  }
}

/** A tensor as the pickle describes it: a strided view of a storage, counted in elements. */
export class TensorView extends Opaque {
  readonly kind = 'tensor';

  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: number[],
    readonly stride: number[],
  ) {
    super();
  }
}

/** Tensors by name, in the order of the file. */
export type TensorViews = Map<string, TensorView>;

/**
 * The names that a pickle of tensors needs, and what each means. Every storage that it refers to is added to
 * `storages`.
 */
export function torchRules(storages: Map<string, Storage>): PickleRules {
  const allowed = [
    new AllowedName('collections.OrderedDict', ([pairs = []]) => new Map(pairs as [PickleValue, PickleValue][])),
    new AllowedName('torch._utils._rebuild_tensor', rebuildTensor),
    new AllowedName('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new AllowedName('torch._utils._rebuild_parameter', ([data]) => data),
    new AllowedName('torch.Size', ([sides]) => sides),
    ...[...storageTypes.keys()].map((name) => new AllowedName(name)),
  ];
  return {
    names: new Map(allowed.map((entry) => [entry.name, entry])),
    persistent: (id) => {
      const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
      const dtype = type instanceof AllowedName ? storageTypes.get(type.name) : undefined;
      if (kind !== 'storage' || dtype === undefined || view !== null) {
        throw new KitError('It refers to something that is not a whole storage of numbers.');
      }
      const name = storageKey(key);
      const storage = storages.get(name) ?? new Storage(name, dtype, wholeNumber(length));
      storages.set(name, storage);
      return storage;
    },
  };
}

/** What a file calls a storage: a text, or a whole number in old files. */
export function storageKey(key: PickleValue | undefined): string {
  if (typeof key !== 'string' && typeof key !== 'number') throw new KitError('A storage in it has no name.');
  return String(key);
}

/** torch's arguments: storage, offset, shape, stride, and what concerns gradients. */
function rebuildTensor([storage, offset, shape, stride]: PickleValue[]): TensorView {
  if (!(storage instanceof Storage)) throw new KitError('A tensor in it has no storage.');
  const view = new TensorView(storage, wholeNumber(offset), wholeNumbers(shape), wholeNumbers(stride));
  const count = sizeOf(view.shape);
  const last = view.shape.reduce((sum, side, axis) => sum + (side - 1) * view.stride[axis], view.offset);
  if (view.shape.length > mostAxes) throw new KitError(`A tensor in it has ${view.shape.length} axes.`);
  if (view.shape.length !== view.stride.length || count > storage.length || (count > 0 && last >= storage.length)) {
    throw new KitError(`A tensor in it reaches beyond its storage ${storage.key}.`);
  }
  return view;
}

function wholeNumber(found: PickleValue | undefined): number {
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0)
    throw new KitError('A size, stride or offset in it is not a whole number.');
  return found;
}

const wholeNumbers = (found: PickleValue | undefined): number[] =>
  Array.isArray(found) ? found.map(wholeNumber) : [wholeNumber(undefined)];

/**
 * The state dict in what a file holds: at its top, or under `state_dict`, `model_state_dict` or `model` of a
 * checkpoint.
 */
export function findTensors(object: PickleValue): TensorViews {
  const inside = object instanceof Map ? ['state_dict', 'model_state_dict', 'model'].map((key) => object.get(key)) : [];
  const found = [object, ...inside].map(tensorsIn).find((views) => views.size > 0);
  if (found === undefined) {
    throw new KitError('It holds no named tensors, neither at its top nor under `state_dict` or `model`.', {
      fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
    });
  }
  const parallel = [...found.keys()].every((name) => name.startsWith('module.'));
  return parallel ? new Map([...found].map(([name, view]) => [name.slice('module.'.length), view])) : found;
}

function tensorsIn(value: PickleValue | undefined): TensorViews {
  if (!(value instanceof Map)) return new Map();
  return new Map(
    [...value].filter(
      (entry): entry is [string, TensorView] => typeof entry[0] === 'string' && entry[1] instanceof TensorView,
    ),
  );
}

/** The storages that the tensors are views of, each once. */
export const storagesOf = (views: TensorViews): Storage[] => [
  ...new Set([...views.values()].map((view) => view.storage)),
];

/**
 * The tensors with their elements; the storages must be filled.
 * @throws KitError when the copies that transposed and sliced views need are larger than all storages together.
 */
export function materialise(views: TensorViews): StateDict {
  let room = storagesOf(views).reduce((sum, storage) => sum + storage.byteLength, 0);
  for (const view of views.values())
    if (!isRowMajor(view)) room -= sizeOf(view.shape) * elementArrays[view.storage.dtype].BYTES_PER_ELEMENT;
  if (room < 0) throw new KitError('It repeats its numbers in more views than there are numbers.');
  return new Map([...views].map(([name, view]) => [name, tensorOf(view)]));
}

/** Whether the elements of a view lie one after the other in its storage. */
function isRowMajor({ shape, stride }: TensorView): boolean {
  const rowMajor = rowMajorStrides(shape);
  return shape.every((side, axis) => side === 1 || stride[axis] === rowMajor[axis]);
}

/** The elements of a view in row-major order: the storage's own memory where they lie so, else a copy. */
function tensorOf(view: TensorView): StateTensor {
  const { storage, offset, shape, stride } = view;
  const data = storage.data!;
  const count = sizeOf(shape);
  if (isRowMajor(view)) return { shape, dtype: storage.dtype, data: data.subarray(offset, offset + count) };
  return {
    shape,
    dtype: storage.dtype,
    data: gather(data, new elementArrays[storage.dtype](count), offset, shape, stride),
  };
}
