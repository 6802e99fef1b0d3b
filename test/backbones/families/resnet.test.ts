import assert from 'node:assert/strict';
import { softmaxCrossEntropy } from '../../../src/engine/ops/ops';
import { tf, type TF } from '../../../src/engine/tensorflow';
import type { Backbone, StatisticUpdate } from '../../../src/backbones/backbone';
import { buildResNet } from '../../../src/backbones/families/resnet';
import { goldenBatch, goldenCases, goldenNetwork, type GoldenCase } from '../golden-resnet';

const close = (found: number, expected: number, relative: number, what: string): void =>
  assert.ok(
    Math.abs(found - expected) <= relative * Math.max(1e-3, Math.abs(expected)),
    `${what}: found ${found}, PyTorch ${expected}`,
  );

const tensors = (golden: GoldenCase, step: number): [TF.Tensor4D, TF.Tensor1D] => {
  const { images, labels } = goldenBatch(golden, step);
  return [tf.tensor4d(images, [golden.batch, golden.size, golden.size, 3], 'int32'), tf.tensor1d(labels, 'int32')];
};

const trainable = (network: Backbone): [string, TF.Variable][] =>
  Object.entries(network.variables).filter(([, v]) => v.trainable);

/** alpha/2 |w - w0|^2 over the trunk + beta/2 |w|^2 over the head, in plain tfjs. */
function penaltyOf(
  network: Backbone,
  start: Record<string, TF.Tensor>,
  { alpha, beta }: GoldenCase['l2sp'],
): TF.Scalar {
  const terms = trainable(network).map(([name, w]) =>
    name.startsWith('fc.')
      ? w
          .square()
          .sum()
          .mul(beta / 2)
      : w
          .sub(start[name])
          .square()
          .sum()
          .mul(alpha / 2),
  );
  return tf.addN(terms) as TF.Scalar;
}

/** Gradients of `loss` by parameter name; running statistics are put in place. */
function gradientsOf(
  network: Backbone,
  loss: (updates: StatisticUpdate[]) => TF.Scalar,
): { value: TF.Scalar; gradients: Record<string, TF.Tensor> } {
  const updates: StatisticUpdate[] = [];
  const variables = trainable(network);
  const { value, grads } = tf.variableGrads(
    () => loss(updates),
    variables.map(([, v]) => v),
  );
  for (const update of updates) {
    update.variable.assign(update.value);
    update.value.dispose();
  }
  return { value, gradients: Object.fromEntries(variables.map(([name, v]) => [name, grads[v.name]])) };
}

const crossEntropyOf = (network: Backbone, golden: GoldenCase, step: number, updates: StatisticUpdate[]): TF.Scalar => {
  const [images, labels] = tensors(golden, step);
  const forward = network.forward(images, { training: true });
  updates.push(...forward.updates);
  return softmaxCrossEntropy(forward.logits, labels).mean();
};

/** SGD as torch.optim.SGD: v := momentum v + (g + decay w), w := w - rate v. Gives the loss of each step. */
function train(network: Backbone, golden: GoldenCase, weightDecay: number, penalty?: () => TF.Scalar): number[] {
  const { learningRate, momentum } = golden.optimizer;
  const velocity = new Map<string, TF.Tensor>();
  const losses = golden.steps.map((_, step) =>
    tf.tidy(() => {
      const { value, gradients } = gradientsOf(network, (updates) => {
        const crossEntropy = crossEntropyOf(network, golden, step, updates);
        return penalty ? crossEntropy.add(penalty()) : crossEntropy;
      });
      for (const [name, w] of trainable(network)) {
        const old = velocity.get(name);
        const g = gradients[name].add(w.mul(weightDecay));
        const v = tf.keep(old ? old.mul(momentum).add(g) : g.clone());
        w.assign(w.sub(v.mul(learningRate)));
        old?.dispose();
        velocity.set(name, v);
      }
      return value.dataSync()[0];
    }),
  );
  tf.dispose([...velocity.values()]);
  return losses;
}

function checkSums(network: Backbone, sums: GoldenCase['sums']): void {
  for (const [name, w] of trainable(network)) {
    const [sum, squares] = tf.tidy(() => [w.sum().dataSync()[0], w.square().sum().dataSync()[0]]);
    // A sum of numbers of both signs is as exact as the numbers are, not as it is small.
    const scale = Math.sqrt(sums[name][1] * w.size);
    // A rectifier at the edge of zero may fall on the other side where AVX-512 rounds otherwise: then one offset is off
    // by 3.5e-4.
    assert.ok(
      Math.abs(sum - sums[name][0]) <= 1e-3 * scale,
      `sum of ${name}: found ${sum}, PyTorch ${sums[name][0]}, off by ${Math.abs(sum - sums[name][0]) / scale} of its scale`,
    );
    close(squares, sums[name][1], 1e-3, `sum of squares of ${name}`);
  }
}

