// Holm's correction against statsmodels.
import assert from 'node:assert/strict';
import { holmAdjusted } from '../../../src/analysis/statistics/holm';
import { golden, near } from './golden';

describe('holmAdjusted', () => {
  it('gives the p-values of statsmodels.stats.multitest.multipletests', () => {
    for (const { p, adjusted } of golden.holm) holmAdjusted(p).forEach((value, i) => near(value!, adjusted[i], 1e-12));
  });

  it('leaves out claims without a test', () => {
    assert.deepEqual(holmAdjusted([null, 0.02, null, 0.03]), [null, 0.04, null, 0.04]);
    assert.deepEqual(holmAdjusted([]), []);
  });
});
