import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { backbones, type Backbone } from '../../../src/backbones/backbone';
import { decode } from '../../../src/data/pixels/decode';
import { fixture } from '../golden-resnet';
import { assertNoLeak } from '../leaks';

/** Logits by PyTorch: data-scripts/golden/efficientnet_lite0.py. */
const golden = JSON.parse(fs.readFileSync(fixture('efficientnet-lite0.json'), 'utf8')) as {
  weights: string;
  images: { file: string; logits: number[] }[];
};

describe('EfficientNet-Lite0 with its ImageNet weights', function () {
  this.timeout(60_000);
  let network: Backbone;

  before(async () => {
    network = await backbones.load('efficientnet_lite0.tf_in1k', { classes: 1000 });
  });
  after(() => network?.dispose());

  const photographs = async (): Promise<TF.Tensor4D> => {
    const images = await Promise.all(golden.images.map(({ file }) => decode(fixture(file))));
    return tf.stack(
      images.map(({ pixels, height, width }) => tf.tensor3d(pixels, [height, width, 3], 'int32')),
    ) as TF.Tensor4D;
  };

  it('has the weights that the golden values were made with', () => {
    assert.equal(network.weightsHash, golden.weights);
  });

  it('gives the logits of PyTorch on two photographs within 1e-3', async () => {
    const images = await photographs();
    const logits = tf.tidy(() => network.forward(images, { training: false }).logits.arraySync());
    images.dispose();
    golden.images.forEach(({ file, logits: expected }, i) => {
      const error = Math.max(...expected.map((value, k) => Math.abs(value - logits[i][k])));
      assert.ok(error < 1e-3, `${file}: largest difference ${error}`);
    });
  });

  it('gives its stages input side first, and the features that the head reads', async () => {
    const images = await photographs();
    const { taps, features, logits, updates } = network.forward(images, { training: false });
    assert.deepEqual(Object.keys(taps), network.record.taps);
    // Table 1 of the paper: the output of each stage, from the input side.
    assert.deepEqual(
      Object.values(taps).map((tap) => tap.shape.slice(1)),
      [
        [112, 112, 32],
        [112, 112, 16],
        [56, 56, 24],
        [28, 28, 40],
        [14, 14, 80],
        [14, 14, 112],
        [7, 7, 192],
        [7, 7, 320],
        [7, 7, 1280],
      ],
    );
    assert.deepEqual(updates, []);
    const again = tf.tidy(
      () =>
        features
          .matMul(network.head.weight as TF.Tensor2D)
          .add(network.head.bias)
          .sub(logits)
          .abs()
          .max()
          .dataSync()[0],
    );
    assert.ok(again < 1e-4);
    tf.dispose([images, logits, features, taps]);
  });

  it('leaves no tensors behind, in evaluation and in training', () => assertNoLeak(network));
});
