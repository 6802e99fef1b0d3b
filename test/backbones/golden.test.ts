import assert from 'node:assert/strict';
import { softmaxCrossEntropy } from '../../src/engine/ops/ops';
import { tf, type TF } from '../../src/engine/tensorflow';
import type { Backbone, ForwardResult } from '../../src/backbones/backbone';
import {
  formulaBatch,
  formulaNetwork,
  networkCases,
  torchvisionNetworks,
  torchvisionShapes,
  type GoldenPass,
  type NetworkCase,
  type Summary,
} from './golden-backbones';

/** What everything is held to: relative to its own size, of elements to the root mean square of their tensor. */
const tolerance = 1e-3;

const rms = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);

function within(found: number, expected: number, scale: number, what: string): void {
  assert.ok(
    Math.abs(found - expected) <= tolerance * scale,
    `${what}: found ${found}, PyTorch ${expected} (scale ${scale})`,
  );
}

function checkLogits(found: TF.Tensor2D, expected: number[][], what: string): void {
  const [numbers, wanted] = [Array.from(found.dataSync()), expected.flat()];
  assert.equal(numbers.length, wanted.length, what);
  numbers.forEach((value, i) => within(value, wanted[i], rms(wanted), `${what} ${i}`));
}

function checkSummary(found: TF.Tensor, { shape, mean, norm, values }: Summary, what: string): void {
  assert.deepEqual(found.shape, shape, what);
  const numbers = found.dataSync<'float32'>();
  let [sum, squares] = [0, 0];
  for (const value of numbers) {
    sum += value;
    squares += value * value;
  }
  const scale = norm / Math.sqrt(numbers.length);
  within(Math.sqrt(squares), norm, norm, `norm of ${what}`);
  within(sum / numbers.length, mean, scale, `mean of ${what}`);
  values.forEach((value, k) =>
    within(numbers[Math.floor((k * (numbers.length - 1)) / 5)], value, scale, `${what}, element ${k}`),
  );
}

