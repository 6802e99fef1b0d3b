import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/base/home';
import { softmaxCrossEntropy } from '../../../src/engine/ops/ops';
import { tf } from '../../../src/engine/tensorflow';
import { buildResNet } from '../../../src/backbones/families/resnet';
import { weightsOfScores } from '../../../src/transfer/regularizers/channel-weights';
import type { Part } from '../../../src/base/definitions/part';
import { makeRegularization } from '../../../src/transfer/regularizers/regularizer';
import { goldenBatch, goldenNetwork, startingWeights } from '../../backbones/golden-resnet';
import { golden, tinySpec } from '../tiny';

interface Golden {
  penalty: number;
  gradientNorms: Record<string, number>;
}
type Coefficients = { alpha: number; beta: number };
const values = JSON.parse(
  fs.readFileSync(path.join(packageRoot(), 'test/fixtures/transfer/regularizers.json'), 'utf8'),
) as {
  delta: Golden & Coefficients;
  deltaUniform: Golden & Coefficients;
  bss: (Golden & { eta: number; k: number })[];
  l2sp: Golden & Coefficients;
};

/** The golden weights moved by the closed formula of data-scripts/golden/regularizers.py. */
const movedNetwork = () => {
  const state = startingWeights(golden);
  golden.tensors.forEach(({ name, kind }, place) => {
    if (kind === 'mean' || kind === 'variance') return;
    const { data } = state.get(name)!;
    (data as Float32Array).forEach(
      (value, i) => ((data as Float32Array)[i] = value * (1 + 0.1 * Math.sin(i * i + 500 + place))),
    );
  });
  const { block, layers, width, classes } = golden;
  return buildResNet({ block, layers, width, classes }, state);
};

const rising = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, c) => (1 + c) / ((count * (count + 1)) / 2));

describe('regularisers', () => {
  const cases: [string, Part, Golden, boolean][] = [
    [
      'DELTA with channel weights',
      { name: 'delta', alpha: values.delta.alpha, beta: values.delta.beta },
      values.delta,
      true,
    ],
    [
      'DELTA with the same weight for all channels',
      { name: 'delta', alpha: values.deltaUniform.alpha, beta: values.deltaUniform.beta },
      values.deltaUniform,
      false,
    ],
    ...values.bss.map((each): [string, Part, Golden, boolean] => [
      `BSS of ${each.k}`,
      { name: 'bss', eta: each.eta, k: each.k },
      each,
      false,
    ]),
    ['L2-SP', { name: 'l2-sp', alpha: values.l2sp.alpha, beta: values.l2sp.beta }, values.l2sp, false],
  ];
  for (const [title, spec, expected, weighted] of cases) {
    it(`${title}: PyTorch's loss and gradient norms within 1e-4`, () => {
      const before = tf.memory().numTensors;
      const [network, moved] = [goldenNetwork(golden), movedNetwork()];
      const regularizer = makeRegularization(tinySpec({ regularizers: [spec] }).regularizers, network, 1e-4, [
        weighted ? { stage1: rising(8), stage2: rising(16) } : undefined,
      ]);
      for (const [name, variable] of Object.entries(network.variables)) variable.assign(moved.variables[name]);
      tf.tidy(() => {
        const { images, labels } = goldenBatch(golden, 0);
        const pixels = tf.tensor4d(images, [golden.batch, golden.size, golden.size, 3], 'int32');
        const trained = Object.entries(network.variables).filter(([, variable]) => variable.trainable);
        let penalty = NaN;
        const { grads } = tf.variableGrads(
          () => {
            const forward = network.forward(pixels, { training: true });
            forward.updates.forEach(({ value }) => value.dispose());
            const extra = regularizer.penalty!({ images: pixels, labels: tf.tensor1d(labels, 'int32'), forward });
            penalty = extra.dataSync()[0];
            return softmaxCrossEntropy(forward.logits, tf.tensor1d(labels, 'int32')).mean().add(extra);
          },
          trained.map(([, variable]) => variable),
        );
        assert.ok(
          Math.abs(penalty - expected.penalty) <= 1e-4 * expected.penalty,
          `penalty ${penalty}, PyTorch ${expected.penalty}`,
        );
        const largest = Math.max(...Object.values(expected.gradientNorms));
        for (const [name, variable] of trained) {
          const norm = grads[variable.name].norm().dataSync()[0];
          assert.ok(
            Math.abs(norm - expected.gradientNorms[name]) <=
              1e-4 * Math.max(expected.gradientNorms[name], 0.1 * largest),
            `${name}: ${norm}, PyTorch ${expected.gradientNorms[name]}`,
          );
        }
      });
      regularizer.dispose();
      network.dispose();
      moved.dispose();
      assert.equal(tf.memory().numTensors, before, 'tensors left behind');
    });
  }

  it("DELTA's weights are softmax(z / 5) of the standardised scores", () => {
    // By hand: scores 0 and 2 have z = -1 and 1, so the weights are e^-0.2 and e^0.2 over their sum.
    const [low, high] = weightsOfScores([0, 2]);
    assert.ok(Math.abs(low - 0.401312339887548) < 1e-12 && Math.abs(high - 0.598687660112452) < 1e-12);
    assert.deepEqual(weightsOfScores([3, 3, 3, 3]), [0.25, 0.25, 0.25, 0.25]);
  });
});
