// CKA by stage: 1 up to the first stage that changed, below after it, and the value of the two networks' own features.
import assert from 'node:assert/strict';
import { linearCka } from '../../src/analysis/cka';
import { stageFeatures } from '../../src/analysis/features';
import { ckaByStage } from '../../src/analysis/representations';
import type { TrainedRun } from '../../src/analysis/trained-runs';
import { backbones } from '../../src/backbones/backbone';
import { BatchLoader } from '../../src/data/batches/batches';
import { datasets } from '../../src/data/catalog';
import { openPixelCache } from '../../src/data/pixels/pixel-cache';
import type { KitError } from '../../src/base/errors';
import { tf } from '../../src/engine/tensorflow';
import { LITE0, makeBench, type Bench } from './trained-runs';
import { hasCode } from '../report/code';

describe('ckaByStage', function () {
  this.timeout(120_000);
  let bench: Bench;
  let late: TrainedRun;
  let all: TrainedRun;
  before(async () => {
    bench = await makeBench();
    // Blocks 3 and 4 are stage 3 (table 1 of the EfficientNet paper: 1, 2, 2, 3, 3, 4, 1 blocks).
    late = await bench.run('rifle', 1, (name) => /^_blocks\.([3-9]|1\d)\./.test(name));
    all = await bench.run('fine-tuning', 0, () => true);
  });
  after(() => bench.remove());

  it('sees where the first change is, and gives what the features of both networks give', async () => {
    const tensors = tf.memory().numTensors;
    const rows = await ckaByStage([all, late]);
    assert.equal(tf.memory().numTensors, tensors, 'nothing leaks');
    assert.deepEqual(
      rows.slice(0, 9).map(({ stage, place }) => `${place} ${stage}`),
      ['0 stem', '1 stage1', '2 stage2', '3 stage3', '4 stage4', '5 stage5', '6 stage6', '7 stage7', '8 last'],
    );
    assert.deepEqual(
      [...new Set(rows.map(({ method, images }) => `${method} ${images}`))],
      ['fine-tuning 12', 'rifle 12'],
    );
    const [first, second] = [rows.slice(0, 9), rows.slice(9)];
    assert.ok(first.every(({ cka }) => cka < 1 - 1e-6));
    assert.ok(
      second.slice(0, 3).every(({ cka, unbiased }) => Math.abs(cka - 1) < 1e-12 && Math.abs(unbiased! - 1) < 1e-12),
      'up to stage 2 nothing has changed',
    );
    assert.ok(second.slice(3).every(({ cka }) => cka < 1 - 1e-6));

    const data = await datasets.load(bench.dataset);
    const cache = await openPixelCache(data, { shortSide: 36 });
    const loader = new BatchLoader(cache, data.test, { batchSize: 64, imageSize: 32, seed: 0, train: false });
    const [before, after] = await Promise.all(
      ['random', late.weights].map(async (weights) => backbones.load(LITE0, { classes: 2, weights, seed: 0 })),
    );
    const x = await stageFeatures(before, loader, { imageSize: 32 });
    const y = await stageFeatures(after, loader, { imageSize: 32 });
    for (const { stage, cka, features } of second) {
      assert.equal(features, x.pooled[stage].features);
      assert.ok(Math.abs(cka - linearCka(x.pooled[stage], y.pooled[stage])) < 1e-9, stage);
    }
    [before, after].forEach((network) => network.dispose());
    await loader.close();
  });

  it('compares whole maps and training images when asked', async () => {
    const [pooled, maps] = [
      await ckaByStage([late], { split: 'train' }),
      await ckaByStage([late], { split: 'train', of: 'maps' }),
    ];
    assert.deepEqual(
      maps.slice(0, 2).map(({ images, features }) => [images, features]),
      [
        [16, 16 * 16 * 32],
        [16, 16 * 16 * 16],
      ],
    );
    assert.ok(maps[0].cka > 1 - 1e-12 && maps[5].cka !== pooled[5].cka);
  });

  it('refuses runs that do not belong together, other images, and weights that are gone', async () => {
    await assert.rejects(ckaByStage([]), hasCode('ANALYSIS_NO_RUNS'));
    const other = { ...late, record: { ...late.record, spec: { ...late.record.spec, imageSize: 31 } } };
    await assert.rejects(ckaByStage([all, other]), hasCode('ANALYSIS_MIXED_RUNS'));
    await assert.rejects(
      ckaByStage([{ ...late, weights: `${late.weights}.gone` }]),
      (error: KitError) => error.code === 'ANALYSIS_NO_WEIGHTS' && /keepWeights/.test(error.fix),
    );
    const data = await datasets.load(bench.dataset);
    await assert.rejects(
      ckaByStage([late], { dataset: { ...data, hash: 'f'.repeat(64) } }),
      hasCode('ANALYSIS_DATASET_MISMATCH'),
    );
  });
});
