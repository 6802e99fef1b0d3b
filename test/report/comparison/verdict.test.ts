// The rule of the verdicts, one and together.
import assert from 'node:assert/strict';
import { summarize } from '../../../src/analysis/statistics/statistics';
import {
  countVerdicts,
  judge,
  overallVerdict,
  verdictFor,
  verdictRule,
  type Verdict,
} from '../../../src/report/comparison/verdict';

describe('verdictFor', () => {
  it('follows the rule', () => {
    const verdict = (mean: number | null, low?: number, high?: number): Verdict =>
      verdictFor({ mean, interval: low === undefined ? null : { low, high: high! } });
    assert.equal(verdict(1, 0.1, 1.9), 'supported');
    assert.equal(verdict(0.2, 0.1, 0.3), 'supported', 'above 0, though below the smallest effect of interest');
    assert.equal(verdict(1, 0, 2), 'inconclusive');
    assert.equal(verdict(1), 'inconclusive', 'one pair has no interval');
    assert.equal(verdict(0, -1, 1), 'inconclusive');
    assert.equal(verdict(0, -0.4, 0.4), 'contradicted', 'no effect of 0.5 points or more');
    assert.equal(verdict(-1, -2, -0.5), 'contradicted');
    assert.equal(verdict(null), 'not run');
  });
});

describe('judge', () => {
  const claim = (...values: number[]) => ({ difference: summarize(values) });

  it('of one claim agrees with its 95 % interval', () => {
    for (const values of [[1.9, 1.3, 2.4], [1, 0, 1], [-1, -1.2, -0.7], [0.1, -0.1, 0.05], [2, 2, 2], [0, 0], [1]]) {
      const { mean, interval } = summarize(values);
      assert.equal(judge([claim(...values)])[0].verdict, verdictFor({ mean, interval }), values.join(', '));
    }
  });

  it("corrects the claims of one table by Holm's rule", () => {
    // scipy: p = 0.0278 of each; Holm over two: 0.0556.
    const [alone] = judge([claim(1.9, 1.3, 2.4)]);
    assert.equal(alone.verdict, 'supported');
    const [first, second] = judge([claim(1.9, 1.3, 2.4), claim(1.9, 1.3, 2.4)]);
    assert.equal(first.verdict, 'inconclusive');
    assert.ok(Math.abs(first.pValue! - 0.02781294) < 1e-7 && Math.abs(second.adjusted! - 0.05562588) < 1e-7);
  });

  it('says of an inconclusive claim how many seeds would decide, and what could have been shown', () => {
    // std 1, smallest effect 0.5: statsmodels gives 34 pairs; 3 pairs detect 3.2640 standard deviations.
    const [open] = judge([claim(-1, 0, 1)]);
    assert.equal(open.verdict, 'inconclusive');
    assert.equal(open.seedsNeeded, 34);
    assert.ok(Math.abs(open.detectable! - 3.264043552819638) < 1e-4, String(open.detectable));
    assert.equal(judge([claim(2, 2, 2)])[0].seedsNeeded, null, 'decided');
    assert.equal(judge([claim(1)])[0].seedsNeeded, null, 'no spread');
  });

  it('averages nothing over failed runs', () => {
    const [failed, missing] = judge([{ ...claim(2, 2, 2), failed: true }, claim()]);
    assert.deepEqual([failed.verdict, failed.pValue, missing.verdict], ['failed', null, 'not run']);
  });

  it('states its rule with the smallest effect, its source, and the number of claims', () => {
    const rule = verdictRule({ value: 1, text: '1 point', source: 'somebody' }, 3);
    for (const part of ['above 0', 'below 1 point', 'somebody', "Holm's correction for the 3 claims"])
      assert.ok(rule.includes(part), part);
    assert.doesNotMatch(verdictRule(), /Holm/);
  });
});

describe('overallVerdict', () => {
  const cases: [Verdict[], string][] = [
    [['supported', 'supported'], 'supported'],
    [['supported', 'inconclusive'], 'inconclusive'],
    [['inconclusive', 'inconclusive', 'not run'], 'inconclusive'],
    [['contradicted', 'contradicted'], 'contradicted'],
    [['supported', 'contradicted', 'inconclusive'], 'mixed'],
    [['supported', 'failed', 'not run'], 'supported'],
    [['failed', 'not run'], 'failed'],
    [['not run'], 'not run'],
    [[], 'not run'],
  ];
  for (const [verdicts, expected] of cases)
    it(`of ${countVerdicts(verdicts) || 'nothing'} is ${expected}`, () =>
      assert.equal(overallVerdict(verdicts), expected));
});
