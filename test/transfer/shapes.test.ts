import assert from 'node:assert/strict';
import { zeroBackbone, type Backbone } from '../../src/backbones/backbone';
import { DataType, internals, type TFJSBinding } from '../../src/engine/binding';
import { outputShapes, type TensorShape } from '../../src/engine/graph/shapes';
import { tf } from '../../src/engine/tensorflow';
import { parseRunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';
import { makeSteps } from '../../src/transfer/step';
import { tinyNetwork } from './tiny';

/** Ops that `outputShapes` leaves to running them, in all that is run here. */
const RUN = ['Svd'];

/**
 * Runs `run` eagerly and compares every op's results with what `outputShapes` says of it. Returns the ops met, and
 * those without a rule.
 */
function compareShapes(run: () => void): { met: Set<string>; unknown: Set<string> } {
  const node = internals();
  const real = node.binding;
  const [met, unknown] = [new Set<string>(), new Set<string>()];
  const seen = (id: number): TensorShape => {
    const [{ id: copy, shape, dtype }] = real.executeOp('Identity', [], [id], 1);
    const ints = dtype === DataType.int32 && shape.length < 3 ? Array.from(real.tensorDataSync(copy)) : undefined;
    real.deleteTensor(copy);
    return { shape, dtype, ints };
  };
  const executeOp: TFJSBinding['executeOp'] = (op, attributes, ids, count) => {
    const inputs = ids.map(seen);
    const outputs = real.executeOp(op, attributes, ids, count);
    const kinds = {
      [real.TF_ATTR_INT]: 'int',
      [real.TF_ATTR_STRING]: 'string',
      [real.TF_ATTR_BOOL]: 'bool',
      [real.TF_ATTR_TYPE]: 'type',
      [real.TF_ATTR_FLOAT]: 'float',
    };
    const given = Object.fromEntries(
      attributes.map(({ name, type, value }) => [
        name,
        Array.isArray(value) ? { ints: value } : { [kinds[type]]: value },
      ]),
    );
    const told = outputShapes(op, inputs, given as never);
    met.add(op);
    if (told === undefined) unknown.add(op);
    // Of batch normalisation's last outputs, which only its own gradient takes, the size depends on the device.
    else
      for (const [k, { shape, dtype }] of outputs.slice(0, op.startsWith('FusedBatchNorm') ? 3 : undefined).entries())
        assert.deepEqual(
          { shape: [...told[k].shape], dtype: told[k].dtype },
          { shape, dtype },
          `${op}, output ${k}, of ${JSON.stringify(inputs)}`,
        );
    return outputs;
  };
  node.binding = Object.create(real, { executeOp: { value: executeOp } }) as TFJSBinding;
  try {
    run();
  } finally {
    node.binding = real;
  }
  return { met, unknown };
}

function stepShapes(
  backbone: Backbone,
  spec: Partial<RunSpecInput>,
  side: number,
): { met: Set<string>; unknown: Set<string> } {
  const steps = makeSteps(
    parseRunSpec({ dataset: 'none', backbone: backbone.record.id, weights: 'random', batchSize: 3, ...spec }),
    backbone,
  );
  tf.engine().startScope();
  try {
    const images = tf.zeros<tf.Rank.R4>([3, side, side, 3], 'int32');
    const labels = tf.tensor1d([0, 1, 2], 'int32');
    return compareShapes(() => {
      steps.train({
        images,
        labels,
        learningRate: tf.scalar(0),
        headLearningRate: tf.scalar(0),
        maskSeed: tf.tensor1d([1, 2], 'int32'),
      });
      steps.evaluate({ images, labels });
    });
  } finally {
    tf.engine().endScope();
    steps.dispose();
  }
}

describe('the shapes that recording goes by', () => {
  const families = {
    'resnet18.tv_in1k': 48,
    'mobilenet_v2.tv_in1k': 37,
    'efficientnet_b0.tv_in1k': 40,
    'efficientnet_lite0.tf_in1k': 40,
    'mobilenet_v1.tf_in1k': 40,
    'densenet121.tv_in1k': 64,
    'inception_v3.tv_in1k': 111,
  };
  for (const [id, side] of Object.entries(families)) {
    it(`${id}: are those that TensorFlow gives, op by op`, async function () {
      this.timeout(120_000);
      const backbone = zeroBackbone(id, 3);
      const { met, unknown } = stepShapes(backbone, {}, side);
      assert.ok(met.has('FusedBatchNormGradV3'));
      assert.deepEqual(
        [...unknown].filter((op) => !RUN.includes(op)),
        [],
        'ops without a rule',
      );
      tf.dispose(backbone.variables);
    });
  }

  it('also of every trick and regulariser', async function () {
    this.timeout(120_000);
    const specs: Partial<RunSpecInput>[] = [
      ...(['l2-sp', 'delta', 'bss'] as const).map((regularizer) => ({ regularizer })),
      ...(
        [
          { name: 'dropout', rate: 0.5, at: 'head' },
          { name: 'dropout', rate: 0.5, at: 'stages' },
          { name: 'dropconnect', rate: 0.5, unit: 'weight' },
          { name: 'stochastic-depth', survival: 0.5 },
          { name: 'disturb-label', rate: 0.5 },
        ] as const
      ).map((trick) => ({ trick })),
    ];
    for (const spec of specs) {
      const backbone = tinyNetwork();
      const { unknown } = stepShapes(backbone, spec, 32);
      assert.deepEqual(
        [...unknown].filter((op) => !RUN.includes(op)),
        [],
        JSON.stringify(spec),
      );
      tf.dispose(backbone.variables);
    }
  });
});
