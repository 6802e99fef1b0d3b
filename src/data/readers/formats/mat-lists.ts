// Lists out of MATLAB's variables, with errors that name them.
import { KitError } from '../../../base/errors';
import type { MatValue } from './mat';

function wrong(expected: string, what: string, value: MatValue | undefined): KitError {
  return new KitError(
    `The variable ${what} should be ${expected}, found ${value === undefined ? 'nothing' : value.kind}.`,
    { code: 'DATASET_LIST_INVALID' },
  );
}

/** The numbers of a matrix. @throws KitError that names `what` when it is no matrix of numbers. */
export function matNumbers(value: MatValue | undefined, what: string): Float64Array {
  if (value?.kind !== 'numbers') throw wrong('numbers', what, value);
  return value.values;
}

/** One text. @throws KitError that names `what` when it is none. */
export function matText(value: MatValue | undefined, what: string): string {
  if (value?.kind !== 'text' || value.rows.length !== 1) throw wrong('a text', what, value);
  return value.rows[0];
}

/** The texts in cells. @throws KitError that names `what` when it is something else. */
export function matTexts(value: MatValue | undefined, what: string): string[] {
  if (value?.kind !== 'cells') throw wrong('cells with texts', what, value);
  return value.cells.map((cell) => matText(cell, what));
}