function checkPass({ logits, features, taps }: ForwardResult, expected: GoldenPass): void {
  checkLogits(logits, expected.logits, 'logit');
  checkSummary(features, expected.features, 'features');
  assert.deepEqual(Object.keys(taps), Object.keys(expected.taps));
  for (const [name, tap] of Object.entries(taps)) checkSummary(tap, expected.taps[name], name);
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

describe('networks against PyTorch', function () {
  this.timeout(120_000);

  describe("torchvision's names, shapes and counts", () => {
    const shapes = torchvisionShapes();

    it('are there for every network that torchvision gave', () => {
      assert.deepEqual(torchvisionNetworks.map(({ record }) => record.id).sort(), Object.keys(shapes).sort());
    });

    for (const { record, build } of torchvisionNetworks) {
      it(`${record.id} has the state dict of torchvision, in its order, and as many parameters as published`, () => {
        const { parameters, head, auxiliaryHead } = build(1000);
        assert.deepEqual(
          [...parameters.values()].map(({ name, fileShape }) => [name, fileShape]),
          shapes[record.id],
        );
        const count = [...parameters.values()]
          .filter(({ trainable }) => trainable)
          .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
        assert.equal(count, record.parameters);
        assert.deepEqual(
          [head.weight.name, head.bias.name, head.weight.shape],
          [record.head.weight, record.head.bias, [record.featureSize, 1000]],
        );
        assert.deepEqual(
          auxiliaryHead && { weight: auxiliaryHead.weight.name, bias: auxiliaryHead.bias.name },
          record.auxiliary?.head ?? null,
        );
      });
    }
  });

  for (const golden of networkCases()) {
    describe(`${golden.id} at ${golden.size} pixels`, () => {
      let network: Backbone;
      let images: TF.Tensor4D;
      let labels: TF.Tensor1D;
      let tensors: number;

      before(() => {
        tensors = tf.memory().numTensors;
        network = formulaNetwork(golden);
        const batch = formulaBatch(golden);
        images = tf.tensor4d(batch.images, [golden.batch, golden.size, golden.size, 3], 'int32');
        labels = tf.tensor1d(batch.labels, 'int32');
      });
      after(() => {
        network.dispose();
        tf.dispose([images, labels]);
        assert.equal(tf.memory().numTensors, tensors, 'tensors left behind');
      });

      it('gives the logits, features and stages of PyTorch in evaluation', () => {
        tf.tidy(() => {
          const found = network.forward(images, { training: false });
          assert.deepEqual([found.updates, found.auxiliaryLogits], [[], undefined]);
          checkPass(found, golden.evaluation);
        });
      });

      if (golden.halved) {
        it('runs the branch of every residual block through a hook, input side first', () => {
          tf.tidy(() => {
            const blocks = network.residualBlocks;
            const seen: number[] = [];
            const hooks = {
              residual: (branch: TF.Tensor4D, block: number) => (
                seen.push(block),
                branch.mul<TF.Tensor4D>(1 - (block + 1) / (2 * blocks))
              ),
            };
            checkLogits(network.forward(images, { training: false, hooks }).logits, golden.halved!, 'logit');
            assert.deepEqual(
              seen,
              Array.from({ length: blocks }, (_, block) => block),
            );
          });
        });
      }

      if (golden.training) {
        it('gives all that of PyTorch in training, the loss, the norm of every gradient, and every running statistic', () =>
          train(golden.training!));
      }

      function train(expected: GoldenPass): void {
        const trainable = Object.entries(network.variables).filter(([, variable]) => variable.trainable);
        let updates: ForwardResult['updates'] = [];
        tf.tidy(() => {
          const { value, grads } = tf.variableGrads(
            () => {
              const found = network.forward(images, { training: true });
              ({ updates } = found);
              checkPass(found, expected);
              const crossEntropy = softmaxCrossEntropy(found.logits, labels).mean<TF.Scalar>();
              if (found.auxiliaryLogits === undefined) return crossEntropy;
              checkLogits(found.auxiliaryLogits, golden.auxiliary!, 'auxiliary logit');
              return crossEntropy.add(
                softmaxCrossEntropy(found.auxiliaryLogits, labels).mean().mul(network.record.auxiliary!.lossWeight),
              );
            },
            trainable.map(([, variable]) => variable),
          );
          within(value.dataSync()[0], golden.loss!, golden.loss!, 'loss');
          const norms = trainable.map(([, { name }]) => tf.norm(grads[name]).dataSync()[0]);
          assert.equal(norms.length, golden.gradientNorms!.length);
          const median = ascending(golden.gradientNorms!)[norms.length >> 1];
          norms.forEach((norm, i) => {
            const expected = golden.gradientNorms![i];
            // What changes nothing (an offset before a normalisation) has a gradient of rounding alone: it is held to
            // the scale of the others.
            within(
              norm,
              expected,
              expected < 1e-6 * median ? median : Math.max(expected, 0.05 * median),
              `gradient of ${trainable[i][0]}`,
            );
          });
        });
        checkStatistics(golden, network, updates);
      }
    });
  }
});

function checkStatistics({ statistics }: NetworkCase, network: Backbone, updates: ForwardResult['updates']): void {
  const after = new Map(updates.map(({ variable, value }) => [variable.name, value]));
  const running = Object.entries(network.variables).filter(([, { trainable }]) => !trainable);
  assert.equal(after.size, running.length, 'one update for each statistic');
  assert.equal(running.length, statistics!.length);
  running.forEach(([name, variable], i) => {
    const values = Array.from(after.get(variable.name)!.dataSync<'float32'>());
    const [mean, norm] = statistics![i];
    within(rms(values) * Math.sqrt(values.length), norm, norm, `norm of ${name}`);
    within(values.reduce((a, b) => a + b) / values.length, mean, norm / Math.sqrt(values.length), `mean of ${name}`);
  });
  tf.dispose([...after.values()]);
}
