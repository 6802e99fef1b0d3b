import assert from 'node:assert/strict';
import type { ClassificationMetrics } from '../../../src/metrics/classification';
import { metricsTable } from '../../../src/report/tables/metrics-table';
import type { RunRecord } from '../../../src/runs/store/record';
import { syntheticRecord } from '../records';

const measured = (seed: number, dataset: string, metrics: Partial<ClassificationMetrics>): RunRecord => ({
  ...syntheticRecord({ seed, dataset }),
  metrics: { top1: 0.5, top5: null, macroF1: 0.4, meanPerClass: 0.3, nll: 1.5, ece: 0.1, ...metrics },
});

describe('metricsTable', () => {
  it('gives mean and standard deviation over seeds, by hand', () => {
    const table = metricsTable([
      measured(0, 'elpv', { top1: 0.5 }),
      measured(1, 'elpv', { top1: 0.6 }),
      syntheticRecord({ seed: 2 }), // a record of kit 0.1
      { ...measured(3, 'elpv', { top1: 0.9 }), evaluatedOn: 'validation', spec: validationSpec() },
    ]);
    assert.equal(table.rows.length, 1);
    const { n, top1, nll } = table.rows[0] as { n: number; top1: [number, number]; nll: [number, number] };
    assert.equal(n, 2);
    assert.ok(Math.abs(top1[0] - 55) < 1e-9 && Math.abs(top1[1] - Math.sqrt(50)) < 1e-9, String(top1));
    assert.deepEqual(nll, [1.5, 0]);
    assert.ok(!table.columns.some(({ key }) => key === 'top5'), 'no column for what no run has');
    assert.equal(table.sources[0].top1.runs.length, 2);
    assert.deepEqual(table.notes, []);
  });

  it('says where the official metric is the mean per class', () => {
    const { notes } = metricsTable([measured(0, 'flowers-102', { top5: 0.9 })]);
    assert.match(notes[0], /official metric of flowers-102 is the mean accuracy per class/);
  });
});

function validationSpec(): RunRecord['spec'] {
  return syntheticRecord({ seed: 3, spec: { evaluateOn: 'validation' } }).spec;
}
