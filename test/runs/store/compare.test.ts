import assert from 'node:assert/strict';
import { compareRuns, summaryOf } from '../../../src/runs/store/compare';
import { syntheticRecord } from '../../report/records';

describe('two runs side by side', () => {
  const a = syntheticRecord({ seed: 0 });

  it('lists settings first', () => {
    const b = syntheticRecord({ seed: 1, method: 'rifle', top1: 0.9 });
    const comparison = compareRuns(a, b);
    assert.deepEqual(
      comparison.causes.map(({ field }) => field),
      ['spec.reset', 'spec.seed'],
    );
    assert.deepEqual(comparison.suspects, []);
    assert.ok(comparison.results.some(({ field, a, b }) => field === 'top1' && a === 0.8 && b === 0.9));
    assert.match(summaryOf(comparison), /differ from epoch 1 on: the settings differ \(2 fields\)/);
  });

  it('takes two epochs without evaluation as equal', () => {
    const gaps = { ...a, epochs: a.epochs.map((row) => ({ ...row, loss: NaN, top1: NaN })) };
    assert.equal(compareRuns(gaps, gaps).firstDifferentEpoch, null);
  });

  it('then conditions', () => {
    const b = {
      ...a,
      environment: {
        ...a.environment,
        tensorflow: '2.22.0',
        flags: { ...a.environment.flags, TF_NUM_INTRAOP_THREADS: '1' },
      },
      epochs: a.epochs.map((row, i) => (i === 5 ? { ...row, loss: 9 } : row)),
    };
    const comparison = compareRuns(a, b);
    assert.deepEqual(
      comparison.suspects.map(({ field }) => field),
      ['environment.tensorflow', 'environment.flags.TF_NUM_INTRAOP_THREADS'],
    );
    assert.equal(comparison.firstDifferentEpoch, 6);
    assert.match(
      summaryOf(comparison),
      /differ from epoch 6 on: equal settings, other conditions \(tensorflow, flags.TF_NUM_INTRAOP_THREADS\)/,
    );
  });

  it('says where nothing explains a difference, or there is none', () => {
    assert.match(
      summaryOf(compareRuns(a, { ...a, epochs: a.epochs.map((row) => ({ ...row, trainLoss: 1 })) })),
      /no recorded setting explains it/,
    );
    assert.equal(summaryOf(compareRuns(a, { ...a, wallSeconds: 1 })), 'The numbers of all epochs are equal.');
  });
});
