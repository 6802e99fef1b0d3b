// Several tricks in one run: their order, their seeds, soft labels, and what is refused.
import assert from 'node:assert/strict';
import { forgetDefinitions } from '../../../src/base/definitions/registry';
import type { KitError } from '../../../src/base/errors';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { maskSeed } from '../../../src/transfer/mask-seed';
import { makeSteps } from '../../../src/transfer/step';
import { defineTrick, makeTricks } from '../../../src/transfer/tricks/trick';
import { goldenBatch } from '../../backbones/golden-resnet';
import { golden, tinyNetwork, tinySpec } from '../tiny';

const backbone = { record: { taps: [], id: 'test' } as never, residualBlocks: 0, classes: 3 };

/** The tricks of these tests. They are defined only while these run: workers of pools load files with definitions. */
function defineAll() {
  const plusOne = defineTrick({ name: 'composed/plus-one', create: () => ({ images: (x) => x.add(1) }) });
  const double = defineTrick({ name: 'composed/double', create: () => ({ images: (x) => x.mul(2) }) });
  const bySeed = defineTrick({
    name: 'composed/by-seed',
    create: () => ({ images: (x, seed) => x.mul(0).add(seed.slice(1, 1).toFloat()) }),
  });
  const soft = defineTrick({
    name: 'composed/soft',
    create: (_, { backbone: { classes } }) => ({
      labels: (labels) =>
        labels.rank === 2
          ? labels.mul(0.5).add(0.5 / classes)
          : tf
              .oneHot(labels as TF.Tensor1D, classes)
              .toFloat()
              .mul(0.8)
              .add(0.2 / classes),
    }),
  });
  const head = (name: string) =>
    defineTrick({ name, create: () => ({ hooks: () => ({ head: (x, weight) => tf.matMul(x, weight) }) }) });
  const heads = [head('composed/head-a'), head('composed/head-b')];
  return { plusOne, double, bySeed, soft, heads };
}

describe('several tricks together', () => {
  let defined: ReturnType<typeof defineAll>;
  before(() => (defined = defineAll()));
  after(() => forgetDefinitions('composed/'));
  const images = (parts: Parameters<typeof makeTricks>[0], seeds: number[][] = parts.map(() => [0, 0])): number =>
    tf.tidy(
      () =>
        makeTricks(parts, backbone)
          .images(tf.ones([1, 1, 1, 3]), tf.tensor2d(seeds, [seeds.length, 2], 'int32'))
          .dataSync()[0],
    );

  it('act in their order', () => {
    assert.equal(images([defined.plusOne(), defined.double()]), 4);
    assert.equal(images([defined.double(), defined.plusOne()]), 3);
  });

  it('have seeds of their own, also where one is used twice', () => {
    const seeds = [
      [1, 7],
      [1, 9],
    ];
    assert.equal(images([defined.plusOne(), defined.bySeed()], seeds), 9);
    assert.equal(images([defined.bySeed(), defined.plusOne()], seeds), 8);
    const names = [{ name: 'a' }, { name: 'b' }, { name: 'a' }];
    const drawn = maskSeed({ seed: 0, tricks: names }, 1, 2);
    assert.equal(drawn.length, 6);
    assert.equal(new Set(drawn).size, 6);
    assert.deepEqual(drawn.slice(0, 2), maskSeed({ seed: 0, tricks: names.slice(0, 1) }, 1, 2), 'as alone');
    assert.notDeepEqual(drawn, maskSeed({ seed: 0, tricks: names }, 1, 3));
  });

  it('pass soft labels on', () =>
    tf.tidy(() => {
      const labels = makeTricks([defined.soft(), defined.soft()], backbone).labels(
        tf.tensor1d([2, 0], 'int32'),
        tf.zeros([2, 2], 'int32'),
      );
      // 0.8 + 0.2/3 = 0.8667 and 0.0667; then half of that + 1/6
      const [high, low] = [0.6, 0.2];
      const expected = [low, low, high, high, low, low];
      labels.dataSync().forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, String(value)));
    }));

  it('give a step the cross entropy of soft labels: sum of -p log q, mean over the batch', () => {
    const network = tinyNetwork();
    const { images: pixels, labels } = goldenBatch(golden, 0);
    const args = () => ({
      images: tf.tensor4d(pixels, [golden.batch, golden.size, golden.size, 3], 'int32'),
      labels: tf.tensor1d(labels, 'int32'),
      learningRate: tf.scalar(0),
      headLearningRate: tf.scalar(0),
      maskSeed: tf.tensor1d([0, 0], 'int32'),
    });
    const logits = tf.tidy(() => {
      const { logits: found, updates } = network.forward(args().images, { training: true });
      tf.dispose(updates.map(({ value }) => value));
      return found.arraySync();
    });
    const expected = logits.map((row, i) => {
      const logSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
      return row.reduce((sum, value, c) => {
        const p = 0.2 / row.length + (c === labels[i] ? 0.8 : 0);
        return sum - p * (value - logSum);
      }, 0);
    });
    const mean = expected.reduce((a, b) => a + b, 0) / expected.length;
    const steps = makeSteps(tinySpec({ tricks: [defined.soft()] }), network);
    const [loss] = tf.tidy(() => steps.train(args()).crossEntropy.dataSync());
    assert.ok(Math.abs(loss - mean) < 1e-5, `found ${loss}, expected ${mean}`);
    steps.dispose();
    network.dispose();
  });

  it('are refused where two replace the head', () =>
    tf.tidy(() =>
      assert.throws(
        () =>
          makeTricks(
            defined.heads.map((each) => each()),
            backbone,
          ).hooks(tf.zeros([2, 2], 'int32')),
        (error: KitError) => error.code === 'TRICK_HEADS' && error.message.includes('"composed/head-b"'),
      ),
    ));
});
