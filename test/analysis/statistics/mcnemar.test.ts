// McNemar's test against statsmodels.
import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { mcnemar } from '../../../src/analysis/statistics/mcnemar';
import { golden, near } from './golden';

describe('mcnemar', () => {
  it('is the exact test of statsmodels.stats.contingency_tables', () => {
    for (const {
      table: [both, treatedOnly, controlOnly, neither],
      p,
    } of golden.mcnemar) {
      const repeat = (count: number, right: boolean): boolean[] => Array<boolean>(count).fill(right);
      const treated = [
        ...repeat(both, true),
        ...repeat(treatedOnly, true),
        ...repeat(controlOnly, false),
        ...repeat(neither, false),
      ];
      const control = [
        ...repeat(both, true),
        ...repeat(treatedOnly, false),
        ...repeat(controlOnly, true),
        ...repeat(neither, false),
      ];
      const found = mcnemar(treated, control);
      assert.deepEqual([found.n, found.treatedOnly, found.controlOnly], [treated.length, treatedOnly, controlOnly]);
      near(found.pValue, p, 1e-7);
      near(found.difference, (treatedOnly - controlOnly) / treated.length, 1e-12);
    }
    assert.equal(mcnemar([true, false], [true, false]).pValue, 1, 'no image tells them apart');
  });

  it('refuses predictions of different images', () => {
    const isMismatch = (error: KitError): boolean => error.code === 'MCNEMAR_LENGTH_MISMATCH';
    assert.throws(() => mcnemar([true], [true, false]), isMismatch);
    assert.throws(() => mcnemar([], []), isMismatch);
  });
});
