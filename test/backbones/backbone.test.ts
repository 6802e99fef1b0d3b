import assert from 'node:assert/strict';
import { createHash, type BinaryLike } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf, type TF } from '../../src/engine/tensorflow';
import { backbones } from '../../src/backbones/backbone';
import { readWeights } from '../../src/backbones/weights/read';
import { weightsManifest, weightsPath } from '../../src/backbones/weights/store';
import { refused } from './refused';

const lite0 = 'efficientnet_lite0.tf_in1k';

/** A layers model of these tensors (names and shapes alone matter here), as a file. */
function writeModel(folder: string, shapes: Record<string, number[]>): string {
  const weights = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const bytes = 4 * weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  fs.writeFileSync(path.join(folder, 'shard.bin'), Buffer.alloc(bytes));
  fs.writeFileSync(
    path.join(folder, 'model.json'),
    JSON.stringify({ weightsManifest: [{ paths: ['shard.bin'], weights }] }),
  );
  return path.join(folder, 'model.json');
}

/** Shapes of EfficientNet-Lite0's parameters in its file, by name; the head has 1000 outputs. */
async function fileShapes(): Promise<Record<string, number[]>> {
  await backbones.fetch(lite0);
  const found = await readWeights(weightsPath(weightsManifest(lite0)));
  return Object.fromEntries([...found].map(([name, { shape }]) => [name, shape]));
}

