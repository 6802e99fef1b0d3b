// Rows of layers and stages as danfo frames.
import assert from 'node:assert/strict';
import { ckaFrame, layersFrame, lowLevelFrame } from '../../../src/report/frames/layer-frames';
import { syntheticLayers } from '../layers';

describe('layer frames', function () {
  this.timeout(60_000);

  it('have one row a run, epoch and layer', () => {
    const runs = syntheticLayers({ 'fine-tuning': [0.8, 0.9], rifle: [0.7] }, { epochs: 4 });
    const frame = layersFrame(runs);
    assert.deepEqual(frame.shape, [3 * 4 * 7, 12]);
    assert.deepEqual(frame.columns, [
      'run',
      'dataset',
      'backbone',
      'method',
      'seed',
      'epoch',
      'layer',
      'place',
      'kind',
      'gradientNorm',
      'updateNorm',
      'weightDistance',
    ]);
    assert.equal(frame.column('gradientNorm').values[8], runs[0].layers[8].gradientNorm);
    const heads = frame.query(frame.column('place').eq(6));
    assert.deepEqual(
      [heads.shape[0], heads.column('kind').values.at(-1), heads.column('layer').values.at(-1)],
      [12, 'head', '_fc'],
    );
    assert.deepEqual(layersFrame([]).shape, [0, 12]);
  });

  it('have the rows of CKA and of the refits', () => {
    const row = {
      run: 'a',
      method: 'rifle',
      seed: 0,
      stage: 'stem',
      place: 0,
      images: 3,
      features: 8,
      cka: 0.9,
      unbiased: null,
    };
    assert.ok(Number.isNaN(ckaFrame([row, { ...row, unbiased: 0.5 }]).column('unbiased').values[0]));
    const kept = {
      run: 'a',
      method: 'rifle',
      seed: 0,
      kept: 1,
      stage: 'stem',
      top1: 1,
      trainTop1: 1,
      iterations: 20,
      gradient: 1e-5,
    };
    assert.deepEqual(
      [lowLevelFrame([kept]).column('top1').dtypes[0], lowLevelFrame([kept]).shape],
      ['float32', [1, 9]],
    );
  });
});
