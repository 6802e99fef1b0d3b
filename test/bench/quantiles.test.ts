// Medians, quartiles and fits of the benchmarks, against numpy 2.4.
import assert from 'node:assert/strict';
import { fitExponent, fitLine, quantile, spread } from '../../bench/quantiles';

describe('the numbers of the benchmarks', () => {
  it('interpolates quantiles between values, whatever their order', () => {
    // np.quantile([3.5, 1, 10, 7, 2], [0.25, 0.5, 0.75]); np.quantile([4, 1, 3, 2], 0.25)
    assert.deepEqual(spread([3.5, 1, 10, 7, 2]), { median: 3.5, quartiles: [2, 7] });
    assert.equal(quantile([4, 1, 3, 2], 0.25), 1.75);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });

  it('fits a line, and says how much of the variance it explains', () => {
    // np.polyfit([4, 8, 16, 32], [900, 1450, 2700, 5000], 1); np.corrcoef(...)[0, 1] ** 2
    const { slope, intercept, r2 } = fitLine([
      [4, 900],
      [8, 1450],
      [16, 2700],
      [32, 5000],
    ]);
    for (const [found, expected] of [
      [slope, 147.06521739],
      [intercept, 306.52173913],
      [r2, 0.9997072869707208],
    ])
      assert.ok(Math.abs(found - expected) < 1e-8, `${found}, not ${expected}`);
  });

  it('finds the exponent of a power, exact or noisy', () => {
    assert.ok(
      Math.abs(
        fitExponent([
          [1, 3],
          [2, 12],
          [4, 48],
        ]) - 2,
      ) < 1e-12,
    ); // 3 x^2
    assert.ok(
      Math.abs(
        fitExponent([
          [1, 5],
          [10, 5],
          [100, 5],
        ]),
      ) < 1e-12,
    );
    // np.polyfit(np.log([64, 96, 128, 192]), np.log([1.1, 2.0, 3.9, 7.7]), 1)[0]
    assert.ok(
      Math.abs(
        fitExponent([
          [64, 1.1],
          [96, 2.0],
          [128, 3.9],
          [192, 7.7],
        ]) - 1.8065483377220797,
      ) < 1e-9,
    );
  });
});
