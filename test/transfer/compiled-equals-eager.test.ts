import assert from 'node:assert/strict';
import { backbones } from '../../src/backbones/backbone';
import { randomStream } from '../../src/base/random';
import { tf, type TF } from '../../src/engine/tensorflow';
import { parseRunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';
import { makeSteps, type TrainOutputs } from '../../src/transfer/step';
import { compileSteps, valuesOf } from '../../src/transfer/compiled-steps';

const STEPS = 20;
const [BATCH, SIZE, CLASSES] = [4, 64, 5];

/** Images with structure and labels, the same for both runs. */
function batch(step: number): { images: Uint8Array; labels: Int32Array } {
  const stream = randomStream(0, 'test', step);
  const [phase, frequency] = [stream.uniform(0, 6), stream.uniform(0.01, 0.2)];
  const images = Uint8Array.from(
    { length: BATCH * SIZE * SIZE * 3 },
    (_, i) => 100 + 80 * Math.sin(phase + frequency * i) + stream.uniform(0, 60),
  );
  return { images, labels: Int32Array.from({ length: BATCH }, () => stream.integer(CLASSES)) };
}

describe('the compiled steps equal the eager ones over 20 steps', () => {
  for (const id of ['efficientnet_lite0.tf_in1k', 'resnet50.keras_in1k']) {
    it(`for ${id}`, async function () {
      this.timeout(240_000);
      const weights = (await backbones.state(id)) === 'ready' ? 'imagenet' : 'random';
      const spec = parseRunSpec({ dataset: 'none', backbone: id, weights, imageSize: SIZE, batchSize: BATCH });
      const backbone = await backbones.load(id, { classes: CLASSES, weights, seed: 0 });
      const made = makeSteps(spec, backbone);
      const rates = { learningRate: 0.005, headLearningRate: 0.01 };
      const program = await compileSteps(made, SIZE, [BATCH], [BATCH]); // before the eager steps, from the same start

      const read = (outputs: TrainOutputs) =>
        [outputs.loss, outputs.crossEntropy, outputs.correct].map((tensor) => tensor.dataSync()[0]);
      for (let step = 0; step < STEPS; step++) {
        const { images, labels } = batch(step);
        const compiledOutputs = program.train({ images, labels, ...rates, maskSeed: new Int32Array(2) });
        const compiled = read(compiledOutputs);
        tf.dispose(compiledOutputs);
        const eager = tf.tidy(() =>
          read(
            made.train({
              images: tf.tensor4d(Int32Array.from(images), [BATCH, SIZE, SIZE, 3], 'int32'),
              labels: tf.tensor1d(labels, 'int32'),
              learningRate: tf.scalar(rates.learningRate),
              headLearningRate: tf.scalar(rates.headLearningRate),
              maskSeed: tf.tensor1d([0, 0], 'int32'),
            }),
          ),
        );
        compiled.forEach((value, i) =>
          assert.ok(
            Math.abs(value - eager[i]) <= 1e-5 * Math.max(Math.abs(eager[i]), 1e-3),
            `step ${step}: ${compiled} against ${eager}`,
          ),
        );
      }
      const values = program.read();
      for (const [name, variable] of Object.entries(made.variables)) {
        const [a, b] = [values[name], variable].map((tensor) => tensor.dataSync() as Float32Array);
        const scale = Math.sqrt(a.reduce((sum: number, x: number) => sum + x * x, 0)) || 1;
        const off = Math.sqrt(a.reduce((sum: number, x: number, i: number) => sum + (x - b[i]) ** 2, 0));
        assert.ok(off / scale <= 1e-4, `${name} differs by ${off / scale} of its norm`);
      }
      const { images, labels } = batch(99);
      const compiled: Record<string, TF.Tensor> = program.evaluate({ images, labels });
      const eager = made.evaluate({
        images: tf.tensor4d(Int32Array.from(images), [BATCH, SIZE, SIZE, 3], 'int32'),
        labels: tf.tensor1d(labels, 'int32'),
      });
      const [x, y] = [compiled.crossEntropy.dataSync()[0], eager.crossEntropy.dataSync()[0]];
      assert.ok(Math.abs(x - y) <= 1e-4 * Math.abs(y), `evaluation: ${x} against ${y}`);
      program.dispose();
      made.dispose();
      backbone.dispose();
      tf.dispose([values, compiled, eager]);
    });
  }
});

describe('what makes the graph shorter and smaller', () => {
  const cases: [string, Partial<RunSpecInput>][] = [
    ['resnet18.tv_in1k', {}],
    ['mobilenet_v2.tv_in1k', { regularizer: 'l2-sp' }],
    ['efficientnet_lite0.tf_in1k', { regularizer: 'bss', trick: 'dropout' }],
    ['densenet121.tv_in1k', { optimizer: { nesterov: true } }],
  ];
  for (const [id, changes] of cases) {
    it(`changes no bit in three steps of ${id} with ${JSON.stringify(changes)}`, async function () {
      this.timeout(240_000);
      const backbone = await backbones.load(id, { classes: CLASSES, weights: 'random', seed: 0 });
      const made = makeSteps(
        parseRunSpec({
          dataset: 'none',
          backbone: id,
          weights: 'random',
          imageSize: SIZE,
          batchSize: BATCH,
          ...changes,
        }),
        backbone,
      );
      const [optimised, recorded] = await Promise.all(
        [true, false].map((optimise) => compileSteps(made, SIZE, [BATCH], [], { optimise, reuse: false })),
      );
      for (let step = 0; step < 3; step++) {
        const args = { ...batch(step), learningRate: 0.05, headLearningRate: 0.1, maskSeed: Int32Array.of(step, 1) };
        const [a, b] = [optimised, recorded].map((program) => valuesOf(program.train(args)));
        assert.deepEqual(a, b, `step ${step}`);
      }
      const [a, b] = [optimised, recorded].map((program) => valuesOf(program.read()));
      for (const name of made.changing) assert.deepEqual(a[name], b[name], name);
      optimised.dispose();
      recorded.dispose();
      made.dispose();
      backbone.dispose();
    });
  }
});
