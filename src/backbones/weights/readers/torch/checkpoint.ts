// Finds the named tensors in the object of a PyTorch file: a state dict, or a checkpoint that holds several.
import { KitError } from '../../../../base/errors';
import type { NamedTensors } from '../named-tensors';
import type { PickleValue } from './pickle-machine';
import { TensorView, UnreadableTensor, type TensorViews } from './torch-tensors';

/** Most levels of dicts that are searched. */
const deepest = 4;

/** One set of named tensors of a checkpoint. */
export interface TensorDict extends NamedTensors {
  views: TensorViews;
  /** Tensors of unsupported types: type by name. */
  unreadable: Map<string, string>;
}

/** Every dict in `object` with tensors by name. @throws KitError when there is none. */
export function tensorDicts(object: PickleValue): TensorDict[] {
  const found: TensorDict[] = [];
  const seen = new Set<PickleValue>();
  const visit = (value: PickleValue, key: string, depth: number): void => {
    if (!(value instanceof Map) || seen.has(value) || depth > deepest) return;
    seen.add(value);
    const views: TensorViews = new Map();
    const unreadable = new Map<string, string>();
    for (const [name, item] of value) {
      if (typeof name !== 'string') continue;
      if (item instanceof TensorView) views.set(name, item);
      else if (item instanceof UnreadableTensor) unreadable.set(name, item.type);
    }
    if (views.size > 0) {
      const shapes = new Map([...views].map(([name, { shape }]) => [name, shape]));
      found.push({ key, shapes, views, unreadable });
    }
    for (const [name, item] of value)
      if (typeof name === 'string' && name.length < 256) visit(item, key === '' ? name : `${key}.${name}`, depth + 1);
  };
  visit(object, '', 0);
  if (found.length > 0) return found;
  throw new KitError('It has no named tensors, neither at the top nor under `state_dict` or `model`.', {
    code: 'PTH_NO_TENSORS',
    fix: 'Save the weights alone, as `torch.save(model.state_dict(), path)` does.',
  });
}
