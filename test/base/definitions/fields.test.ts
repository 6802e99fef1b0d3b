// The fields of a definition, as a file without a check of types may have them.
import assert from 'node:assert/strict';
import { checkFields } from '../../../src/base/definitions/fields';
import { z } from '../../../src/extend';

describe('the fields of a definition', () => {
  const check = (definition: object): void =>
    checkFields('trick', { name: 'a/b', ...definition }, { create: 'function?', slots: 'list', at: 'string?' });
  const right = { slots: [], options: z.strictObject({}), title: 'T', version: 2, create: () => ({}) };

  it('may be left out where they have a default', () => {
    check(right);
    check({ slots: ['m'] });
  });

  it('are refused where they are missing, unknown or of a wrong type', () => {
    for (const [change, message] of [
      [{ name: undefined }, /its name is missing/],
      [{ slots: undefined }, /slots is missing, not a list/],
      [{ create: {} }, /create is an object/],
      [{ title: 3 }, /title is a number/],
      [{ options: { rate: 3 } }, /not a zod object/],
      [{ creat: () => ({}) }, /unknown field creat; did you mean create/],
    ] as const)
      assert.throws(() => check({ ...right, ...change }), { code: 'DEFINITION_FORM', message });
  });
});
