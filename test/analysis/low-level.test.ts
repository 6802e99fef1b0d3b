// The protocol of kept stages: what is kept and what is restored, against a network put together by hand.
import assert from 'node:assert/strict';
import { stageFeatures } from '../../src/analysis/features';
import { fitProbe, probeTop1 } from '../../src/analysis/linear-probe';
import { lowLevelFeatures } from '../../src/analysis/low-level';
import { backbones } from '../../src/backbones/backbone';
import { BatchLoader } from '../../src/data/batches/batches';
import { datasets } from '../../src/data/catalog';
import { openPixelCache } from '../../src/data/pixels/pixel-cache';
import { tf } from '../../src/engine/tensorflow';
import { LITE0, makeBench, type Bench } from './trained-runs';

describe('lowLevelFeatures', function () {
  this.timeout(180_000);
  let bench: Bench;
  before(async () => (bench = await makeBench()));
  after(() => bench.remove());

  it('keeps the first stages with their statistics, restores the rest, and refits', async () => {
    const run = await bench.run('rifle', 3, () => true);
    const untouched = await bench.run('fine-tuning', 3, () => false);
    const tensors = tf.memory().numTensors;
    const reports: string[] = [];
    const rows = await lowLevelFeatures([run, untouched], {
      kept: [0, 3, 9],
      onProgress: ({ task, done, total }) => reports.push(`${task} ${done}/${total}`),
    });
    assert.equal(tf.memory().numTensors, tensors, 'nothing leaks');
    assert.deepEqual(
      rows.map(({ method, kept, stage }) => [method, kept, stage]),
      ['rifle', 'fine-tuning'].flatMap((method) => [
        [method, 0, 'none'],
        [method, 3, 'stage2'],
        [method, 9, 'last'],
      ]),
    );
    assert.equal(reports.at(-1), 'low-level features 6/6');
    const numbers = rows.map(({ top1, trainTop1, iterations }) => [top1, trainTop1, iterations]);
    assert.deepEqual(numbers[0], numbers[3], 'with nothing kept all runs are the pretrained network');
    assert.deepEqual(
      [numbers[4], numbers[5]],
      [numbers[3], numbers[3]],
      'a network that did not change is pretrained wherever it is cut',
    );

    // By hand: the stem and stages 1 and 2 are `_conv_stem`, the first `_bn0` and blocks 0 to 2 (table 1 of the
    // EfficientNet paper).
    const [start, end] = [
      await backbones.load(LITE0, { classes: 2, weights: 'random', seed: 0 }),
      await backbones.load(LITE0, { classes: 2, weights: run.weights }),
    ];
    for (const [name, variable] of Object.entries(start.variables))
      if (/^(_conv_stem|_bn0|_blocks\.[012])\./.test(name)) variable.assign(end.variables[name]);
    const data = await datasets.load(bench.dataset);
    const cache = await openPixelCache(data, { shortSide: 36 });
    const loaders = [data.train, data.test].map(
      (samples) => new BatchLoader(cache, samples, { batchSize: 64, imageSize: 32, seed: 0, train: false }),
    );
    const [train, test] = [
      await stageFeatures(start, loaders[0], { imageSize: 32 }),
      await stageFeatures(start, loaders[1], { imageSize: 32 }),
    ];
    const probe = await fitProbe(train.features, train.labels, 2);
    assert.deepEqual(numbers[1], [
      probeTop1(probe, test.features, test.labels),
      probeTop1(probe, train.features, train.labels),
      probe.iterations,
    ]);
    assert.equal(rows[1].gradient, probe.gradient);
    [start, end].forEach((network) => network.dispose());
    await Promise.all(loaders.map((loader) => loader.close()));
  });
});
