import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { backbones } from '../../../src/backbones/backbone';
import { stateDictOf } from '../../../src/backbones/snapshot';
import { readSafetensors, writeSafetensors } from '../../../src/backbones/weights/readers/safetensors';
import { exportBackbone, exportRun } from '../../../src/runs/export/export';
import { RunStore } from '../../../src/runs/store/store';
import { formulaBatch, formulaNetwork, networkCases, torchvisionShapes } from '../../backbones/golden-backbones';
import { syntheticRecord } from '../../report/records';
import { goldenCases, goldenNetwork } from '../../backbones/golden-resnet';

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
        assert.ok(difference !== null && difference < 1e-4, `${format}: ${difference}`);
      }
      assert.deepEqual(fs.readdirSync(folder).sort(), ['savedmodel', 'tfjs'], 'nothing half-written stays');
      assert.deepEqual(fs.readdirSync(path.join(folder, 'tfjs')).sort(), ['group1-shard1of1.bin', 'model.json']);
      backbone.dispose();
    });
  }

  it('has the inputs and outputs in its signature', async () => {
    const backbone = goldenNetwork(goldenCases[0]);
    await exportBackbone(backbone, goldenCases[0].size, 'savedmodel', path.join(folder, 'model'));
    const [graph] = await tf.node.getMetaGraphsFromSavedModel(path.join(folder, 'model'));
    const { inputs, outputs } = graph.signatureDefs.serving_default as unknown as {
      inputs: Record<string, { dtype: string; shape: unknown }>;
      outputs: Record<string, TF.TensorInfo>;
    };
    assert.deepEqual(
      [Object.keys(inputs), inputs.images.dtype, Object.keys(outputs).sort()],
      [['images'], 'int32', ['logits', 'probabilities']],
    );
    backbone.dispose();
  });
});

describe("a run's weights, exported with torchvision's names (data-scripts/golden/exported_weights.py has PyTorch load them)", function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-export-run-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const id of ['resnet50.tv_in1k', 'mobilenet_v2.tv_in1k']) {
    it(`of ${id} are the state dict of torchvision, name by name and shape by shape, and give PyTorch's logits`, async () => {
      const tensors = tf.memory().numTensors;
      const golden = networkCases().find((each) => each.id === id)!;
      const store = new RunStore(path.join(folder, 'runs'));
      const record = {
        ...syntheticRecord({ backbone: id }),
        dataset: {
          name: 'ten',
          hash: 'd',
          classes: Array.from({ length: 10 }, (_, i) => String(i)),
          train: 10,
          test: 10,
        },
      };
      const trained = formulaNetwork(golden);
      await writeSafetensors(store.weightsFile(record.id), stateDictOf(trained));
      trained.dispose();
      await store.put({ ...record, spec: { ...record.spec, imageSize: golden.size } }, []);

      const { path: file, difference } = await exportRun(store, record.id, {
        format: 'safetensors',
        to: path.join(folder, 'exported.safetensors'),
      });
      assert.equal(difference, 0);
      const written = await readSafetensors(file);
      const { head } = backbones.get(id);
      const expected = torchvisionShapes()[id].map(([name, shape]) => [
        name,
        Object.values(head).includes(name) ? [10, ...shape.slice(1)] : shape,
      ]);
      assert.deepEqual(
        new Map([...written].map(([name, { shape }]) => [name, shape])),
        new Map(expected as [string, number[]][]),
      );
      assert.ok([...written.values()].every(({ dtype }) => dtype === 'float32'));

      const backbone = await backbones.load(id, { classes: 10, weights: file });
      const { images } = formulaBatch(golden);
      const logits = tf.tidy(() =>
        backbone
          .forward(tf.tensor4d(images, [golden.batch, golden.size, golden.size, 3], 'int32'), { training: false })
          .logits.arraySync(),
      );
      const scale = Math.max(...golden.evaluation.logits.flat().map(Math.abs));
      golden.evaluation.logits.forEach((row, i) =>
        row.forEach((value, k) =>
          assert.ok(
            Math.abs(logits[i][k] - value) <= 1e-4 * scale,
            `logit ${i} ${k}: ${logits[i][k]}, PyTorch ${value}`,
          ),
        ),
      );
      backbone.dispose();
      assert.equal(tf.memory().numTensors, tensors);
      assert.deepEqual(fs.readdirSync(folder).sort(), ['exported.safetensors', 'runs'], 'nothing half-written stays');
    });
  }
});
