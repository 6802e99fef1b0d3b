// The names that the pickle of a PyTorch file may use: those of `torch.load(weights_only=True)`, as plain data.
import { KitError } from '../../../../base/errors';
import type { MemoryBudget } from '../memory-budget';
import { sizeOf, type ElementType } from '../state-dict';
import { AllowedName, cost, malformed, type PickleRules, type PickleValue } from './pickle-machine';
import { Storage, TensorView, UnreadableTensor, type StorageType } from './torch-tensors';

/** torch's storage classes with supported element types. */
const storageTypes: Readonly<Record<string, ElementType>> = {
  Double: 'float64',
  Float: 'float32',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
};

/** torch's other storage classes: the type's name, and the size of an element in bytes. */
const otherStorages: Readonly<Record<string, { name: string; bytes: number }>> = {
  'torch.ComplexFloatStorage': { name: 'complex64', bytes: 8 },
  'torch.ComplexDoubleStorage': { name: 'complex128', bytes: 16 },
  'torch.QInt8Storage': { name: 'qint8', bytes: 1 },
  'torch.QUInt8Storage': { name: 'quint8', bytes: 1 },
  'torch.QInt32Storage': { name: 'qint32', bytes: 4 },
  'torch.QUInt4x2Storage': { name: 'quint4x2', bytes: 1 },
  'torch.QUInt2x4Storage': { name: 'quint2x4', bytes: 1 },
  // bytes; their type is given elsewhere
  'torch.storage.UntypedStorage': { name: 'untyped', bytes: 1 },
};

/** The elements of each storage class, by its name. */
const storages: ReadonlyMap<string, StorageType> = new Map<string, StorageType>([
  ...Object.entries(storageTypes).map(([name, dtype]): [string, StorageType] => [`torch.${name}Storage`, { dtype }]),
  ...Object.entries(otherStorages).map(([name, type]): [string, StorageType] => [name, { dtype: null, ...type }]),
]);

/** Names of element types, quantization schemes and the like: a checkpoint may hold them as values. */
const torchConstant = new RegExp(
  '^torch\\.(double|half|bfloat16|u?int\\d{0,2}|short|long|bool|float\\w*|complex\\w*|cfloat|chalf|cdouble|' +
    'q\\w*int\\w+|per_(tensor|channel)_\\w+)$',
);

/** Classes that a checkpoint may contain and that weights do not need: types of tensors, factories of defaultdict. */
const inertClasses = [
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
  ...['list', 'dict', 'int', 'float', 'str', 'tuple'].map((name) => `builtins.${name}`),
];

/** Most axes of a tensor: PyTorch's own limit. */
const mostAxes = 64;

/** The functions that a pickle may call. Each makes only plain data. */
const calls: Readonly<Record<string, NonNullable<AllowedName['call']>>> = {
  'collections.OrderedDict': ([pairs = []], budget) => dictOf(pairs, budget),
  'collections.Counter': ([counts = []], budget) => dictOf(counts, budget),
  'collections.defaultdict': ([, items = []], budget) => dictOf(items, budget),
  'argparse.Namespace': (_, budget) => dictOf([], budget),
  'builtins.set': ([items = []], budget) => setOf(items, budget),
  'builtins.frozenset': ([items = []], budget) => setOf(items, budget),
  'builtins.complex': (parts) => parts.slice(0, 2),
  'builtins.bytearray': ([content = null]) => content,
  '_codecs.encode': ([text = null]) => text,
  'torch.Size': ([sides = []]) => sides,
  'torch.device': ([name = null]) => name,
  'torch.serialization._get_layout': ([name = null]) => name,
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': (args) => new UnreadableTensor(nameOf(args[6])),
  'torch._utils._rebuild_parameter': ([data = null]) => data,
  'torch._utils._rebuild_parameter_with_state': ([data = null]) => data,
  'torch._utils._rebuild_qtensor': () => new UnreadableTensor('quantized'),
  'torch._utils._rebuild_sparse_tensor': () => new UnreadableTensor('sparse'),
  'torch._utils._rebuild_meta_tensor_no_storage': () => new UnreadableTensor('meta'),
  'torch._utils._rebuild_wrapper_subclass': () => new UnreadableTensor('wrapped'),
  'torch._utils._rebuild_device_tensor_from_numpy': () => new UnreadableTensor('numpy'),
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': ([data = null]) => data,
  // a tensor with attributes: the function that makes the tensor, its class, and the function's arguments
  'torch._tensor._rebuild_from_type_v2': ([make, , args], budget) => {
    if (!(make instanceof AllowedName) || !/\._rebuild_(tensor|parameter)/.test(make.name) || !Array.isArray(args))
      throw malformed('a tensor with attributes is made in a way that PyTorch does not use');
    return make.call!(args, budget);
  },
};

