// Weights of the classes: scikit-learn's balanced ones, PyTorch's weighted loss with its gradient, and bad input.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { tf, type TF } from '../../../src/engine/tensorflow';
import { packageRoot } from '../../../src/base/home';
import { classWeightsOf } from '../../../src/transfer/loss/class-weights';
import { meanCrossEntropy } from '../../../src/transfer/loss/cross-entropy';
import { makeSteps } from '../../../src/transfer/step';
import { golden, tinyNetwork, tinySpec } from '../tiny';
import { goldenBatch } from '../../backbones/golden-resnet';

interface Case {
  loss: number;
  gradient: number[][];
}

const expected = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/transfer/class-weights.json'), 'utf8'),
) as {
  labels: number[];
  balanced: number[];
  logits: number[][];
  hard: number[];
  soft: number[][];
  hardCase: Case;
  softCase: Case;
};
const classes = ['a', 'b', 'c', 'd'];
const near = (found: Iterable<number>, wanted: readonly number[]): void =>
  [...found].forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-6, `${i}: ${value}, ${wanted[i]}`));

describe('class weights', () => {
  it("are balanced as scikit-learn's compute_class_weight does", () => {
    near(classWeightsOf('balanced', classes, expected.labels)!, expected.balanced);
    assert.equal(classWeightsOf(null, classes, expected.labels), null);
    assert.deepEqual([...classWeightsOf({ d: 4, b: 2, a: 1, c: 3 }, classes, [])!], [1, 2, 3, 4]);
  });

  it("weigh the loss and its gradient as PyTorch's CrossEntropyLoss(weight), of hard and of soft labels", () => {
    tf.tidy(() => {
      const logits = tf.tensor2d(expected.logits);
      const weights = tf.tensor1d(expected.balanced);
      const labels: [TF.Tensor, Case][] = [
        [tf.tensor1d(expected.hard, 'int32'), expected.hardCase],
        [tf.tensor2d(expected.soft), expected.softCase],
      ];
      for (const [given, { loss, gradient }] of labels) {
        const of = (x: TF.Tensor) => meanCrossEntropy(x as TF.Tensor2D, given, weights);
        const { value, grad } = tf.valueAndGrad(of)(logits);
        near(value.dataSync(), [loss]);
        near(grad.dataSync(), gradient.flat());
      }
    });
  });

  it('weigh the training step, not the evaluation: equal weights change nothing, others the loss', () => {
    const backbone = tinyNetwork();
    const { images, labels } = goldenBatch(golden, 0);
    const lossesOf = (weights: number[] | null): number[] => {
      const classWeights = weights && Object.fromEntries(weights.map((weight, i) => [String(i), weight]));
      const steps = makeSteps(tinySpec({ classWeights }), backbone, {
        ...(weights ? { classWeights: Float32Array.from(weights) } : {}),
      });
      const found = tf.tidy(() => {
        const args = {
          images: tf.tensor4d(images, [golden.batch, golden.size, golden.size, 3], 'int32'),
          labels: tf.tensor1d(labels, 'int32'),
        };
        const evaluated = steps.evaluate(args).crossEntropy.dataSync()[0];
        const rate = tf.scalar(0);
        const { crossEntropy } = steps.train({
          ...args,
          learningRate: rate,
          headLearningRate: rate,
          maskSeed: tf.tensor1d([0, 0], 'int32'),
        });
        return [evaluated, crossEntropy.dataSync()[0]];
      });
      steps.dispose();
      return found;
    };
    const before = tf.memory().numTensors;
    const plain = lossesOf(null);
    const equal = lossesOf(new Array<number>(golden.classes).fill(2));
    const other = lossesOf(Array.from({ length: golden.classes }, (_, i) => (i === labels[0] ? 50 : 1)));
    assert.ok(Math.abs(equal[1] - plain[1]) < 1e-5);
    assert.ok(Math.abs(other[1] - plain[1]) > 1e-3);
    assert.equal(tf.memory().numTensors - before, 0);
    backbone.dispose();
  });

  it('are refused for another number of classes, an unknown class, or a class without images', () => {
    const refused = (given: Record<string, number>) =>
      assert.throws(() => classWeightsOf(given, classes, [0]), { code: 'CLASS_WEIGHTS_CLASSES' });
    refused({ a: 1, b: 1, c: 1 });
    refused({ a: 1, b: 1, c: 1, d: 1, e: 1 });
    refused({ a: 1, b: 1, c: 1, D: 1 });
    assert.throws(() => classWeightsOf('balanced', classes, [0, 1, 2]), { code: 'CLASS_WEIGHTS_NO_IMAGES' });
  });

  it('of zero, below zero, not a number or by another word are refused by the spec', () => {
    for (const classWeights of [{ a: 0 }, { a: -1 }, { a: NaN }, { a: '1' }, 'auto', [1, 2]])
      assert.throws(() => tinySpec({ classWeights: classWeights as never }), { code: 'SPEC_INVALID' });
    assert.throws(() => tinySpec({ sampling: 'weighted' as never }), { code: 'SPEC_INVALID' });
  });
});
