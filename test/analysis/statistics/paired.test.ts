// The bootstrap interval and the signed-rank test against scipy, and the difference of paired runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { bcaInterval, bootstrapInterval } from '../../../src/analysis/statistics/bootstrap';
import { pairedDifference } from '../../../src/analysis/statistics/paired';
import { wilcoxonSignedRank } from '../../../src/analysis/statistics/wilcoxon';
import { packageRoot } from '../../../src/base/home';

const read = (name: string): unknown =>
  JSON.parse(fs.readFileSync(path.join(packageRoot(), 'test/fixtures/analysis', name), 'utf8'));
const golden = read('paired.json') as {
  bootstrap: Record<
    string,
    { values: number[]; resampled: number[]; interval: [number, number]; manyResamples: [number, number] }
  >;
  wilcoxon: Record<string, { values: number[]; statistic: number; pValue: number }>;
};
const pairs = (
  read('statistics.json') as {
    pairs: Record<
      string,
      { treated: number[]; control: number[]; mean: number; std: number; interval95: [number, number] }
    >;
  }
).pairs;

function near(found: number, expected: number, what: string, tolerance = 1e-7): void {
  assert.ok(
    Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: expected ${expected}, found ${found}`,
  );
}

describe('bootstrapInterval', () => {
  for (const [name, { values, resampled, interval, manyResamples }] of Object.entries(golden.bootstrap)) {
    it(`is scipy's BCa interval of "${name}" for scipy's own resamples`, () => {
      const { low, high } = bcaInterval(values, resampled);
      near(low, interval[0], 'low');
      near(high, interval[1], 'high');
    });

    it(`comes near scipy's of 200,000 resamples for "${name}" with 10,000 of its own`, () => {
      const { low, high } = bootstrapInterval(values)!;
      const width = manyResamples[1] - manyResamples[0];
      // The standard error of a 2.5 % quantile of 10,000 draws is about 1 % of the interval; means of few values are
      // moreover lumpy.
      near(low, manyResamples[0], 'low', 0.05 * width);
      near(high, manyResamples[1], 'high', 0.05 * width);
    });
  }

  it('is the same every time, and moves with the seed', () => {
    const { values } = golden.bootstrap.twelve;
    assert.deepEqual(bootstrapInterval(values), bootstrapInterval(values));
    assert.notDeepEqual(bootstrapInterval(values), bootstrapInterval(values, { seed: 1 }));
    const [narrow, wide] = [0.8, 0.99].map((confidence) => bootstrapInterval(values, { confidence })!);
    assert.ok(wide.low < narrow.low && narrow.high < wide.high);
  });

  it('says nothing of fewer than five values, and gives no width to equal ones', () => {
    assert.equal(bootstrapInterval([1, 2, 3, 4]), null);
    assert.deepEqual(bootstrapInterval([2, 2, 2, 2, 2]), { low: 2, high: 2 });
  });
});

describe('wilcoxonSignedRank', () => {
  for (const [name, { values, statistic, pValue }] of Object.entries(golden.wilcoxon)) {
    const nonzero = values.filter((value) => value !== 0).length;
    it(`${nonzero < 6 ? 'says nothing' : "gives scipy's statistic and p"} of "${name}"`, () => {
      const found = wilcoxonSignedRank(values);
      if (nonzero < 6) return assert.equal(found, null);
      assert.equal(found!.n, nonzero);
      near(found!.statistic, statistic, 'statistic');
      near(found!.pValue, pValue, 'p', 1e-9);
      assert.equal(found!.method, nonzero > 50 ? 'normal' : 'exact');
    });
  }

  it('ties accuracies whose counts are the same, whatever their last bits', () => {
    // Of 200 images: 2, 2, 2, 4, 6, 1 more, as differences of percentages.
    const differences = [
      [162, 160],
      [171, 169],
      [143, 141],
      [164, 160],
      [133, 127],
      [190, 189],
    ].map(([a, b]) => 100 * (a / 200) - 100 * (b / 200));
    assert.equal(wilcoxonSignedRank([...differences, 100 * 0.57 - 57])!.n, 6);
    assert.deepEqual(wilcoxonSignedRank(differences), { n: 6, statistic: 0, pValue: 2 / 64, method: 'exact' });
  });

  it('cannot reach 0.05 with five differences, and can with six', () => {
    assert.equal(wilcoxonSignedRank([1, 2, 3, 4, 5]), null);
    assert.equal(wilcoxonSignedRank([1, 2, 3, 4, 5, 6])!.pValue, 0.03125);
  });
});

describe('pairedDifference', () => {
  const bySeed = (values: number[]): Map<number, number> => new Map(values.map((value, seed) => [seed, value]));

  for (const [name, pair] of Object.entries(pairs)) {
    it(`gives the interval of scipy's paired t-test for "${name}"`, () => {
      const found = pairedDifference(bySeed(pair.treated), bySeed(pair.control));
      near(found.mean!, pair.mean, 'mean');
      near(found.std!, pair.std, 'std');
      near(found.interval!.low, pair.interval95[0], 'low');
      near(found.interval!.high, pair.interval95[1], 'high');
      assert.deepEqual([found.bootstrap, found.wilcoxon], [null, null], 'three or four pairs are too few for either');
    });
  }

  it('brings the bootstrap interval and the signed-rank test where the pairs allow them', () => {
    const { values, pValue } = golden.wilcoxon.twelve;
    const found = pairedDifference(bySeed(values.map((value) => value + 80)), bySeed(values.map(() => 80)));
    near(found.wilcoxon!.pValue, pValue, 'p', 1e-9);
    near(found.bootstrap!.low, bootstrapInterval(values)!.low, 'low');
    assert.equal(found.differences.length, 12);
  });

  it('pairs by seed alone: order and seeds of one side only change nothing', () => {
    const treated = new Map([
      [3, 0.9],
      [1, 0.8],
      [7, 0.1],
    ]);
    const control = new Map([
      [1, 0.7],
      [9, 0.2],
      [3, 0.6],
    ]);
    const found = pairedDifference(treated, control);
    assert.deepEqual(found.seeds, [1, 3]);
    near(found.mean!, 0.2, 'mean of 0.1 and 0.3');
    near(found.std!, Math.SQRT2 / 10, 'std of 0.1 and 0.3');
    assert.deepEqual(pairedDifference(new Map([[0, 1]]), new Map([[1, 1]])).seeds, []);
  });
});
