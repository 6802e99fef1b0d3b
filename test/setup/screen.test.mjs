import assert from 'node:assert/strict';
import { bar, duration } from '../../setup/screen.mjs';

describe('the line of a running step', () => {
  it('has the time left from the expected time, later from the fraction done', () => {
    assert.match(bar({ title: 'x', elapsed: 10, expected: 40 }), /████░{12} 10 s, about 30 s left/);
    assert.match(bar({ title: 'x', elapsed: 10, expected: 40, fraction: 0.5 }), /█{8}░{8} 10 s, about 10 s left/);
    assert.match(bar({ title: 'x', elapsed: 50, expected: 40 }), /longer than expected/);
  });
  it('has times in seconds and minutes', () =>
    assert.deepEqual([0.31, 9.96, 41.2, 59.7, 125].map(duration), [
      '0.3 s',
      '10.0 s',
      '41 s',
      '1 min 0 s',
      '2 min 5 s',
    ]));
});
