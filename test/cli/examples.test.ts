import assert from 'node:assert/strict';
import { examples } from '../../src/cli/examples';

describe('examples', () => {
  it('are command lines for npx', () => {
    assert.equal(examples('rifle doctor'), '\nExample:\n  $ npx rifle doctor');
    assert.equal(examples('rifle a', 'rifle b'), '\nExamples:\n  $ npx rifle a\n  $ npx rifle b');
  });
});
