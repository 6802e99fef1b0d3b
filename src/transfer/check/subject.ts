// The extension under check, named in every error.
import { KitError } from '../../base/errors';
import { namedError } from '../within';

/** The extension under check. */
export interface Subject {
  /** For example `trick`. */
  kind: string;
  name: string;
}

/** The result of `run`. @throws KitError that names the extension when `run` fails. */
export async function named<R>({ kind, name }: Subject, run: () => Promise<R>): Promise<R> {
  try {
    return await run();
  } catch (error) {
    throw namedError(kind, name, error);
  }
}

/** The error for code that gives other values when it is repeated with the same arguments. */
export const notPure = ({ kind, name }: Subject, what: string): KitError =>
  new KitError(`The ${kind} "${name}" gives ${what} when it is repeated with the same arguments.`, {
    code: 'EXTENSION_RANDOM',
    fix: 'Do not use Math.random, the time or a counter: draw from the given seed or stream.',
  });

/** The error for a number that is not finite. */
export const notFinite = ({ kind, name }: Subject, what: string): KitError =>
  new KitError(`The ${kind} "${name}" gives ${what} that is not a finite number.`, {
    code: 'EXTENSION_NAN',
    fix: 'Look for a division by zero, and for roots and logarithms of numbers that are not positive.',
  });
