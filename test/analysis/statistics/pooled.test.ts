// The random effects model against statsmodels.
import assert from 'node:assert/strict';
import { pooledEffect } from '../../../src/analysis/statistics/pooled';
import { golden, near } from './golden';

describe('pooledEffect', () => {
  it('is that of statsmodels.stats.meta_analysis.combine_effects (Paule-Mandel, Hartung-Knapp)', () => {
    for (const expected of golden.pooled) {
      const { effects, variances, effect, between, standardError, interval } = expected;
      const found = pooledEffect(effects.map((value, i) => ({ effect: value, variance: variances[i] })))!;
      near(found.effect, effect);
      near(found.between, Math.max(0, between));
      near(found.standardError, standardError);
      near(found.interval.low, interval[0]);
      near(found.interval.high, interval[1]);
      near(
        found.weights.reduce((sum, weight) => sum + weight, 0),
        1,
      );
    }
  });

  it('needs two estimates with a variance', () => {
    assert.equal(pooledEffect([{ effect: 1, variance: 0.1 }]), null);
    assert.equal(
      pooledEffect([
        { effect: 1, variance: 0.1 },
        { effect: 2, variance: 0 },
      ]),
      null,
    );
  });
});
