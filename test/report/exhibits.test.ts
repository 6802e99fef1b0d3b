// What a report shows of a store of runs, and which runs are of a scale.
import assert from 'node:assert/strict';
import { KitError } from '../../src/engine/errors';
import { atScale } from '../../src/report/at-scale';
import { exhibits, present, requireExhibits } from '../../src/report/exhibits';
import { scales } from '../../src/runs/scales';
import { syntheticRecord, syntheticStudy } from './records';

const idsOf = (records: Parameters<typeof present>[0], only?: string[]): string[] => present(records, {}, only).map(({ exhibit }) => exhibit.id);

describe('present', () => {
  const base = syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.81] }, { epochs: 12 });

  it('shows a study when runs of its own are there, and the overview for runs that no study shows', () => {
    assert.deepEqual(idsOf(base), ['t1', 'methods', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'l2-sp': [0.8] }, { epochs: 12 })]), ['t1', 't2', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ dropout: [0.8] }, { epochs: 12 })]), ['t1', 't3', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'dropout+rifle': [0.8] }, { epochs: 12 })]), ['t1', 'methods', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.8] }, { epochs: 12, backbone: 'resnet50.tv_in1k' })]), ['t1', 't4', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'rifle:bias': [0.8], 'rifle:haozhe-an': [0.8] }, { epochs: 12 })]), ['t1', 't5', 'variants', 'f3']);
  });

  it('shows what is asked for, run or not', () => {
    const [only] = present(base, {}, ['t3']);
    assert.ok(only.table!.rows.some(({ status }) => status === 'not run'));
    assert.doesNotThrow(() => requireExhibits(exhibits().map(({ id }) => id)));
    assert.throws(() => requireExhibits(['t22']), (error: KitError) => /no study named "t22"/.test(error.message) && /"t2"/.test(error.fix));
  });
});

describe('atScale', () => {
  it('keeps the runs with the schedule and the limits of the scale, on whatever data and backbone', () => {
    const { epochs, batchSize, limits } = scales.smoke.spec;
    const small = syntheticRecord({ epochs, dataset: 'other', spec: { batchSize, limits } });
    assert.deepEqual(atScale([syntheticRecord(), small], 'smoke'), [small]);
    assert.throws(() => atScale([], 'tiny'), KitError);
  });
});
