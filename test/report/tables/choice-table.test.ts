// The values that were tried: of grids of methods, and of any varied field; on validation images alone.
import assert from 'node:assert/strict';
import '../../../src/studies/built-in';
import { choiceTable, triedValues } from '../../../src/report/tables/choice-table';
import type { RunRecord } from '../../../src/runs/store/record';
import type { RunSpecInput } from '../../../src/transfer/spec/spec';
import { syntheticRecord, type SyntheticRun } from '../records';

describe('the choice table', () => {
  const judged = (top1: number, spec: Partial<RunSpecInput> = {}, run: SyntheticRun = {}): RunRecord =>
    syntheticRecord({ top1, ...run, spec: { evaluateOn: 'validation', ...spec } });
  const rate = (learningRate: number): Partial<RunSpecInput> => ({ optimizer: { learningRate } });
  const shown = (records: readonly RunRecord[]) =>
    triedValues(records).map(({ method, value, top1, runs, isBest }) => [method, value, top1, runs, isBest]);

  it('compares the values of a varied field, in their order, as means over seeds', () => {
    const records = [
      judged(0.6, rate(0.01)),
      judged(0.9, rate(0.01), { seed: 1 }),
      judged(0.7, rate(0.003)),
      judged(0.7, rate(0.003), { seed: 1 }),
      judged(0.75, rate(0.1)),
      judged(0.5, rate(0.003), { method: 'rifle' }), // one value: nothing to choose
      syntheticRecord({ top1: 0.99, spec: rate(0.03) }), // on test images
    ];
    assert.deepEqual(shown(records), [
      ['fine-tuning', 'learning rate 0.003', 0.7, 2, false],
      ['fine-tuning', 'learning rate 0.01', 0.75, 2, true],
      ['fine-tuning', 'learning rate 0.1', 0.75, 1, false],
    ]);
    const table = choiceTable(records);
    assert.deepEqual(
      table.columns.map(({ key }) => key),
      ['method', 'value', 'n', 'top1', 'best'],
    );
    assert.match(table.toText(), /seeds 0, 1\./);
  });

  it('names every field of a combination, and keeps data sets and methods apart', () => {
    const records = ['elpv', 'cub10'].flatMap((dataset) =>
      [16, 32].flatMap((batchSize) => [
        judged(batchSize / 100, { ...rate(0.01), batchSize }, { dataset }),
        judged(batchSize / 200, { ...rate(0.03), batchSize }, { dataset, method: 'rifle' }),
      ]),
    );
    assert.deepEqual(
      triedValues(records).map(({ dataset, method, value, isBest }) => [dataset, method, value, isBest]),
      ['fine-tuning', 'rifle'].flatMap((method) =>
        ['elpv', 'cub10'].flatMap((dataset) => [
          [dataset, method, 'batch size 16', false],
          [dataset, method, 'batch size 32', true],
        ]),
      ),
    );
    assert.equal(choiceTable(records).rows[0].method, 'fine-tuning, elpv, efficientnet_lite0.tf_in1k');
  });

  it('shows a grid whole, with other values of its option and of other fields beside it', () => {
    const dropout = (value: number, more: Partial<RunSpecInput> = {}): Partial<RunSpecInput> => ({
      tricks: [{ name: 'dropout', rate: value, at: 'head' }],
      ...more,
    });
    const rows = triedValues([
      judged(0.8, dropout(0.2)),
      judged(0.9, dropout(0.35)),
      judged(0.7, dropout(0.5, rate(0.03))),
    ]).filter(({ method }) => method === 'dropout');
    assert.deepEqual(
      rows.map(({ value, top1, isDefault, isBest }) => [value, top1, isDefault, isBest]),
      [
        ['learning rate 0.01, rate 0.2', 0.8, true, false],
        ['learning rate 0.03, rate 0.5', 0.7, false, false],
        ['learning rate 0.01, rate 0.35', 0.9, false, true],
      ],
    );
    const all = triedValues([]);
    assert.ok(all.length > 10 && all.every(({ top1 }) => top1 === null));
    assert.deepEqual(
      all.filter(({ method }) => method === 'dropout').map(({ value, isDefault }) => [value, isDefault]),
      [
        ['rate 0.2', true],
        ['rate 0.5', false],
      ],
    );
  });
});
