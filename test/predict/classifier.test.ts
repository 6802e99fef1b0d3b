// Predictions on new images: the pixels and logits of the evaluation, activation maps by hand, and bad input.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones } from '../../src/backbones/backbone';
import { stateDictOf } from '../../src/backbones/snapshot';
import { writeSafetensors } from '../../src/backbones/weights/readers/safetensors';
import type { KitError } from '../../src/base/errors';
import { decode } from '../../src/data/pixels/decode';
import { tf, type TF } from '../../src/engine/tensorflow';
import { forwardWithMap } from '../../src/backbones/activation-maps';
import { classifier } from '../../src/predict/classifier';
import { exportRun } from '../../src/runs/export/export';
import { finetune } from '../../src/runs/finetune';
import type { RunRecord } from '../../src/runs/store/record';
import { RunStore } from '../../src/runs/store/store';
import { makeImageFolder } from '../runs/image-folder';

const withCode = (code: string) => (error: KitError) => error.code === code && error.fix !== '';

describe('classifier', function () {
  this.timeout(300_000);
  let dataset: string;
  let store: RunStore;
  let record: RunRecord;
  before(async () => {
    dataset = await makeImageFolder();
    // 70 test images: a batch of 64 and one of 6
    for (const name of ['stripes', 'waves'])
      for (let i = 3; i < 35; i++)
        fs.copyFileSync(path.join(dataset, 'test', name, `${i % 3}.png`), path.join(dataset, 'test', name, `${i}.png`));
    store = new RunStore(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-predict-')));
    record = await finetune(
      {
        dataset,
        backbone: 'efficientnet_lite0.tf_in1k',
        weights: 'random',
        imageSize: 32,
        epochs: 1,
        batchSize: 4,
        optimizer: { learningRate: 0.001 },
      },
      { runs: store, keepWeights: true },
    );
  });
  after(() => [dataset, store.root].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  it('gives the kept predictions, bit for bit, and frees every tensor', async () => {
    const before = tf.memory().numTensors;
    const kept = (await store.predictions(record.id))!;
    const model = await classifier(record.id.slice(0, 8), { runs: store });
    const files = kept.files.map((file) => path.join(dataset, file));
    const { predictions, unreadable } = await model.predict(files, { top: 1 });
    assert.deepEqual(unreadable, []);
    assert.deepEqual(
      predictions.map(({ file }) => file),
      files,
    );
    const logits = predictions.flatMap((each) => [...each.logits]);
    assert.deepEqual(logits, [...kept.logits]);
    assert.equal(
      predictions.filter(({ top }, i) => top[0].label === kept.labels[i]).length / kept.labels.length,
      record.top1,
    );
    // the folder below holds the same images, in another order
    const again = await model.predict(path.join(dataset, 'test'));
    assert.equal(again.predictions.length, 70);
    assert.deepEqual(again.predictions[0].top.map(({ name }) => name).sort(), ['stripes', 'waves']);
    const sum = again.predictions[0].top.reduce((total, { probability }) => total + probability, 0);
    assert.ok(Math.abs(sum - 1) < 1e-12);
    model.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  it('takes pixels, and gives the file’s logits for them', async () => {
    const model = await classifier(record, { runs: store });
    const file = path.join(dataset, 'test', 'waves', '0.png');
    const [fromFile] = (await model.predict(file)).predictions;
    const [fromPixels] = (await model.predict(await decode(file))).predictions;
    assert.deepEqual(fromPixels.logits, fromFile.logits);
    assert.equal(fromPixels.file, 'image 1');
    model.dispose();
  });

  it('continues after an unreadable image, and reports it', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-photos-'));
    fs.copyFileSync(path.join(dataset, 'test', 'waves', '0.png'), path.join(folder, 'a.png'));
    fs.writeFileSync(path.join(folder, 'b.png'), 'no image');
    fs.copyFileSync(path.join(dataset, 'test', 'waves', '1.png'), path.join(folder, 'c.png'));
    const model = await classifier(store.folder(record.id));
    const { predictions, unreadable } = await model.predict(folder);
    assert.deepEqual(
      predictions.map(({ file }) => path.basename(file)),
      ['a.png', 'c.png'],
    );
    assert.deepEqual(
      unreadable.map(({ file }) => path.basename(file)),
      ['b.png'],
    );
    assert.match(unreadable[0].message, /b\.png cannot be decoded/);
    await assert.rejects(model.predict(path.join(folder, 'd.png')), withCode('PREDICT_PATH_MISSING'));
    const empty = path.join(folder, 'empty');
    fs.mkdirSync(empty);
    await assert.rejects(model.predict(empty), withCode('PREDICT_NO_IMAGES'));
    model.dispose();
    fs.rmSync(folder, { recursive: true });
  });

  it('reads exported folders again: TensorFlow.js and SavedModel, with the run’s logits but for rounding', async () => {
    const kept = (await store.predictions(record.id))!;
    const files = kept.files.slice(0, 3).map((file) => path.join(dataset, file));
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-exports-'));
    const before = tf.memory().numTensors;
    for (const format of ['tfjs', 'savedmodel'] as const) {
      const folder = path.join(root, format);
      await exportRun(store, record.id, { format, to: folder });
      const model = await classifier(folder);
      const { predictions } = await model.predict(files);
      const found = predictions.flatMap(({ logits }) => [...logits]);
      const expected = [...kept.logits.subarray(0, found.length)];
      const scale = Math.max(1, ...expected.map(Math.abs));
      found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= 1e-4 * scale, `${format}, logit ${i}`));
      await assert.rejects(model.predict(files, { maps: true }), withCode('PREDICT_NO_MAPS'));
      model.dispose();
      assert.equal(tf.memory().numTensors, before, format);

      const card = path.join(folder, 'metadata.json');
      const text = fs.readFileSync(card, 'utf8');
      fs.writeFileSync(card, text.replace('"waves"', '"waves", "dots"'));
      await assert.rejects(classifier(folder), withCode('PREDICT_CLASS_COUNT'));
      fs.rmSync(card);
      await assert.rejects(classifier(folder), withCode('PREDICT_FOLDER_INCOMPLETE'));
      fs.writeFileSync(card, text);
      const graph = path.join(folder, format === 'tfjs' ? 'model.json' : 'saved_model.pb');
      const bytes = fs.readFileSync(graph);
      fs.writeFileSync(graph, bytes.subarray(0, bytes.length / 2));
      await assert.rejects(classifier(folder), withCode('EXPORT_UNREADABLE'));
      fs.writeFileSync(graph, bytes);
      if (format === 'savedmodel') continue;
      fs.rmSync(path.join(folder, 'group1-shard1of1.bin'));
      await assert.rejects(classifier(folder), withCode('EXPORT_INCOMPLETE'));
    }
    const [onnx, web] = ['model.onnx', 'web'].map((name) => path.join(root, name));
    fs.writeFileSync(onnx, 'a graph');
    fs.mkdirSync(web);
    for (const name of ['index.html', 'model.js']) fs.writeFileSync(path.join(web, name), '');
    for (const source of [onnx, web]) await assert.rejects(classifier(source), withCode('PREDICT_FORMAT'));
    assert.equal(tf.memory().numTensors, before);
    fs.rmSync(root, { recursive: true });
  });

  it('refuses a run without weights, weights without a card, and weights of another number of classes', async () => {
    const kept = store.weights(record.id)!;
    const aside = `${kept}.aside`;
    fs.renameSync(kept, aside);
    await assert.rejects(classifier(record, { runs: store }), withCode('PREDICT_NO_WEIGHTS'));
    const backbone = await backbones.load(record.spec.backbone, { classes: 3, weights: 'random' });
    await writeSafetensors(kept, stateDictOf(backbone));
    backbone.dispose();
    await assert.rejects(classifier(record, { runs: store }), withCode('PREDICT_CLASS_COUNT'));
    const lone = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-lone-')), 'lone.safetensors');
    fs.copyFileSync(kept, lone);
    await assert.rejects(classifier(lone), withCode('PREDICT_NO_CARD'));
    await assert.rejects(classifier(path.dirname(lone)), withCode('PREDICT_FOLDER_INCOMPLETE'));
    fs.renameSync(aside, kept);
  });
});

describe('class activation maps', function () {
  this.timeout(300_000);
  const families = ['resnet18.tv_in1k', 'densenet121.tv_in1k', 'mobilenet_v2.tv_in1k', 'efficientnet_b0.tv_in1k'];
  const ids = backbones.list().map(({ id }) => id);
  const others = ids.filter((id) => /^(inception_v3\.|mobilenet_v1|efficientnet_lite0)/.test(id)).slice(0, 3);
  for (const id of [...families, ...others]) {
    it(`of ${id}: mean over places plus bias is the logit`, async () => {
      const size = id.startsWith('inception') ? 96 : 64;
      const backbone = await backbones.load(id, { classes: 5, weights: 'random', seed: 3 });
      // a bias that is not 0
      backbone.head.bias.assign(tf.tensor1d([0.5, -1, 2, 0.25, 1]));
      const images = tf.randomUniform([2, size, size, 3], 0, 256, 'int32', 11) as TF.Tensor4D;
      const { logits, maps } = tf.tidy(() => forwardWithMap(backbone, images));
      const [means, rows, biases] = [maps[0].mean([1, 2]), logits, backbone.head.bias].map(
        (tensor) => tensor.dataSync() as Float32Array,
      );
      assert.ok(maps[0].shape[1] >= 1 && maps[0].shape.length === 3);
      for (const image of [0, 1]) {
        const row = [...rows.subarray(image * 5, (image + 1) * 5)];
        const predicted = row.indexOf(Math.max(...row));
        const found = means[image] + biases[predicted];
        assert.ok(
          Math.abs(found - row[predicted]) <= 1e-4 * Math.max(1, Math.abs(row[predicted])),
          `${found} and ${row[predicted]}`,
        );
      }
      backbone.dispose();
      tf.dispose([images, logits, maps]);
    });
  }
});
