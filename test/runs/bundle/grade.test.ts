// Grades: each number of an execution counts for its bits, two of them for rounding.
import assert from 'node:assert/strict';
import { gradeExecution, type Execution } from '../../../src/runs/bundle/grade';
import '../../../src/studies/built-in';
import { failed, syntheticRecord } from '../../report/records';

describe('the grade of a repeated run', () => {
  const expected: Execution = {
    record: syntheticRecord(),
    layers: [{ epoch: 1, layer: 'conv', place: 0, kind: 'kernel', gradientNorm: 1, updateNorm: 2, weightDistance: 3 }],
    predictions: { logits: Float32Array.of(1, 2), labels: Int32Array.of(0), files: ['a'] },
  };
  const bounds = { firstLoss: 0.01, top1: 0.05 };
  const grade = (changes: Partial<Execution>) => gradeExecution(expected, { ...expected, ...changes }, bounds);
  const withEpoch = (epoch: number, change: object) => ({
    record: {
      ...expected.record,
      epochs: expected.record.epochs.map((row) => (row.epoch === epoch ? { ...row, ...change } : row)),
    },
  });

  it('is the same bits when only times and the machine differ', () => {
    const { environment } = expected.record;
    const record = { ...expected.record, wallSeconds: 7, environment: { ...environment, cores: 4 } };
    const found = grade({ record });
    assert.deepEqual([found.grade, found.firstDifferentEpoch, found.conditions], ['same bits', null, ['cores']]);
    assert.equal(grade({ predictions: null }).grade, 'same bits');
  });

  it('is not the same bits when any number differs in its last digit', () => {
    const { layers, predictions, record } = expected;
    const { loss } = record.epochs[4];
    for (const change of [
      withEpoch(5, { loss: loss * (1 + Number.EPSILON) }),
      { layers: [{ ...layers[0], gradientNorm: 1 + Number.EPSILON }] },
      { predictions: { ...predictions!, logits: Float32Array.of(1, 2.0000002384185791) } },
    ])
      assert.equal(grade(change).grade, 'within rounding');
    assert.equal(grade(withEpoch(5, { loss: loss * (1 + Number.EPSILON) })).firstDifferentEpoch, 5);
  });

  it('is within rounding up to the bounds, and different beyond them', () => {
    const { record } = expected;
    const first = record.epochs[0].trainCrossEntropy;
    assert.equal(grade(withEpoch(1, { trainCrossEntropy: first * 1.009 })).grade, 'within rounding');
    assert.equal(grade(withEpoch(1, { trainCrossEntropy: first * 1.011 })).grade, 'different');
    const last = grade({
      record: { ...record, top1: record.top1 - 0.049, epochs: withEpoch(8, { top1: 0 }).record.epochs },
    });
    assert.deepEqual([last.grade, Math.round(1000 * last.top1)], ['within rounding', -49]);
    assert.equal(grade({ record: { ...record, top1: record.top1 + 0.051 }, layers: [] }).grade, 'different');
    assert.equal(grade({ record: failed(record) }).grade, 'different');
  });
});
