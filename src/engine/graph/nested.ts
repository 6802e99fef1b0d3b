// Results nested in arrays and objects: taken apart into a list of leaves, and put together again.
import { KitError } from '../../base/errors';

/** A leaf, or arrays and plain objects of leaves, nested to any depth. */
export type Nested<T> = T | NestedList<T> | NestedRecord<T>;
/** A list of nested values. */
export interface NestedList<T> extends ReadonlyArray<Nested<T>> {}
/** An object of nested values. */
export interface NestedRecord<T> {
  [key: string]: Nested<T>;
}

/**
 * The leaves of `value` in order, and its structure with each leaf's position in that list.
 * @param what names the value in the error.
 * @throws KitError where something is neither a leaf nor an array nor a plain object.
 */
export function flatten<T>(
  value: Nested<T>,
  isLeaf: (value: unknown) => value is T,
  what: string,
): { leaves: T[]; structure: Nested<number> } {
  const leaves: T[] = [];
  const visit = (item: unknown, at: string): Nested<number> => {
    if (isLeaf(item)) return leaves.push(item) - 1;
    if (Array.isArray(item)) return item.map((inner, i) => visit(inner, `${at}[${i}]`));
    if (typeof item === 'object' && item !== null && Object.getPrototypeOf(item) === Object.prototype) {
      return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, visit(inner, `${at}.${key}`)]));
    }
    if (item === undefined && at === what) return [];
    throw new KitError(
      `The ${at} is ${item === null ? 'null' : typeof item}: expected tensors, nested in arrays and plain objects.`,
      {
        code: 'COMPILE_RESULT',
        fix: 'Return tensors only; compute plain numbers outside.',
      },
    );
  };
  return { structure: visit(value, what), leaves };
}

/** The inverse of `flatten`: `structure` with `leaves` in place of their positions. */
export function unflatten<T>(structure: Nested<number>, leaves: readonly T[]): Nested<T> {
  if (typeof structure === 'number') return leaves[structure];
  if (Array.isArray(structure)) return structure.map((item: Nested<number>) => unflatten(item, leaves));
  return Object.fromEntries(
    Object.entries(structure).map(([key, item]) => [key, unflatten(item as Nested<number>, leaves)]),
  );
}
