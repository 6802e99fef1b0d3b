import assert from 'node:assert/strict';
import { compareRuns, verdictOf } from '../../../src/runs/store/compare';
import { syntheticRecord } from '../../report/records';

describe('two runs side by side', () => {
  const a = syntheticRecord({ seed: 0 });

  it('first what they were asked for', () => {
    const b = syntheticRecord({ seed: 1, method: 'rifle', top1: 0.9 });
    const comparison = compareRuns(a, b);
    assert.deepEqual(
      comparison.causes.map(({ field }) => field),
      ['spec.rifle', 'spec.seed'],
    );
    assert.deepEqual(comparison.suspects, []);
    assert.ok(comparison.results.some(({ field, a, b }) => field === 'top1' && a === 0.8 && b === 0.9));
    assert.match(verdictOf(comparison), /part in epoch 1: they were asked for something else \(2 fields\)/);
  });

  it('then what they were made with', () => {
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
    assert.equal(comparison.partedAt, 6);
    assert.match(
      verdictOf(comparison),
      /part in epoch 6: the same run, made with something else \(tensorflow, flags.TF_NUM_INTRAOP_THREADS\)/,
    );
  });

  it('and says where nothing explains a difference, or there is none', () => {
    assert.match(
      verdictOf(compareRuns(a, { ...a, epochs: a.epochs.map((row) => ({ ...row, trainLoss: 1 })) })),
      /nothing that is recorded explains it/,
    );
    assert.equal(verdictOf(compareRuns(a, { ...a, wallSeconds: 1 })), 'The same numbers in every epoch.');
  });
});
