// The exhibits of the RIFLE study in a report, and which runs are of a scale.
import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { atScale } from '../../../src/studies/at-scale';
import type { CkaRow } from '../../../src/analysis/representations';
import { exhibitsFor, inReportOrder, requireExhibits, type Shown } from '../../../src/report/page/exhibits';
import '../../../src/studies/built-in';
import { mainRuns } from '../../../src/studies/rifle/figures';
import { exhibits } from '../../../src/studies/study';
import type { LayerRow } from '../../../src/runs/store/record';
import { scales } from '../../../src/studies/rifle/scales';
import { syntheticRecord, syntheticStudy } from '../records';

type Records = Parameters<typeof exhibitsFor>[0];
const present = (
  records: Records,
  options: Parameters<typeof exhibitsFor>[2] = {},
  sources: Parameters<typeof exhibitsFor>[3] = {},
  only?: string[],
): Shown[] => exhibitsFor(records, exhibits(), options, sources, only);
const idsOf = (records: Records, only?: string[]): string[] =>
  present(records, {}, {}, only).map(({ exhibit }) => exhibit.id);

describe('exhibitsFor', () => {
  const base = syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.81] }, { epochs: 12 });

  it('shows a study when runs of its own are there, and the overview for runs that no study shows', () => {
    assert.deepEqual(idsOf(base), ['t1', 'methods', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'l2-sp': [0.8] }, { epochs: 12 })]), ['t1', 't2', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ dropout: [0.8] }, { epochs: 12 })]), ['t1', 't3', 'f3']);
    assert.deepEqual(idsOf([...base, ...syntheticStudy({ 'dropout+rifle': [0.8] }, { epochs: 12 })]), [
      't1',
      'methods',
      'f3',
    ]);
    assert.deepEqual(
      idsOf([
        ...base,
        ...syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.8] }, { epochs: 12, backbone: 'resnet50.tv_in1k' }),
      ]),
      ['t1', 't4', 'f3'],
    );
    assert.deepEqual(
      idsOf([...base, ...syntheticStudy({ 'rifle:bias': [0.8], 'rifle:haozhe-an': [0.8] }, { epochs: 12 })]),
      ['t1', 't5', 'variants', 'f3'],
    );
  });

  it('draws the layers of the runs that have rows, of each data set those with most epochs', () => {
    const more = [
      ...base,
      ...syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.8] }, { epochs: 4 }),
      ...syntheticStudy({ 'fine-tuning': [0.8], rifle: [0.8] }, { epochs: 4, dataset: 'other' }),
    ];
    const layers = (id: string): LayerRow[] => {
      const { epochs } = more.find((record) => record.id === id)!;
      const row = (epoch: number, place: number): LayerRow => ({
        epoch,
        layer: `layer${place}`,
        place,
        kind: place === 3 ? 'head' : 'kernel',
        gradientNorm: 1 / (epoch + place),
        updateNorm: 0.1,
        weightDistance: 0.1 * epoch,
      });
      return epochs.flatMap(({ epoch }) => [0, 1, 2, 3].map((place) => row(epoch, place)));
    };
    const shown = present(more, {}, { layers });
    assert.deepEqual(
      shown.map(({ exhibit }) => exhibit.id),
      ['t1', 'methods', 'f1', 'f2', 'regime', 'f3'],
    );
    const figures = shown.flatMap(({ exhibit, records }) => exhibit.figures?.(records, { layers }) ?? []);
    assert.deepEqual(
      figures.map(({ name }) => name),
      [
        'layer-distance',
        'layer-distance-2',
        'gradient-depth',
        'gradient-map',
        'gradient-depth-2',
        'gradient-map-2',
        'regime',
        'accuracy',
        'loss',
      ],
    );
    assert.match(figures[0].figure.caption, /epoch 12: fine-tuning n = 1, rifle n = 1/);
    assert.deepEqual(
      mainRuns(more).map(({ epochs }) => epochs.length),
      [12, 12],
    );
    const cka: CkaRow[] = ['rifle', 'fine-tuning'].map((method) => ({
      run: 'r',
      method,
      seed: 0,
      stage: 's1',
      place: 0,
      images: 8,
      features: 4,
      cka: 0.9,
      unbiased: 0.9,
    }));
    assert.deepEqual(
      present(base, {}, { cka }).map(({ exhibit }) => exhibit.id),
      ['t1', 'methods', 'f3', 'f5'],
    );
  });

  it('keeps runs on a validation split to the table of what was chosen', () => {
    const judged = syntheticStudy({ dropout: [0.8] }, { epochs: 12, spec: { evaluateOn: 'validation' } });
    assert.deepEqual(idsOf([...base, ...judged]), ['t1', 'methods', 'choice', 'f3']);
    assert.deepEqual(idsOf(judged), ['choice']);
  });

  it('gives rows to the runs that a scale plans', () => {
    const [t2] = present(base, { scale: 'paper' }, {}, ['t2']);
    assert.ok(t2.table!.rows.some(({ dataset, verdict }) => dataset === 'stanford-dogs' && verdict === 'not run'));
    assert.ok(t2.table!.notes.some((note) => note.includes('`npx rifle sweep --study t2 --scale paper`')));
  });

  it('shows what is asked for, run or not', () => {
    const [only] = present(base, {}, {}, ['t3']);
    assert.ok(only.table!.rows.some(({ status }) => status === 'not run'));
    requireExhibits(
      exhibits(),
      inReportOrder(exhibits()).map(({ id }) => id),
    );
    assert.throws(
      () => requireExhibits(exhibits(), ['t22']),
      (error: KitError) => error.code === 'UNKNOWN_STUDY' && /"t2"/.test(error.fix),
    );
  });
});

describe('atScale', () => {
  it('keeps the runs with the schedule and the limits of the scale, on any data set and backbone', () => {
    const { epochs, batchSize, limits } = scales.smoke.spec;
    const small = syntheticRecord({ epochs, dataset: 'other', spec: { batchSize, limits } });
    assert.deepEqual(atScale([syntheticRecord(), small], 'smoke'), [small]);
    assert.throws(
      () => atScale([], 'tiny'),
      (error: KitError) => error.code === 'UNKNOWN_SCALE',
    );
  });
});
