// A check of errors by their stable code.
import { KitError } from '../../src/base/errors';

/** Whether an error is a KitError with `code`; for `assert.throws` and `assert.rejects`. */
export const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof KitError && error.code === code;
