import assert from 'node:assert/strict';
import { backbones } from '../../../src/backbones/backbone';
import { tf, type TF } from '../../../src/engine/tensorflow';
import type { Part } from '../../../src/base/definitions/part';
import { ratesAt } from '../../../src/transfer/rates';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { progressInCycle } from '../../../src/transfer/tricks/cyclic-lr';
import { survivalOf } from '../../../src/transfer/tricks/stochastic-depth';
import { makeSteps } from '../../../src/transfer/step';
import { compileSteps } from '../../../src/transfer/compiled-steps';
import { maskSeed } from '../../../src/transfer/mask-seed';
import { keepMask, makeTricks, type TrickBackbone } from '../../../src/transfer/tricks/trick';
import { goldenBatch } from '../../backbones/golden-resnet';
import { golden, tinyNetwork, tinySpec } from '../tiny';

const FEATURES = 3;
const CLASSES = 2;
const fits = { record: { taps: ['stem', 'stage1'], id: 'test' } as never, residualBlocks: 4, classes: CLASSES };
const makeTrick = (part: Part, backbone: TrickBackbone) => {
  const { hooks, labels } = makeTricks([part], backbone);
  return { labels, hooks: (seed: TF.Tensor1D) => hooks(seed)! };
};
const seedOf = (a: number, b: number): TF.Tensor1D => tf.tensor1d([a, b], 'int32');

const [features, weight, bias] = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  [
    [1, -1],
    [2, 0.5],
    [-3, 4],
  ],
  [0.25, -0.5],
];
const logitsOf = (spec: Part, seed: TF.Tensor1D): number[][] =>
  makeTrick(spec, fits).hooks(seed).head!(tf.tensor2d(features), tf.tensor2d(weight), tf.tensor1d(bias)).arraySync();
const close = (found: number, expected: number, off: number, what: string): void =>
  assert.ok(Math.abs(found - expected) <= off, `${what}: found ${found}, expected ${expected}`);

/** Mean logits over many steps: what a trick's head is on average. */
const meanLogits = (spec: Part, steps: number): number[][] =>
  tf.tidy(() => {
    const sum = features.map(() => [0, 0]);
    for (let step = 0; step < steps; step++)
      logitsOf(spec, seedOf(7, step)).forEach((row, b) => row.forEach((x, c) => (sum[b][c] += x / steps)));
    return sum;
  });

