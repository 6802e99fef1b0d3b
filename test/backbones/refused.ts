// Asserts that something is refused with a KitError of a certain code, and with a remedy.
import assert from 'node:assert/strict';
import { KitError } from '../../src/base/errors';

/** @param code of the error, or those that are allowed. */
export async function refused(promise: Promise<unknown>, code: string | readonly string[]): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof KitError, `expected a KitError, found ${String(error)}`);
    assert.ok([code].flat().includes(error.code), `${error.code}: ${error.message}`);
    assert.notEqual(error.fix, '', error.message);
    return true;
  });
}