function checkNorms(found: Record<string, TF.Tensor>, expected: Record<string, number>, largest: number): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [name, gradient] of Object.entries(found)) {
    const norm = tf.tidy(() => gradient.square().sum().sqrt().dataSync()[0]);
    assert.ok(
      Math.abs(norm - expected[name]) <= 1e-4 * Math.max(expected[name], largest),
      `gradient of ${name}: found ${norm}, PyTorch ${expected[name]}`,
    );
  }
}

describe('residual networks', () => {
  for (const golden of goldenCases) {
    describe(`${golden.block} blocks against PyTorch`, () => {
      let network: Backbone;
      let start: Record<string, TF.Tensor>;
      let tensorsBefore: number;
      let losses: number[];

      const evaluate = (): Float32Array =>
        tf.tidy(() => network.forward(tensors(golden, 0)[0], { training: false }).logits.dataSync<'float32'>());

      before(() => {
        tensorsBefore = tf.memory().numTensors;
        network = goldenNetwork(golden);
        start = Object.fromEntries(trainable(network).map(([name, v]) => [name, v.clone()]));
      });

      it('has the names of torchvision, in the order of its state dict', () => {
        assert.deepEqual(
          Object.keys(network.variables),
          golden.tensors.map((t) => t.name),
        );
      });

      it('gives the same logits', () => {
        golden.evaluation.flat().forEach((expected, i) => close(evaluate()[i], expected, 1e-4, `logit ${i}`));
      });

      it('loses the same in five steps of SGD with momentum and weight decay', () => {
        losses = train(network, golden, golden.optimizer.weightDecay);
        golden.steps.forEach(({ loss }, step) => close(losses[step], loss, 1e-4, `loss of step ${step}`));
      });

      it('has the same running statistics after them', () => {
        for (const [name, expected] of Object.entries(golden.statistics)) {
          const found = network.variables[name].dataSync();
          expected.forEach((value, i) => close(found[i], value, 1e-3, `${name}[${i}]`));
        }
      });

      it('has the same weights after them', () => {
        checkSums(network, golden.sums);
        golden.evaluationAfter.flat().forEach((expected, i) => close(evaluate()[i], expected, 1e-3, `logit ${i}`));
      });

      it('has the same L2-SP loss and gradient there', () => {
        tf.tidy(() => {
          const { l2sp } = golden;
          const penalty = gradientsOf(network, () => penaltyOf(network, start, l2sp));
          close(penalty.value.dataSync()[0], l2sp.penalty, 1e-4, 'penalty');
          checkNorms(penalty.gradients, l2sp.penaltyGradientNorms, 0);
          const total = gradientsOf(network, (updates) =>
            crossEntropyOf(network, golden, 0, updates).add(penaltyOf(network, start, l2sp)),
          );
          checkNorms(total.gradients, l2sp.gradientNorms, 0.1);
        });
      });

      it('loses the same in five steps with L2-SP', () => {
        const again = goldenNetwork(golden);
        const { l2sp } = golden;
        const found = train(again, golden, 0, () => penaltyOf(again, start, l2sp));
        l2sp.steps.forEach(({ loss }, step) => close(found[step], loss, 1e-4, `loss of step ${step}`));
        checkSums(again, l2sp.sums);
        again.dispose();
      });

      after(() => {
        tf.dispose(start);
        network.dispose();
        assert.equal(tf.memory().numTensors, tensorsBefore, 'tensors left behind');
      });
    });
  }

  it('gives a new network from a seed: the same from the same, another from another', () => {
    const filter = (seed: number) => {
      const network = buildResNet({ block: 'basic', layers: [1], width: 8, classes: 3 }, null, seed);
      const values = network.variables['conv1.weight'].dataSync<'float32'>().slice();
      network.dispose();
      return values;
    };
    const values = filter(1);
    assert.deepEqual(filter(1), values);
    assert.notDeepEqual(filter(2), values);
    // He's normal: standard deviation sqrt(2 / (7 * 7 * 8)) = 0.0714, here from 1176 draws (standard error 2 %).
    const std = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    assert.ok(Math.abs(std / 0.0714 - 1) < 0.07, `standard deviation ${std}`);
  });
});