describe('tricks', () => {
  describe('on the head, at the level of the mask, against a calculation by hand', () => {
    const linear = (input: number[], w: number[][]): number[] =>
      bias.map((b, c) => input.reduce((sum, x, d) => sum + x * w[d][c], b));

    it('dropout drops features of each image and divides the rest by 1 - rate', () =>
      tf.tidy(() => {
        const mask = keepMask([2, FEATURES], 0.6, seedOf(1, 2)).arraySync() as number[][];
        assert.ok(mask.flat().every((m) => m === 0 || m === 1));
        const expected = features.map((row, b) =>
          linear(
            row.map((x, d) => (x * mask[b][d]) / 0.6),
            weight,
          ),
        );
        logitsOf({ name: 'dropout', rate: 0.4, at: 'head' }, seedOf(1, 2)).forEach((row, b) =>
          row.forEach((x, c) => close(x, expected[b][c], 1e-4, `logit ${b}, ${c}`)),
        );
      }));

    it('DropConnect drops weights, of each image its own', () =>
      tf.tidy(() => {
        const mask = keepMask([2, FEATURES, CLASSES], 0.6, seedOf(1, 2)).arraySync() as number[][][];
        assert.notDeepEqual(mask[0], mask[1]);
        const expected = features.map((row, b) =>
          linear(
            row,
            weight.map((ws, d) => ws.map((w, c) => (w * mask[b][d][c]) / 0.6)),
          ),
        );
        logitsOf({ name: 'dropconnect', rate: 0.4, unit: 'weight' }, seedOf(1, 2)).forEach((row, b) =>
          row.forEach((x, c) => close(x, expected[b][c], 1e-4, `logit ${b}, ${c}`)),
        );
      }));

    it("the authors' unused class drops an image's whole features", () =>
      tf.tidy(() => {
        const mask = keepMask([2, 1], 0.6, seedOf(1, 2)).arraySync() as number[][];
        const expected = features.map((row, b) =>
          linear(
            row.map((x) => (x * mask[b][0]) / 0.6),
            weight,
          ),
        );
        logitsOf({ name: 'dropconnect', rate: 0.4, unit: 'sample' }, seedOf(1, 2)).forEach((row, b) =>
          row.forEach((x, c) => close(x, expected[b][c], 1e-4, `logit ${b}, ${c}`)),
        );
      }));

    for (const spec of [
      { name: 'dropout', rate: 0.4, at: 'head' },
      { name: 'dropconnect', rate: 0.4, unit: 'weight' },
      { name: 'dropconnect', rate: 0.4, unit: 'sample' },
    ] as Part[]) {
      it(`${JSON.stringify(spec)} is the plain head on average`, () => {
        const steps = 4000;
        meanLogits(spec, steps).forEach((row, b) =>
          row.forEach((found, c) => {
            const expected = linear(features[b], weight)[c];
            // A logit is a sum of independent terms with standard deviation |x w| sqrt(rate / keep), at worst all
            // dropped together.
            const spread =
              features[b].reduce((sum, x, d) => sum + Math.abs(x * weight[d][c]), 0) * Math.sqrt(0.4 / 0.6);
            close(found, expected, (4 * spread) / Math.sqrt(steps), `logit ${b}, ${c}`);
          }),
        );
      });
    }
  });

  it('stochastic depth keeps block l of L with p = 1 - l / L (1 - survival), and its branch on average', () => {
    [0.9, 0.8, 0.7, 0.6].forEach((p, block) => close(survivalOf(block, 4, 0.6), p, 1e-12, `block ${block}`));
    tf.tidy(() => {
      const [block, batch, keep] = [2, 4000, 0.7];
      const branch = tf.ones([batch, 2, 2, 3]) as TF.Tensor4D;
      const seen = makeTrick({ name: 'stochastic-depth', survival: 0.6 }, fits).hooks(seedOf(3, 4)).residual!(
        branch,
        block,
      );
      const perImage = seen.reshape([batch, 12]).arraySync() as number[][];
      assert.ok(
        perImage.every((row) => row.every((x) => x === row[0])),
        'an image is dropped as a whole',
      );
      const kept = perImage.filter(([x]) => x > 0);
      close(kept[0][0], 1 / keep, 1e-6, 'what survives');
      close(kept.length / batch, keep, 4 * Math.sqrt((keep * (1 - keep)) / batch), 'frequency');
    });
  });

  it('dropout of the CNN acts on every stage, with another mask on each', () =>
    tf.tidy(() => {
      const { tap } = makeTrick({ name: 'dropout', rate: 0.5, at: 'stages' }, fits).hooks(seedOf(5, 6));
      const x = tf.ones([1, 8, 8, 4]) as TF.Tensor4D;
      const [stem, stage] = [tap!(x, 'stem').dataSync(), tap!(x, 'stage1').dataSync()];
      assert.ok(stem.every((v) => v === 0 || v === 2) && stem.some((v) => v === 0) && stem.some((v) => v === 2));
      assert.notDeepEqual(stem, stage);
    }));

  it('disturbed labels have the frequencies of the formula (chi-squared, 3 degrees of freedom)', () =>
    tf.tidy(() => {
      const [n, classes, rate] = [20000, 4, 0.2];
      const trick = makeTrick({ name: 'disturb-label', rate }, { ...fits, classes });
      const found = trick.labels(tf.fill([n], 1, 'int32') as TF.Tensor1D, seedOf(9, 10)).dataSync();
      const counts = [0, 1, 2, 3].map((label) => found.filter((x) => x === label).length);
      const expected = [0, 1, 2, 3].map(
        (label) => n * (label === 1 ? 1 - (rate * (classes - 1)) / classes : rate / classes),
      );
      const statistic = counts.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0);
      assert.ok(statistic < 16.27, `chi-squared ${statistic} of ${counts}: expected below 16.27, the 99.9 % quantile`);
    }));

  it('the cyclic learning rate restarts in each of its cycles, the last of which takes what is left', () => {
    // By hand: 10 epochs in 3 cycles are 3 + 3 + 4.
    const expected = [0, 1 / 3, 2 / 3, 0, 1 / 3, 2 / 3, 0, 1 / 4, 2 / 4, 3 / 4];
    expected.forEach((progress, epoch) => close(progressInCycle(3, epoch, 10), progress, 1e-12, `epoch ${epoch}`));
    const spec = parseRunSpec({ dataset: 'd', backbone: 'b', epochs: 8, trick: 'cyclic-lr' });
    const rate = (epoch: number): number => ratesAt(spec, { epoch, epochs: 8, period: 8 }).learningRate;
    close(rate(4), 0.01, 1e-12, 'restart');
    close(rate(6), 0.005, 1e-12, 'half way');
  });

  describe('inside the compiled step', () => {
    it('masks of two steps differ, and a step taken again from the same state is the same to the bit', async () => {
      const backbone = tinyNetwork();
      const spec = tinySpec({ trick: 'dropout' });
      const steps = makeSteps(spec, backbone);
      const program = await compileSteps(steps, golden.size, [golden.batch], []);
      const start = program.read();
      const { images, labels } = goldenBatch(golden, 0);
      const lossOf = (epoch: number, index: number): number => {
        program.write(start);
        const outputs = program.train({
          images: Uint8Array.from(images),
          labels,
          learningRate: 0.01,
          headLearningRate: 0.01,
          maskSeed: maskSeed(spec, epoch, index),
        });
        const loss = outputs.loss.dataSync()[0];
        tf.dispose(outputs);
        return loss;
      };
      assert.equal(lossOf(0, 0), lossOf(0, 0));
      assert.notEqual(lossOf(0, 0), lossOf(0, 1));
      assert.notEqual(lossOf(0, 0), lossOf(1, 0));
      assert.deepEqual(maskSeed(spec, 3, 2), maskSeed(spec, 3, 2));
      assert.notDeepEqual(maskSeed(spec, 3, 2), maskSeed({ ...spec, seed: spec.seed + 1 }, 3, 2));
      program.dispose();
      steps.dispose();
      backbone.dispose();
      tf.dispose(start);
    });
  });

  it('stochastic depth refuses a network without residual blocks, before any training', () => {
    assert.throws(() => makeTrick({ name: 'stochastic-depth', survival: 0.8 }, { ...fits, residualBlocks: 0 }), {
      code: 'TRICK_NO_RESIDUAL_BLOCKS',
    });
  });

  it('knows how many residual blocks a network has', async () => {
    const lite = await backbones.load('efficientnet_lite0.tf_in1k', { classes: 2, weights: 'random' });
    assert.equal(
      lite.residualBlocks,
      9,
      'EfficientNet-Lite0: 16 blocks, of which the first of the seven stages add no shortcut',
    );
    lite.dispose();
  });
});
