import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf, type TF } from '../../src/engine/tensorflow';
import { exportBackbone } from '../../src/runs/export';
import { goldenCases, goldenNetwork } from '../backbones/golden-resnet';

describe('an exported network', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-export-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const [i, golden] of goldenCases.entries()) {
    it(`predicts the same as a SavedModel and as a TensorFlow.js model, on any number of images (golden network ${i})`, async () => {
      const backbone = goldenNetwork(golden);
      for (const format of ['savedmodel', 'tfjs'] as const) {
        const difference = await exportBackbone(backbone, golden.size, format, path.join(folder, format));
        assert.ok(difference < 1e-4, `${format}: ${difference}`);
      }
      assert.deepEqual(fs.readdirSync(folder).sort(), ['savedmodel', 'tfjs'], 'nothing half-written stays');
      assert.deepEqual(fs.readdirSync(path.join(folder, 'tfjs')).sort(), ['group1-shard1of1.bin', 'model.json']);
      backbone.dispose();
    });
  }

  it('says in its signature what goes in and what comes out', async () => {
    const backbone = goldenNetwork(goldenCases[0]);
    await exportBackbone(backbone, goldenCases[0].size, 'savedmodel', path.join(folder, 'model'));
    const [graph] = await tf.node.getMetaGraphsFromSavedModel(path.join(folder, 'model'));
    const { inputs, outputs } = graph.signatureDefs.serving_default as unknown as { inputs: Record<string, { dtype: string; shape: unknown }>; outputs: Record<string, TF.TensorInfo> };
    assert.deepEqual([Object.keys(inputs), inputs.images.dtype, Object.keys(outputs).sort()], [['images'], 'int32', ['logits', 'probabilities']]);
    backbone.dispose();
  });
});
