// Means and intervals against numpy and scipy.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { mean, meanInterval, sampleStd, summarize, tTestP } from '../../../src/analysis/statistics/statistics';
import { packageRoot } from '../../../src/base/home';
import { golden as evidence } from './golden';

interface GoldenSummary {
  mean: number;
  std: number;
  interval95: [number, number];
}
interface Golden {
  samples: Record<string, GoldenSummary & { values: number[]; interval99: [number, number] }>;
}
const golden = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis/statistics.json'), 'utf8'),
) as Golden;

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

  it("gives scipy's p of the t-test, far out too", () => {
    for (const { values, value, p } of evidence.tTests) near(tTestP(summarize(values), value)! / p, 1, 'p');
    assert.equal(tTestP(summarize([2, 2, 2])), 0);
    assert.equal(tTestP(summarize([0, 0])), 1);
    assert.equal(tTestP(summarize([1])), null);
  });

  it('claims no spread and no interval of fewer than two values', () => {
    assert.deepEqual(summarize([]), { n: 0, mean: null, std: null, interval: null });
    assert.deepEqual(summarize([0.5]), { n: 1, mean: 0.5, std: null, interval: null });
    assert.throws(() => mean([]), RangeError);
    assert.throws(() => sampleStd([1]), RangeError);
    assert.throws(() => meanInterval([1]), RangeError);
  });
});