const allowed: ReadonlyMap<string, AllowedName> = new Map(
  [
    ...Object.entries(calls).map(([name, call]) => new AllowedName(name, call)),
    ...[...storages.keys(), ...inertClasses].map((name) => new AllowedName(name)),
  ].map((entry) => [entry.name, entry]),
);

/** The rules of a pickle of tensors. Every storage in it is added to `found`. */
export function torchRules(found: Map<string, Storage>, budget: MemoryBudget): PickleRules {
  return {
    budget,
    nameOf(written) {
      const name = written.replace(/^__builtin__\./, 'builtins.'); // Python 2's name, in pickles of protocol 2
      return allowed.get(name) ?? (torchConstant.test(name) ? new AllowedName(name) : undefined);
    },
    persistent: (id) => {
      const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
      const stored = type instanceof AllowedName ? storages.get(type.name) : undefined;
      if (kind !== 'storage' || stored === undefined || view !== null)
        throw new KitError('It refers to something other than a storage of numbers.', { code: 'PTH_STORAGE' });
      const name = storageKey(key);
      budget.spend(cost.map);
      const storage = found.get(name) ?? new Storage(name, stored, wholeNumber(length));
      found.set(name, storage);
      return storage;
    },
  };
}

/** The name of a storage in the file: a text, or an integer in old files. */
export function storageKey(key: PickleValue | undefined): string {
  if (typeof key !== 'string' && typeof key !== 'number')
    throw new KitError('A storage in it has no name.', { code: 'PTH_STORAGE' });
  return String(key);
}

/** torch's arguments: storage, offset, shape, stride, and notes on gradients. */
function rebuildTensor([storage, offset, shape, stride]: PickleValue[], budget: MemoryBudget): PickleValue {
  if (!(storage instanceof Storage)) throw new KitError('A tensor in it has no storage.', { code: 'PTH_TENSOR' });
  budget.spend(cost.map);
  const { type } = storage;
  if (type.dtype === null) return new UnreadableTensor(type.name);
  const view = new TensorView(storage, type.dtype, wholeNumber(offset), sidesOf(shape), sidesOf(stride));
  const count = sizeOf(view.shape);
  const last = view.shape.reduce((sum, side, axis) => sum + (side - 1) * view.stride[axis], view.offset);
  const fits = Number.isSafeInteger(count) && (count === 0 || last < storage.length);
  if (view.shape.length !== view.stride.length || !fits)
    throw new KitError(`A tensor in it reaches beyond its storage ${storage.key.slice(0, 40)}.`, {
      code: 'PTH_TENSOR',
    });
  return view;
}

function wholeNumber(found: PickleValue | undefined): number {
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0)
    throw new KitError('A size, stride or offset in it is not an integer.', { code: 'PTH_TENSOR' });
  return found;
}

function sidesOf(found: PickleValue | undefined): number[] {
  if (!Array.isArray(found) || found.length > mostAxes)
    throw new KitError(`A tensor in it has no shape of at most ${mostAxes} axes.`, { code: 'PTH_TENSOR' });
  return found.map(wholeNumber);
}

/** A dict of pairs, or a copy of a dict. */
function dictOf(of: PickleValue, budget: MemoryBudget): PickleValue {
  if (!(of instanceof Map) && !Array.isArray(of)) throw malformed('a dict is made of something that is no list');
  budget.spend(cost.map + cost.entry * (of instanceof Map ? of.size : of.length));
  const dict = new Map<PickleValue, PickleValue>();
  for (const pair of of) {
    if (!Array.isArray(pair) || pair.length !== 2) throw malformed('a dict is made of something that is no pair');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function setOf(of: PickleValue, budget: MemoryBudget): PickleValue {
  if (!(of instanceof Set) && !Array.isArray(of)) throw malformed('a set is made of something that is no list');
  budget.spend(cost.map + cost.entry * (of instanceof Set ? of.size : of.length));
  return new Set(of);
}

/** The last part of an allowed name: `uint16` of `torch.uint16`. */
const nameOf = (value: PickleValue | undefined): string =>
  value instanceof AllowedName ? value.name.slice(value.name.lastIndexOf('.') + 1) : 'unknown';
