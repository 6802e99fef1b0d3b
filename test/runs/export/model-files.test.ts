// The formats that other programs read: timm's names, ONNX's layout, and the model card in each of them.
// data-scripts/golden/exported_models.py loads the files with timm and onnxruntime.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones, zeroBackbone } from '../../../src/backbones/backbone';
import { stateDictOf } from '../../../src/backbones/snapshot';
import {
  readSafetensors,
  readSafetensorsNotes,
  writeSafetensors,
} from '../../../src/backbones/weights/readers/safetensors';
import type { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { freeze } from '../../../src/engine/graph/freeze';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { exportRun } from '../../../src/runs/export/export';
import { parseCard, type ModelCard } from '../../../src/runs/export/model-card';
import { onnxGraph } from '../../../src/runs/export/onnx-graph';
import { writeTimmModel } from '../../../src/runs/export/timm-model';
import { RunStore } from '../../../src/runs/store/store';
import { syntheticRecord } from '../../report/records';

const withCode = (code: string) => (error: KitError) => error.code === code && error.fix !== '';

const golden = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'test/fixtures/runs/timm-names.json'), 'utf8')) as {
  classes: number;
  networks: Record<string, { architecture: string; tensors: number; sha256: string }>;
};

describe('exports for other programs', function () {
  this.timeout(240_000);
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-formats-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const card = (backbone: string): ModelCard =>
    ({
      backbone,
      classes: ['a', 'b', 'c'],
      imageSize: 96,
      resizeSize: 110,
      mean: [127, 127, 127],
      std: [128, 128, 128],
    }) as unknown as ModelCard;

  for (const [id, expected] of Object.entries(golden.networks)) {
    it(`have timm's names and shapes: ${id}`, async () => {
      const backbone = zeroBackbone(id, golden.classes);
      await writeTimmModel(stateDictOf(backbone), card(id), folder);
      backbone.dispose();
      const tensors = [...(await readSafetensors(path.join(folder, 'model.safetensors')))]
        .map(([name, { shape }]) => [name, shape] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      assert.equal(tensors.length, expected.tensors);
      assert.equal(createHash('sha256').update(JSON.stringify(tensors)).digest('hex'), expected.sha256);
      const config = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8')) as {
        architecture: string;
        num_classes: number;
        pretrained_cfg: { crop_pct: number; label_names: string[]; mean: number[] };
      };
      assert.deepEqual([config.architecture, config.num_classes], [expected.architecture, 3]);
      assert.deepEqual(config.pretrained_cfg.label_names, ['a', 'b', 'c']);
      // timm's rule for the short side (timm/data/transforms_factory.py)
      assert.equal(Math.floor(96 / config.pretrained_cfg.crop_pct), 110);
      assert.equal(config.pretrained_cfg.mean[0], 127 / 255);
    });
  }

  it('refuse timm for a backbone that timm names differently', async () => {
    await assert.rejects(
      writeTimmModel(new Map(), card('mobilenet_v1.tf_in1k'), folder),
      withCode('EXPORT_TIMM_BACKBONE'),
    );
  });

  it('carry the card of the run in every format', async () => {
    const id = 'efficientnet_lite0.tf_in1k';
    const store = new RunStore(path.join(folder, 'runs'));
    const like = syntheticRecord({ backbone: id });
    const record = {
      ...like,
      dataset: { name: 'three', hash: 'd', classes: ['ä', 'b', 'c'], train: 3, test: 3 },
      spec: { ...like.spec, imageSize: 64, resizeSize: 73 },
    };
    const backbone = await backbones.load(id, { classes: 3, weights: 'random' });
    await writeSafetensors(store.weightsFile(record.id), stateDictOf(backbone));
    backbone.dispose();
    await store.put(record, []);
    const made = async (format: 'safetensors' | 'timm' | 'onnx' | 'tfjs' | 'savedmodel' | 'web'): Promise<string> =>
      (await exportRun(store, record.id, { format, to: path.join(folder, format) })).path;
    const cards = {
      safetensors: (await readSafetensorsNotes(await made('safetensors')))['rifle-kit'],
      timm: fs.readFileSync(path.join(await made('timm'), 'metadata.json'), 'utf8'),
      tfjs: fs.readFileSync(path.join(await made('tfjs'), 'metadata.json'), 'utf8'),
      savedmodel: fs.readFileSync(path.join(await made('savedmodel'), 'metadata.json'), 'utf8'),
      web: fs.readFileSync(path.join(await made('web'), 'metadata.json'), 'utf8'),
    };
    for (const [format, text] of Object.entries(cards)) {
      const found = parseCard(text, format);
      assert.deepEqual(
        [found.classes, found.imageSize, found.resizeSize, found.run, found.licence],
        [['ä', 'b', 'c'], 64, 73, record.id, 'Apache-2.0'],
        format,
      );
    }
    const onnx = fs.readFileSync(await made('onnx'));
    assert.ok(onnx.includes(Buffer.from(cards.safetensors)), 'in the metadata of the ONNX file');
    const model = JSON.parse(fs.readFileSync(path.join(folder, 'tfjs', 'model.json'), 'utf8')) as {
      userDefinedMetadata: ModelCard;
    };
    assert.deepEqual(model.userDefinedMetadata.classes, ['ä', 'b', 'c']);
    const web = fs.readdirSync(path.join(folder, 'web')).sort();
    assert.deepEqual(web, ['index.html', 'metadata.json', 'model.js', 'page.js', 'pixels.js', 'tf.min.js']);
    const page = ['index.html', 'page.js', 'pixels.js'].map((name) =>
      fs.readFileSync(path.join(folder, 'web', name), 'utf8'),
    );
    assert.ok(!/https?:\/\//.test(page.join('')), 'the page loads nothing from elsewhere');
    await assert.rejects(exportRun(store, record.id, { format: 'onnx', to: folder }), withCode('EXPORT_EXISTS'));
    assert.throws(() => parseCard('{}', 'x'), withCode('MODEL_CARD_DAMAGED'));
  });
});

describe('an ONNX graph', () => {
  it('has the channels second: filters, paddings and axes by hand', () => {
    const filter = tf.tensor4d(
      Array.from({ length: 2 * 1 * 3 * 2 }, (_, i) => i),
      [2, 1, 3, 2],
    );
    const graph = freeze({ name: 'images', shape: [2, 5, 6, 3], dtype: 'int32' }, (images) => {
      const x = tf.cast(images, 'float32').sub([1, 2, 3]) as TF.Tensor4D;
      const padded = tf.conv2d(x, filter as TF.Tensor4D, 1, [
        [0, 0],
        [1, 2],
        [3, 4],
        [0, 0],
      ]);
      return { logits: tf.mean(padded, [1, 2]) };
    });
    filter.dispose();
    const { nodes, constants, inputs, outputs } = onnxGraph(graph);
    assert.deepEqual(
      nodes.map(({ op }) => op),
      ['Cast', 'Transpose', 'Sub', 'Conv', 'Cast', 'ReduceMean', 'Identity'],
    );
    assert.deepEqual(inputs[0], { name: 'images', type: 2, shape: ['batch', 5, 6, 3] });
    assert.deepEqual(outputs[0].shape, ['batch', 2]);
    const [conv, mean] = [nodes[3], nodes[5]];
    assert.deepEqual(conv.attributes!.pads, { ints: [1, 3, 2, 4] }, 'top, left, bottom, right');
    assert.deepEqual(mean.attributes!.axes, { ints: [2, 3] });
    const weights = constants.find(({ name }) => name === conv.inputs[1])!;
    assert.deepEqual(weights.shape, [2, 3, 2, 1]);
    // out 0, in 0: rows 0 and 1 are elements 0 and 6 of [height, width, in, out]
    assert.deepEqual([...weights.data], [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
    const means = constants.find(({ name }) => name === nodes[2].inputs[1])!;
    assert.deepEqual(
      [means.shape, [...means.data]],
      [
        [3, 1, 1],
        [1, 2, 3],
      ],
    );
  });

  it('refuses an op without a translation', () => {
    const graph = freeze({ name: 'images', shape: [2, 4, 4, 3], dtype: 'int32' }, (images) => ({
      logits: tf.sin(tf.cast(images, 'float32')),
    }));
    assert.throws(() => onnxGraph(graph), withCode('EXPORT_ONNX_OP'));
  });
});
