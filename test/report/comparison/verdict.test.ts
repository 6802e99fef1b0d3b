// The rule of the verdicts, one and together.
import assert from 'node:assert/strict';
import { countVerdicts, overallVerdict, verdictOf, type Verdict } from '../../../src/report/comparison/verdict';

describe('verdictOf', () => {
  it('follows the rule', () => {
    const interval = (low: number, high: number) => ({ low, high });
    assert.equal(verdictOf({ mean: 1, interval: interval(0.1, 1.9) }), 'reproduced');
    assert.equal(verdictOf({ mean: 1, interval: interval(0, 2) }), 'direction only');
    assert.equal(verdictOf({ mean: 1, interval: null }), 'direction only');
    assert.equal(verdictOf({ mean: 0, interval: interval(-1, 1) }), 'not reproduced');
    assert.equal(verdictOf({ mean: -1, interval: interval(-2, -0.5) }), 'not reproduced');
    assert.equal(verdictOf({ mean: null, interval: null }), 'not run');
    assert.equal(verdictOf({ mean: 1, interval: interval(0.1, 1.9) }, true), 'failed');
  });
});

describe('overallVerdict', () => {
  const cases: [Verdict[], string][] = [
    [['reproduced', 'reproduced'], 'reproduced'],
    [['reproduced', 'direction only'], 'direction only'],
    [['direction only', 'direction only', 'not run'], 'direction only'],
    [['not reproduced', 'not reproduced'], 'not reproduced'],
    [['reproduced', 'not reproduced'], 'mixed'],
    [['reproduced', 'failed', 'not run'], 'reproduced'],
    [['failed', 'not run'], 'failed'],
    [['not run'], 'not run'],
    [[], 'not run'],
  ];
  for (const [verdicts, expected] of cases)
    it(`of ${countVerdicts(verdicts) || 'nothing'} is ${expected}`, () =>
      assert.equal(overallVerdict(verdicts), expected));
});
