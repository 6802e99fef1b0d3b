import assert from 'node:assert/strict';
import { compile } from '../../src/engine/compile';
import { softmaxCrossEntropy } from '../../src/engine/ops/ops';
import { tf, type TF } from '../../src/engine/tensorflow';
import { assemble } from '../../src/backbones/assemble';
import { stateDictOf } from '../../src/backbones/snapshot';
import { hashStateDict, type StateDict } from '../../src/backbones/weights/readers/state-dict';
import {
  formulaNetwork,
  formulaWeights,
  torchvisionNetworks,
  torchvisionShapes,
  type NetworkCase,
} from './golden-backbones';

const definitionOf = (id: string) => torchvisionNetworks.find(({ record }) => record.id === id)!;
const assembled = (id: string, stateDict: StateDict, classes: number) =>
  assemble(definitionOf(id), { classes, seed: 5, weights: { stateDict, format: 'pth', source: 'a file', hash: '' } });

describe('families of networks', function () {
  this.timeout(120_000);
  let tensors: number;
  beforeEach(() => (tensors = tf.memory().numTensors));
  afterEach(() => assert.equal(tf.memory().numTensors, tensors, 'tensors left behind'));

  for (const [id, size] of [
    ['mobilenet_v2.tv_in1k', 64],
    ['densenet121.tv_in1k', 64],
    ['inception_v3.tv_in1k', 107],
    ['efficientnet_b0.tv_in1k', 64],
  ] as const) {
    it(`${id} compiles into a graph that gives the same loss, gradients and statistics`, async () => {
      const network = formulaNetwork({ id, offset: 1 } as NetworkCase);
      const trainable = Object.values(network.variables).filter((variable) => variable.trainable);
      const step = ({ images, labels }: { images: TF.Tensor4D; labels: TF.Tensor1D }) => {
        let statistics: TF.Tensor[] = [];
        const { value, grads } = tf.variableGrads(() => {
          const { logits, updates } = network.forward(images, { training: true });
          statistics = updates.map((update) => update.value);
          return softmaxCrossEntropy(logits, labels).mean<TF.Scalar>();
        }, trainable);
        const moved = tf.addN(statistics.map((statistic) => statistic.square().sum()));
        tf.dispose(statistics);
        return { value, norm: tf.addN(Object.values(grads).map((gradient) => gradient.square().sum())), moved };
      };
      const args = {
        images: tf.randomUniform([2, size, size, 3], 0, 256, 'int32', 3) as TF.Tensor4D,
        labels: tf.tensor1d([1, 7], 'int32'),
      };
      const program = await compile({ step: { args, run: step } }, network.variables);
      const [eager, compiled] = [tf.tidy(() => step(args)), program.step(args)];
      for (const name of ['value', 'norm', 'moved'] as const) {
        const [expected, found] = [eager[name].dataSync()[0], compiled[name].dataSync()[0]];
        assert.ok(Math.abs(found - expected) <= 1e-3 * expected, `${name}: compiled ${found}, eager ${expected}`);
      }
      tf.dispose([eager, compiled, args]);
      program.dispose();
      network.dispose();
    });
  }

  it("DenseNet reads the names that torchvision's own files have", () => {
    const id = 'densenet121.tv_in1k';
    const present = formulaWeights(torchvisionShapes()[id], 0.5);
    const older = new Map(
      [...present].map(([name, tensor]) => [name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2'), tensor]),
    );
    assert.ok(older.has('features.denseblock1.denselayer1.norm.1.weight'));
    const network = assembled(id, older, 1000);
    assert.equal(hashStateDict(stateDictOf(network)), hashStateDict(present));
    network.dispose();
  });

  it('Inception-V3 leaves the auxiliary classifier of a file out, or gives it a new head too', () => {
    const entries = torchvisionShapes()['inception_v3_aux.tv_in1k'];
    const file = formulaWeights(entries, 0.5);
    const without = assembled('inception_v3.tv_in1k', file, 1000);
    const expected = new Map([...file].filter(([name]) => !name.startsWith('AuxLogits.')));
    assert.equal(hashStateDict(stateDictOf(without)), hashStateDict(expected));
    without.dispose();
    const [a, b] = ['inception_v3.tv_in1k', 'inception_v3_aux.tv_in1k'].map((id) => assembled(id, file, 7));
    assert.deepEqual(b.variables['AuxLogits.fc.weight'].shape, [768, 7]);
    const limit = tf.tidy(() => b.variables['AuxLogits.fc.weight'].abs().max().dataSync()[0]) * Math.sqrt(768);
    assert.ok(
      limit > 0.99 && limit <= 1,
      `a new linear layer is uniform in +-1/sqrt(inputs), found ${limit} times that`,
    );
    assert.deepEqual(a.head.weight.dataSync(), b.head.weight.dataSync(), 'the auxiliary head does not shift the head');
    for (const network of [a, b]) network.dispose();
  });
});
