import assert from 'node:assert/strict';
import { philox, randomStream } from '../../src/base/random';

describe('random', () => {
  it('agrees with the known answers of Random123 for Philox 4x32-10 (kat_vectors)', () => {
    const ones = 0xffffffff;
    assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    assert.deepEqual(philox([ones, ones, ones, ones], [ones, ones]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    assert.deepEqual(
      philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    );
  });
  it('is a pure function of seed, name, epoch and index', () => {
    const draw = (...at: Parameters<typeof randomStream>) => {
      const s = randomStream(...at);
      return [s.uniform(), s.uniform(), s.uniform()];
    };
    assert.deepEqual(draw(1, 'crop', 2, 3), draw(1, 'crop', 2, 3));
    const all = [
      draw(1, 'crop', 2, 3),
      draw(2, 'crop', 2, 3),
      draw(1, 'head', 2, 3),
      draw(1, 'crop', 3, 3),
      draw(1, 'crop', 2, 4),
    ].map(String);
    assert.equal(new Set(all).size, 5);
  });
  it('continues from its counter', () => {
    const a = randomStream(5, 'shuffle');
    for (let i = 0; i < 7; i++) a.uniform();
    const b = randomStream(5, 'shuffle');
    b.counter = a.counter;
    assert.equal(a.counter, 14);
    assert.deepEqual([a.normal(), a.integer(10)], [b.normal(), b.integer(10)]);
  });
  it('has the moments of its distributions within four standard errors', () => {
    const n = 20000;
    const s = randomStream(0, 'test');
    const mean = (xs: number[]) => xs.reduce((a, b) => a + b, 0) / n;
    const normal = Array.from({ length: n }, () => s.normal(2, 3));
    assert.ok(Math.abs(mean(normal) - 2) < (4 * 3) / Math.sqrt(n));
    assert.ok(Math.abs(mean(normal.map((x) => (x - 2) ** 2)) - 9) < (4 * 9 * Math.SQRT2) / Math.sqrt(n));
    const uniform = Array.from({ length: n }, () => s.uniform(-1, 3));
    assert.ok(uniform.every((x) => x >= -1 && x < 3));
    assert.ok(Math.abs(mean(uniform) - 1) < (4 * 4) / Math.sqrt(12 * n));
  });
  it('permutes: every place and every value once, first places near uniform', () => {
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 5000; i++) {
      const order = randomStream(i, 'shuffle').permutation(5);
      assert.deepEqual([...order].sort(), [0, 1, 2, 3, 4]);
      counts[order[0]]++;
    }
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(800), String(counts));
  });
});
