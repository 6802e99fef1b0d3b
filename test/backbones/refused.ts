// Asserts that something is refused with a KitError whose message and remedy say what they should.
import assert from 'node:assert/strict';
import { KitError } from '../../src/base/errors';

/** `message` must match the error's message, `fix` its remedy (which must not be empty). */
export async function refused(promise: Promise<unknown>, message: RegExp, fix = /./): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof KitError, `expected a KitError, found ${String(error)}`);
    assert.match(error.message, message);
    assert.match(error.fix, fix);
    return true;
  });
}
