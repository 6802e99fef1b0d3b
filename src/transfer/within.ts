// Runs the code of a definition inside a step, and names the definition in every error.
import { KitError } from '../base/errors';
import { tf, type TF } from '../engine/tensorflow';

/** `error`, thrown by the code of the definition `name`, as a KitError that names the definition. */
export function namedError(kind: string, name: string, error: unknown): KitError {
  if (error instanceof KitError && error.message.includes(`"${name}"`)) return error;
  const { message, fix } = error as Partial<KitError>;
  return new KitError(`In the ${kind} "${name}": ${message ?? String(error)}`, {
    code: error instanceof KitError ? error.code : 'EXTENSION_FAILED',
    fix: fix || `Correct the ${kind} "${name}".`,
    cause: error,
  });
}

/**
 * The result of `run`, a function of the definition `name`.
 * @throws KitError that names the definition, when the function is async or fails.
 */
export function within<R>(kind: string, name: string, run: () => R): R {
  let result: R;
  try {
    result = run();
  } catch (error) {
    throw namedError(kind, name, error);
  }
  if (result instanceof Promise) {
    result.catch(() => undefined); // this error is the one to report
    throw new KitError(`The ${kind} "${name}" is asynchronous: it returns a promise.`, {
      code: 'EXTENSION_ASYNC',
      fix: 'Make it an ordinary function that returns tensors.',
    });
  }
  return result;
}

/** `value`, if it is a tensor of `shape` (null: any length) and of one of `dtypes`. @throws KitError otherwise. */
export function requireTensor<T extends TF.Tensor>(
  what: string,
  value: T,
  shape: readonly (number | null)[],
  dtypes: readonly string[],
): T {
  const found = value instanceof tf.Tensor ? `${value.dtype} [${value.shape.join(', ')}]` : typeof value;
  const fits =
    value instanceof tf.Tensor &&
    dtypes.includes(value.dtype) &&
    value.shape.length === shape.length &&
    shape.every((length, axis) => length === null || length === value.shape[axis]);
  if (fits) return value;
  throw new KitError(
    `The ${what} must return a tensor ${dtypes.join(' or ')} ` +
      `[${shape.map((length) => length ?? 'any').join(', ')}], found ${found}.`,
    { code: 'EXTENSION_SHAPE', fix: 'Return a tensor of this shape and data type.' },
  );
}

/** A penalty must be a scalar: anything else would change the loss without a word. */
export const requireScalar = (kind: string, name: string, value: TF.Scalar): TF.Scalar =>
  requireTensor(`penalty of the ${kind} "${name}"`, value, [], ['float32']);
