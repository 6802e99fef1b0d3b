// Folds in comparisons: repetitions of one experiment, paired by fold and seed.
import assert from 'node:assert/strict';
import { compareMethods } from '../../../src/report/comparison/comparison';
import { groupRuns } from '../../../src/report/comparison/grouping';
import { repetitionsText, repetitionText } from '../../../src/report/comparison/repetition';
import type { RunRecord } from '../../../src/runs/store/record';
import { syntheticRecord } from '../records';

describe('repetitions', () => {
  const runs = (method: string, top1: (index: number, seed: number) => number, indices = [0, 1, 2]): RunRecord[] =>
    [0, 1].flatMap((seed) =>
      indices.map((index) =>
        syntheticRecord({ method, seed, top1: top1(index, seed), spec: { fold: { of: 3, index } } }),
      ),
    );

  it('of folds are one group, and are paired by fold and seed', () => {
    const plain = runs('fine-tuning', (index, seed) => 0.5 + 0.1 * index + 0.01 * seed);
    // 1 point better in every fold, but the last fold of both seeds is missing
    const treated = runs('rifle', (index, seed) => 0.51 + 0.1 * index + 0.01 * seed, [1, 0]);
    const groups = groupRuns([...plain, ...treated]);
    assert.equal(groups.length, 1);
    const [control, other] = groups[0].methods;
    assert.deepEqual(
      control.records.map(({ spec }) => repetitionText(spec)),
      [1, 2, 3].flatMap((fold) => [0, 1].map((seed) => `fold ${fold}/3, seed ${seed}`)),
    );
    const { difference } = compareMethods(other, control);
    assert.equal(difference.n, 4);
    for (const each of difference.differences) assert.ok(Math.abs(each - 1) < 1e-9, String(each));
  });

  it('of other numbers of folds, or none, are other experiments; older records without the field are like new ones', () => {
    const [none, three, four] = [null, { of: 3, index: 0 }, { of: 4, index: 0 }].map((fold) =>
      syntheticRecord({ spec: { fold } }),
    );
    assert.equal(groupRuns([none, three, four]).length, 3);
    const { fold: _f, patience: _p, classWeights: _c, sampling: _s, ...spec } = none.spec;
    const older = { ...syntheticRecord({ seed: 1 }), spec: { ...spec, seed: 1 } } as RunRecord;
    assert.equal(groupRuns([none, older]).length, 1);
  });

  it('have a text', () => {
    assert.equal(repetitionText({ seed: 3 }), '3');
    assert.equal(repetitionsText([{ seed: 2 }, { seed: 0 }, { seed: 2 }]), '0, 2');
    const folds = [0, 1, 1].map((index) => ({ seed: 4, fold: { of: 5, index } }));
    assert.equal(repetitionsText(folds), '2 of 5 folds, seed 4');
  });
});
