// Features by stage: against PyTorch's logits, against the eager pass, and without a leak.
import assert from 'node:assert/strict';
import type { KitError } from '../../src/base/errors';
import { featureExtractor, stageFeatures } from '../../src/analysis/features';
import { tf, type TF } from '../../src/engine/tensorflow';
import { goldenBatch } from '../backbones/golden-resnet';
import { golden, tinyBatches, tinyNetwork } from '../transfer/tiny';

const closeTo = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++)
    assert.ok(
      Math.abs(found[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i])),
      `${what} ${i}: expected ${expected[i]}, found ${found[i]}`,
    );
};

describe('stageFeatures', function () {
  this.timeout(30_000);
  let tensors = 0;
  before(() => (tensors = tf.memory().numTensors));
  const batches = tinyBatches(3, golden.batch - 1);

  it("gives the head what gives PyTorch's logits, and every stage as the eager pass has it", async () => {
    const network = tinyNetwork();
    const held = tf.memory().numTensors;
    const seen = await stageFeatures(network, batches, { imageSize: golden.size, maps: true });
    assert.equal(tf.memory().numTensors, held, 'nothing leaks');
    const images = 3 * golden.batch - 1;
    assert.deepEqual(seen.stages, network.record.taps);
    assert.deepEqual(
      [...seen.labels],
      Array.from({ length: images }, (_, k) => k % golden.classes),
    );
    assert.deepEqual([seen.features.examples, seen.features.features], [images, network.record.featureSize]);
    tf.tidy(() => {
      const features = tf.tensor2d(Float32Array.from(seen.features.values), [images, network.record.featureSize]);
      const logits = tf.add(tf.matMul(features, network.head.weight as TF.Tensor as TF.Tensor2D), network.head.bias);
      closeTo(logits.slice(0, golden.batch).dataSync(), golden.evaluation.flat(), 1e-4, 'logit');

      const second = network.forward(
        tf.tensor4d(goldenBatch(golden, 1).images, [golden.batch, golden.size, golden.size, 3]),
        { training: false },
      );
      for (const stage of seen.stages) {
        const eager = second.taps[stage];
        const [map, pooled] = [seen.maps![stage], seen.pooled[stage]];
        assert.deepEqual(map.shape, [images, ...eager.shape.slice(1)]);
        closeTo(
          map.values.subarray(golden.batch * map.features, 2 * golden.batch * map.features),
          eager.dataSync(),
          1e-5,
          stage,
        );
        closeTo(
          pooled.values.subarray(golden.batch * pooled.features, 2 * golden.batch * pooled.features),
          eager.mean([1, 2]).dataSync(),
          1e-5,
          `${stage}, pooled`,
        );
      }
    });
    network.dispose();
  });

  it('holds its own variables, which can be written, and the stages that were asked for', async () => {
    const network = tinyNetwork();
    const stages = network.record.taps.slice(0, 2);
    const extractor = await featureExtractor(network, {
      imageSize: golden.size,
      batchSizes: batches.batchSizes,
      stages: [...stages].reverse(),
    });
    const [name, variable] = Object.entries(network.variables)[0];
    const zero = new Float32Array(variable.size);
    network.dispose();
    const before = await extractor.extract(batches);
    assert.deepEqual(
      [before.stages, Object.keys(before.pooled), before.maps],
      [stages, stages, null],
      'input side first',
    );
    extractor.write({ [name]: zero });
    const after = await extractor.extract(batches);
    const first = (values: ArrayLike<number>, n: number): number[] =>
      Array.from({ length: 3 }, (_, i) => values[i * n]);
    const { values, features } = after.pooled[stages[0]];
    assert.deepEqual(
      new Set(first(values, features)).size,
      1,
      'a first convolution of zeros sees no difference between images',
    );
    assert.notDeepEqual(first(before.pooled[stages[0]].values, features), first(values, features));
    extractor.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('stops when it is told to, and refuses a stage that there is not', async () => {
    const network = tinyNetwork();
    const reason = new Error('enough');
    await assert.rejects(
      stageFeatures(network, batches, { imageSize: golden.size, signal: AbortSignal.abort(reason) }),
      reason,
    );
    await assert.rejects(
      stageFeatures(network, batches, { imageSize: golden.size, stages: ['stage9'] }),
      (error: KitError) => error.code.startsWith('UNKNOWN_STAGE'),
    );
    network.dispose();
    assert.equal(tf.memory().numTensors, tensors);
  });
});
