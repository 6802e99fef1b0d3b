import assert from 'node:assert/strict';
import { killTest } from './kills';

describe('a run with random masks that is killed again and again', function () {
  this.timeout(900_000);
  it('ends with the bits of one that nobody touched (six kills; `npm run kills` does sixty)', async () => {
    const { kills, runs } = await killTest({ count: 6, seed: 1 });
    assert.ok(Object.values(kills).reduce((sum, n) => sum + n, 0) >= 6);
    assert.ok(runs >= 1);
  });
});
