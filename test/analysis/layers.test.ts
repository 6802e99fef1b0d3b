// Summaries and ratios of layers over seeds, by hand.
import assert from 'node:assert/strict';
import { geometricMean, layerRatios, layersOf, summarizeLayers, type SeededLayers } from '../../src/analysis/layers';
import type { LayerRow } from '../../src/runs/store/record';
import { hasCode } from '../report/code';

const row = (epoch: number, place: number, gradientNorm: number): LayerRow => ({
  epoch,
  layer: ['conv1', 'bn1', 'fc'][place],
  place,
  kind: (['kernel', 'norm', 'head'] as const)[place],
  gradientNorm,
  updateNorm: gradientNorm / 10,
  weightDistance: gradientNorm / 100,
});
const run = (seed: number, ...layers: LayerRow[]): SeededLayers => ({ seed, layers });
const control = [
  run(0, row(1, 0, 1), row(1, 2, 4), row(2, 0, 2), row(2, 2, 0)),
  run(1, row(1, 0, 3), row(1, 2, 4), row(2, 0, 2), row(2, 2, 1)),
];
const treated = [
  run(1, row(1, 0, 6), row(1, 2, 4), row(2, 0, 8), row(2, 2, 1)),
  run(0, row(1, 0, 0.5), row(1, 2, 4), row(2, 0, 2), row(2, 2, 1)),
  run(7, row(1, 0, 100)),
];

describe('layers', () => {
  it('are listed input side first, once', () => {
    assert.deepEqual(layersOf(control), [
      { layer: 'conv1', place: 0, kind: 'kernel' },
      { layer: 'fc', place: 2, kind: 'head' },
    ]);
    assert.throws(
      () => layersOf([...control, run(2, { ...row(1, 0, 1), layer: 'stem' })]),
      hasCode('ANALYSIS_MIXED_NETWORKS'),
    );
  });

  it('are summarized over seeds, layer by layer and epoch by epoch', () => {
    const found = summarizeLayers(control, 'gradientNorm').map(({ layer, epoch, value: { n, mean, std } }) => [
      layer,
      epoch,
      n,
      mean,
      std,
    ]);
    assert.deepEqual(found, [
      ['conv1', 1, 2, 2, Math.SQRT2],
      ['conv1', 2, 2, 2, 0],
      ['fc', 1, 2, 4, 0],
      ['fc', 2, 2, 0.5, Math.SQRT1_2],
    ]);
    assert.equal(summarizeLayers(control, 'updateNorm')[0].value.mean, 0.2);
    assert.equal(summarizeLayers(treated, 'weightDistance')[0].value.n, 3);
  });

  it('are compared with the control by seed, in the geometric mean', () => {
    const found = layerRatios(treated, control, 'gradientNorm').map(({ layer, epoch, n, ratio }) => [
      layer,
      epoch,
      n,
      ratio && Math.round(1e9 * ratio) / 1e9,
    ]);
    // conv1, epoch 1: 0.5 / 1 and 6 / 3: sqrt(0.5 x 2); epoch 2: 2 / 2 and 8 / 2: sqrt(4). fc, epoch 2: 1 / 0 has no
    // mean. Seed 7 has no control.
    assert.deepEqual(found, [
      ['conv1', 1, 2, 1],
      ['conv1', 2, 2, 2],
      ['fc', 1, 2, 1],
      ['fc', 2, 2, null],
    ]);
    assert.deepEqual(layerRatios([treated[2]], control, 'gradientNorm')[0], {
      layer: 'conv1',
      place: 0,
      kind: 'kernel',
      epoch: 1,
      n: 0,
      ratio: null,
    });
  });

  it('have a geometric mean only of positive numbers', () => {
    assert.equal(geometricMean([2, 8]), 4);
    assert.deepEqual(
      [geometricMean([]), geometricMean([1, 0]), geometricMean([1, NaN]), geometricMean([1, Infinity])],
      [null, null, null, null],
    );
  });
});
