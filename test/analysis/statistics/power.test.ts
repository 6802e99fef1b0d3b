// Power, sample size and detectable effect of the t-test against statsmodels.
import assert from 'node:assert/strict';
import { detectableEffect, sampleSizeFor, tTestPower } from '../../../src/analysis/statistics/power';
import { golden, near } from './golden';

describe('power of the paired t-test', () => {
  it('is that of statsmodels.stats.power.TTestPower', () => {
    for (const { effect, n, level, power } of golden.powers) near(tTestPower(effect, n, level), power, 1e-6);
  });

  it('gives the number of pairs that find an effect with power 0.8', () => {
    for (const { effect, n } of golden.sizes) assert.equal(sampleSizeFor(effect), n);
    assert.equal(sampleSizeFor(1e-6), Infinity);
  });

  it('gives the effect that some pairs find with power 0.8', () => {
    for (const { n, effect } of golden.detectable) near(detectableEffect(n), effect, 1e-5);
  });
});