describe('backbones', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-backbones-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  it('lists records that are whole', () => {
    const records = backbones.list().filter(({ id }) => !id.includes('/')); // others are of tests before this one
    assert.deepEqual(
      records.map(({ id }) => id),
      [
        ...[
          'resnet18.tv_in1k',
          'resnet34.tv_in1k',
          'resnet50.tv_in1k',
          'resnet101.tv_in1k',
          'resnet152.tv_in1k',
          'resnet50.keras_in1k',
        ],
        ...[
          'inception_v3.tv_in1k',
          'inception_v3_aux.tv_in1k',
          'densenet121.tv_in1k',
          'densenet169.tv_in1k',
          'densenet201.tv_in1k',
        ],
        ...[
          'mobilenet_v1.tf_in1k',
          'mobilenet_v2.tv_in1k',
          'efficientnet_b0.tv_in1k',
          'efficientnet_b1.tv_in1k',
          'efficientnet_b2.tv_in1k',
        ],
        ...[
          'efficientnet_b3.tv_in1k',
          'efficientnet_b4.tv_in1k',
          lite0,
          'efficientnet_lite1.tf_in1k',
          'efficientnet_lite2.tf_in1k',
        ],
      ],
    );
    for (const record of records) {
      assert.equal(backbones.get(record.id), record);
      assert.ok(
        record.resizeSize >= record.inputSize &&
          record.licence !== '' &&
          record.top1Claimed! > 0.69 &&
          record.taps.length > 3,
        record.id,
      );
      const { weights } = record;
      assert.ok(
        weights !== null &&
          ('package' in weights
            ? /^[0-9a-f]{64}$/.test(weights.sha256)
            : weights.url.endsWith(`/${weights.file}`) && weights.file.endsWith(`-${weights.sha256Prefix}.pth`)),
        record.id,
      );
    }
  });

  it('names the near ones of an id that it does not know', async () => {
    assert.throws(() => backbones.get('efficientnet_lite0'), { code: 'UNKNOWN_BACKBONE' });
    await refused(backbones.load('efficientnet_lite0.tf_in21k', { classes: 2 }), 'UNKNOWN_BACKBONE');
    await refused(backbones.state('resnet51'), 'UNKNOWN_BACKBONE');
  });

  it('draws the same random weights and the same new head from the same seed; both can live side by side', async () => {
    const load = (weights: string, seed: number) => backbones.load(lite0, { classes: 10, weights, seed });
    const [a, b, other, pretrained] = [
      await load('random', 1),
      await load('random', 1),
      await load('random', 2),
      await load('imagenet', 1),
    ];
    const values = (variable: TF.Variable) => variable.dataSync();
    for (const name of ['_conv_stem.weight', '_blocks.3._depthwise_conv.weight', '_fc.weight', '_fc.bias']) {
      assert.deepEqual(values(a.variables[name]), values(b.variables[name]), name);
      assert.notDeepEqual(values(a.variables[name]), values(other.variables[name]), name);
    }
    // The new head depends on the seed alone, not on the weights before it.
    assert.deepEqual(values(pretrained.head.weight), values(a.head.weight));
    assert.notEqual(a.weightsHash, other.weightsHash);
    assert.deepEqual(
      await Promise.all([backbones.weightsHash(lite0, { weights: 'random', seed: 1 }), backbones.weightsHash(lite0)]),
      [a.weightsHash, pretrained.weightsHash],
    );
    const before = tf.memory().numTensors;
    for (const network of [a, b, other, pretrained]) network.dispose();
    assert.equal(before - tf.memory().numTensors, 4 * Object.keys(a.variables).length);
  });

  it('says all that does not fit in one error: a tensor missing, one left over, one of the wrong shape', async () => {
    const { '_blocks.5._project_conv.weight': _, ...shapes } = await fileShapes();
    const file = writeModel(folder, { ...shapes, '_bn0.weight': [31], 'dense.weight': [2] });
    await refused(backbones.load(lite0, { classes: 5, weights: file }), 'WEIGHTS_MISMATCH');
  });

  it('compares a file with a backbone, for any number of classes', async () => {
    await backbones.fetch(lite0);
    const own = await backbones.match(lite0);
    assert.deepEqual([own.matched.length, own.missing, own.leftOver, own.wrongShape], [247, [], [], []]);
    assert.ok(own.ignored.length === 49 && own.ignored.every((name) => name.endsWith('.num_batches_tracked')));
    const other = await backbones.match('mobilenet_v2.tv_in1k', weightsPath(weightsManifest(lite0)));
    // 262 less the head, which may be missing
    assert.deepEqual([other.matched.length, other.missing.length, other.leftOver.length], [0, 260, 247]);
  });

  it('keeps the head of a file with as many classes, and draws a new one for another number or for a file without', async () => {
    const { '_fc.weight': weight, '_fc.bias': bias, ...trunk } = await fileShapes();
    const load = (file: string, classes: number) => backbones.load(lite0, { classes, weights: file });
    const loaded = async (file: string, classes: number) => {
      const network = await load(file, classes);
      const { weightsHash } = network;
      const isZero = tf.tidy(() => network.head.weight.abs().sum().dataSync()[0] === 0); // the file's numbers all are
      network.dispose();
      return { isZero, weightsHash };
    };
    const file = writeModel(folder, { ...trunk, '_fc.weight': weight, '_fc.bias': bias });
    const { isZero, weightsHash } = await loaded(file, 1000);
    assert.equal(isZero, true);
    const digest = (bytes: BinaryLike) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(
      weightsHash,
      digest([file, path.join(folder, 'shard.bin')].map((part) => digest(fs.readFileSync(part))).join('\n')),
    );
    assert.equal((await loaded(file, 3)).isZero, false);
    assert.equal((await loaded(writeModel(folder, trunk), 1000)).isZero, false);
    await refused(load(writeModel(folder, { ...trunk, '_fc.weight': weight }), 5), 'WEIGHTS_MISMATCH');
    await refused(
      load(writeModel(folder, { ...trunk, '_fc.bias': bias, '_fc.weight': [1000, 1279] }), 5),
      'WEIGHTS_MISMATCH',
    );
  });

  it('refuses weights that are nowhere, of no known format, or truncated', async () => {
    const load = (weights: string) => backbones.load(lite0, { classes: 5, weights });
    await refused(load('imagenet21k'), 'WEIGHTS_NOT_FOUND');
    const file = path.join(folder, 'model.onnx');
    fs.writeFileSync(file, '');
    await refused(load(file), 'WEIGHTS_FORMAT');
    const cut = path.join(folder, 'cut.pth');
    await backbones.fetch(lite0);
    fs.copyFileSync(weightsPath(weightsManifest(lite0)), cut);
    fs.truncateSync(cut, fs.statSync(cut).size - 1);
    await refused(load(cut), 'WEIGHTS_TRUNCATED');
  });

  it('refuses a head without classes and images of another kind', async () => {
    await refused(backbones.load(lite0, { classes: 0, weights: 'random' }), 'BACKBONE_CLASSES');
    const network = await backbones.load(lite0, { classes: 2, weights: 'random' });
    assert.throws(
      () => network.forward(tf.zeros([1, 32, 32, 1]) as TF.Tensor4D, { training: false }),
      /expects images \[batch, height, width, 3\], found \[1, 32, 32, 1\]/,
    );
    network.dispose();
  });
});
