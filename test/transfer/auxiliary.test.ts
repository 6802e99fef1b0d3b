import assert from 'node:assert/strict';
import { softmaxCrossEntropy } from '../../src/engine/ops/ops';
import { tf, type TF } from '../../src/engine/tensorflow';
import type { Batch } from '../../src/data/batches/batches';
import { rifle } from '../../src/transfer/resets/rifle';
import { parseRunSpec } from '../../src/transfer/spec/spec';
import { makeSteps } from '../../src/transfer/step';
import { train } from '../../src/transfer/trainer';
import { valuesOf } from '../../src/transfer/compiled-steps';
import type { BatchSource, Moment } from '../../src/transfer/train-state';
import { formulaBatch, formulaNetwork, networkCases } from '../backbones/golden-backbones';

describe('the auxiliary classifier of Inception-V3', function () {
  this.timeout(120_000);

  it('adds 0.4 times its cross entropy to the loss, as torchvision trains it, and learns; L2-SP takes its head for a head', () => {
    const golden = networkCases().find(({ id }) => id === 'inception_v3_aux.tv_in1k')!;
    const tensors = tf.memory().numTensors;
    const backbone = formulaNetwork(golden);
    const regularizer = { name: 'l2-sp', alpha: 0.01, beta: 0.0001 } as const;
    const made = makeSteps(
      parseRunSpec({
        dataset: 'none',
        backbone: golden.id,
        weights: 'random',
        imageSize: 299,
        batchSize: 2,
        regularizer,
      }),
      backbone,
    );
    assert.ok(!Object.keys(made.variables).includes('start/AuxLogits.fc.weight'));
    assert.ok(Object.keys(made.variables).includes('start/AuxLogits.conv0.conv.weight'));
    tf.tidy(() => {
      const images = tf.randomUniform([2, 299, 299, 3], 0, 256, 'int32', 4) as TF.Tensor4D;
      const labels = tf.tensor1d([3, 8], 'int32');
      const { auxiliaryLogits, updates } = backbone.forward(images, { training: true });
      tf.dispose(updates.map(({ value }) => value));
      const auxiliary = softmaxCrossEntropy(auxiliaryLogits!, labels).mean().dataSync()[0];
      const { weight, bias } = backbone.auxiliaryHead!;
      const decay =
        [backbone.head.weight, backbone.head.bias, weight, bias].reduce(
          (sum, w) => sum + w.square().sum().dataSync()[0],
          0,
        ) *
        (regularizer.beta / 2);
      const before = weight.dataSync().slice();
      const { loss, crossEntropy } = made.train({
        images,
        labels,
        learningRate: tf.scalar(0.01),
        headLearningRate: tf.scalar(0.01),
        maskSeed: tf.tensor1d([0, 0], 'int32'),
      });
      const [total, own] = [loss, crossEntropy].map((scalar) => scalar.dataSync()[0]);
      assert.ok(
        Math.abs(total - own - 0.4 * auxiliary - decay) < 1e-3 * total,
        `${total} - ${own} against 0.4 * ${auxiliary} + ${decay}`,
      );
      assert.notDeepEqual(weight.dataSync(), before);
    });
    made.dispose();
    backbone.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('keeps its head through a reset, which is of the one head, as in the code of the authors', async () => {
    const golden = networkCases().find(({ id }) => id === 'inception_v3_aux.tv_in1k')!;
    const backbone = formulaNetwork(golden);
    const { images, labels } = formulaBatch(golden);
    const batches: BatchSource = {
      batchSizes: [golden.batch],
      waitedSeconds: 0,
      async *epoch(): AsyncGenerator<Batch> {
        yield { images: Uint8Array.from(images), labels, size: golden.batch, index: 0, count: 1 };
      },
    };
    const spec = parseRunSpec({
      dataset: 'none',
      backbone: golden.id,
      weights: 'random',
      imageSize: golden.size,
      batchSize: golden.batch,
      epochs: 2,
      optimizer: { learningRate: 1e-4 },
      rifle: rifle('authors', { skipFinal: true }),
    });
    const seen: Partial<Record<Moment, Record<string, Float32Array>>> = {};
    await train(spec, backbone, golden.size, batches, batches, {
      observe: (moment, epoch, read) => {
        if (epoch === 1) seen[moment] = valuesOf(read(Object.keys(backbone.variables)));
      },
    });
    const changed = Object.keys(seen['before-reset']!).filter((name) =>
      seen['before-reset']![name].some((value, i) => value !== seen['after-reset']![name][i]),
    );
    assert.deepEqual(changed.sort(), ['fc.bias', 'fc.weight']);
    backbone.dispose();
  });
});
