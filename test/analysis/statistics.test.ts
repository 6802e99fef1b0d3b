// Means, intervals and paired differences against numpy and scipy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { mean, meanInterval, pairedDifference, sampleStd, summarize } from '../../src/analysis/statistics';
import { packageRoot } from '../../src/engine/home';

interface GoldenSummary {
  mean: number;
  std: number;
  interval95: [number, number];
}
interface Golden {
  samples: Record<string, GoldenSummary & { values: number[]; interval99: [number, number] }>;
  pairs: Record<string, GoldenSummary & { treated: number[]; control: number[] }>;
}
const golden = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/statistics.json'), 'utf8')) as Golden;

function near(found: number, expected: number, what: string): void {
  const scale = Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(found - expected) <= 1e-7 * scale, `${what}: expected ${expected}, found ${found}`);
}

describe('statistics', () => {
  for (const [name, sample] of Object.entries(golden.samples)) {
    it(`gives scipy's mean, standard deviation and intervals of "${name}"`, () => {
      near(mean(sample.values), sample.mean, 'mean');
      near(sampleStd(sample.values), sample.std, 'std');
      for (const [confidence, expected] of [
        [0.95, sample.interval95],
        [0.99, sample.interval99],
      ] as const) {
        const { low, high } = meanInterval(sample.values, confidence);
        near(low, expected[0], `low at ${confidence}`);
        near(high, expected[1], `high at ${confidence}`);
      }
    });
  }

  for (const [name, pair] of Object.entries(golden.pairs)) {
    it(`gives the interval of scipy's paired t-test for "${name}"`, () => {
      const bySeed = (values: number[]): Map<number, number> => new Map(values.map((value, seed) => [seed, value]));
      const found = pairedDifference(bySeed(pair.treated), bySeed(pair.control));
      near(found.mean!, pair.mean, 'mean');
      near(found.std!, pair.std, 'std');
      near(found.interval!.low, pair.interval95[0], 'low');
      near(found.interval!.high, pair.interval95[1], 'high');
    });
  }

  it('pairs by seed alone: order and seeds of one side only change nothing', () => {
    const treated = new Map([[3, 0.9], [1, 0.8], [7, 0.1]]);
    const control = new Map([[1, 0.7], [9, 0.2], [3, 0.6]]);
    const found = pairedDifference(treated, control);
    assert.deepEqual(found.seeds, [1, 3]);
    near(found.mean!, 0.2, 'mean of 0.1 and 0.3');
    near(found.std!, Math.SQRT2 / 10, 'std of 0.1 and 0.3');
  });

  it('claims no spread and no interval of fewer than two values', () => {
    assert.deepEqual(summarize([]), { n: 0, mean: null, std: null, interval: null });
    assert.deepEqual(summarize([0.5]), { n: 1, mean: 0.5, std: null, interval: null });
    assert.deepEqual(pairedDifference(new Map([[0, 1]]), new Map([[1, 1]])).seeds, []);
    assert.throws(() => mean([]), RangeError);
    assert.throws(() => sampleStd([1]), RangeError);
    assert.throws(() => meanInterval([1]), RangeError);
  });
});
