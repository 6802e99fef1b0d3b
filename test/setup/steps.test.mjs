import assert from 'node:assert/strict';
import { steps } from '../../setup/steps.mjs';

describe('the list of steps', () => {
  it('is in the order in which they need each other', () => {
    assert.deepEqual(
      steps.map(({ name }) => name),
      // prettier-ignore
      ['prerequisites', 'packages', 'shims', 'build', 'link', 'python', 'library', 'addon', 'kernel', 'weights', 'data', 'ray'],
    );
  });
});
