import assert from 'node:assert/strict';
import { internals } from '../../src/engine/binding';
import { tf, type TF } from '../../src/engine/tensorflow';
import { rifle } from '../../src/transfer/resets/rifle';
import { makeSteps } from '../../src/transfer/step';
import { compileSteps } from '../../src/transfer/compiled-steps';
import { train } from '../../src/transfer/trainer';
import type { EpochRow, Moment } from '../../src/transfer/train-state';
import { goldenBatch, goldenCases, goldenNetwork, type GoldenCase } from '../backbones/golden-resnet';
import { golden, tinyBatches, tinyNetwork, tinySpec } from './tiny';

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-12);

type Snapshot = Record<string, Float32Array>;
const snapshot = (tensors: Record<string, TF.Tensor>): Snapshot => {
  const values = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync() as Float32Array]),
  );
  tf.dispose(tensors);
  return values;
};

/** Trains the golden network and gives its rows and the program's variables at every moment. */
async function watch(
  spec: ReturnType<typeof tinySpec>,
  batches = 2,
): Promise<{ rows: EpochRow[]; seen: { moment: Moment; epoch: number; values: Snapshot }[] }> {
  const backbone = tinyNetwork();
  const seen: { moment: Moment; epoch: number; values: Snapshot }[] = [];
  const { epochs: rows } = await train(spec, backbone, golden.size, tinyBatches(batches), tinyBatches(1), {
    observe: (moment, epoch, read) => seen.push({ moment, epoch, values: snapshot(read()) }),
  });
  backbone.dispose();
  return { rows, seen };
}

describe('the compiled training step', () => {
  for (const [i, each] of goldenCases.entries()) {
    describe(`on golden network ${i} (${each.block} blocks)`, () => {
      const run = async (spec: ReturnType<typeof tinySpec>, steps: number) => {
        const backbone = goldenNetwork(each);
        const made = makeSteps(spec, backbone);
        const program = await compileSteps(made, each.size, [each.batch], []);
        const losses = [];
        const crossEntropies = [];
        for (let step = 0; step < steps; step++) {
          const { images, labels } = goldenBatch(each, step);
          const outputs = program.train({
            images: Uint8Array.from(images),
            labels,
            learningRate: each.optimizer.learningRate,
            headLearningRate: each.optimizer.learningRate,
            maskSeed: new Int32Array(2),
          });
          losses.push(outputs.loss.dataSync()[0]);
          crossEntropies.push(outputs.crossEntropy.dataSync()[0]);
          tf.dispose(outputs);
        }
        const values = snapshot(program.read());
        program.dispose();
        made.dispose();
        backbone.dispose();
        return { losses, crossEntropies, values };
      };
      const specOf = (golden: GoldenCase, changes = {}) =>
        tinySpec({ batchSize: golden.batch, optimizer: golden.optimizer, ...changes });

      it("takes PyTorch's five steps of SGD: losses within 1e-4, running statistics and weight sums", async () => {
        const { losses, values } = await run(specOf(each), each.steps.length);
        each.steps.forEach(({ loss }, step) =>
          assert.ok(relative(losses[step], loss) < 1e-4, `step ${step}: ${losses[step]} against ${loss}`),
        );
        for (const [name, expected] of Object.entries(each.statistics)) {
          expected.forEach((value, j) =>
            assert.ok(
              Math.abs(values[name][j] - value) < 1e-4 * Math.max(1, Math.abs(value)),
              `${name}[${j}]: ${values[name][j]} against ${value}`,
            ),
          );
        }
        for (const [name, [, squares]] of Object.entries(each.sums)) {
          assert.ok(
            relative(
              values[name].reduce((sum: number, x: number) => sum + x * x, 0),
              squares,
            ) < 1e-3,
            name,
          );
        }
      });

      it("takes PyTorch's steps with L2-SP", async () => {
        const { alpha, beta, steps, sums } = each.l2sp;
        const { losses, crossEntropies, values } = await run(
          specOf(each, { regularizer: { name: 'l2-sp', alpha, beta } }),
          steps.length,
        );
        steps.forEach(({ loss, crossEntropy }, step) => {
          assert.ok(relative(losses[step], loss) < 1e-4, `step ${step}: ${losses[step]} against ${loss}`);
          assert.ok(
            relative(crossEntropies[step], crossEntropy) < 1e-4,
            `step ${step}: ${crossEntropies[step]} against ${crossEntropy}`,
          );
        });
        for (const [name, [, squares]] of Object.entries(sums))
          assert.ok(
            relative(
              values[name].reduce((sum: number, x: number) => sum + x * x, 0),
              squares,
            ) < 1e-3,
            name,
          );
      });
    });
  }

  it('equals the eager one over 20 steps with L2-SP and Nesterov, too', async () => {
    const spec = tinySpec({
      regularizer: { name: 'l2-sp', alpha: 0.01, beta: 1e-4 },
      optimizer: { ...golden.optimizer, nesterov: true },
    });
    const backbone = tinyNetwork();
    const made = makeSteps(spec, backbone);
    const program = await compileSteps(made, golden.size, [golden.batch], []);
    const rates = { learningRate: 0.01, headLearningRate: 0.02 };
    for (let step = 0; step < 20; step++) {
      const { images, labels } = goldenBatch(golden, step);
      const compiled = program.train({
        images: Uint8Array.from(images),
        labels,
        ...rates,
        maskSeed: new Int32Array(2),
      });
      const eager = tf.tidy(
        () =>
          made
            .train({
              images: tf.tensor4d(images, [golden.batch, golden.size, golden.size, 3], 'int32'),
              labels: tf.tensor1d(labels, 'int32'),
              learningRate: tf.scalar(rates.learningRate),
              headLearningRate: tf.scalar(rates.headLearningRate),
              maskSeed: tf.tensor1d([0, 0], 'int32'),
            })
            .loss.dataSync()[0],
      );
      assert.ok(relative(compiled.loss.dataSync()[0], eager) <= 1e-5, `step ${step}`);
      tf.dispose(compiled);
    }
    const values = snapshot(program.read());
    for (const [name, variable] of Object.entries(made.variables)) {
      const expected = variable.dataSync();
      const scale = Math.max(1e-3, ...Array.from(expected, Math.abs));
      assert.ok(Math.max(...Array.from(values[name], (x, i) => Math.abs(x - expected[i]) / scale)) <= 1e-5, name);
    }
    program.dispose();
    made.dispose();
    backbone.dispose();
  });

  it('leaks no tensor: the same number after 200 steps as after 2, in tfjs and in TensorFlow', async () => {
    const backbone = tinyNetwork();
    const made = makeSteps(tinySpec(), backbone);
    const program = await compileSteps(made, golden.size, [golden.batch], [golden.batch]);
    const { images, labels } = goldenBatch(golden, 0);
    const pixels = Uint8Array.from(images);
    const step = (): void => {
      tf.dispose(
        program.train({
          images: pixels,
          labels,
          learningRate: 0.001,
          headLearningRate: 0.001,
          maskSeed: new Int32Array(2),
        }),
      );
      tf.dispose(program.evaluate({ images: pixels, labels }));
    };
    const counts = () => [tf.memory().numTensors, internals().binding.getNumOfTensors()];
    step();
    step();
    const before = counts();
    for (let i = 0; i < 200; i++) step();
    assert.deepEqual(counts(), before);
    program.dispose();
    made.dispose();
    backbone.dispose();
  });
});

describe('train', () => {
  it('frees everything it made, also when stopped', async () => {
    const backbone = tinyNetwork();
    const before = tf.memory().numTensors;
    await train(tinySpec(), backbone, golden.size, tinyBatches(2), tinyBatches(1));
    assert.equal(tf.memory().numTensors, before);
    const controller = new AbortController();
    const reason = new Error('enough');
    await assert.rejects(
      train(tinySpec({ epochs: 5 }), backbone, golden.size, tinyBatches(2), tinyBatches(1), {
        signal: controller.signal,
        onEpoch: ({ epoch }) => epoch === 2 && controller.abort(reason),
      }),
      reason,
    );
    assert.equal(tf.memory().numTensors, before);
    backbone.dispose();
  });

  it('gives the same bits again, and trains on the last, smaller batch too', async () => {
    const once = async (lastSize?: number) => {
      const backbone = tinyNetwork();
      const { epochs: rows } = await train(
        tinySpec({ epochs: 2 }),
        backbone,
        golden.size,
        tinyBatches(3, lastSize),
        tinyBatches(2, 1),
      );
      backbone.dispose();
      return rows.map(({ trainLoss, trainTop1, loss, top1 }) => [trainLoss, trainTop1, loss, top1]);
    };
    assert.deepEqual(await once(), await once());
    assert.notDeepEqual(await once(golden.batch - 1), await once());
  });

  it("its first epoch's mean loss is that of PyTorch's steps", async () => {
    const { rows } = await watch(tinySpec(), golden.steps.length);
    const mean = golden.steps.reduce((sum, { loss }) => sum + loss, 0) / golden.steps.length;
    assert.ok(relative(rows[0].trainLoss, mean) < 1e-4);
  });

  it('says that a run has diverged', async () => {
    const backbone = tinyNetwork();
    await assert.rejects(
      train(
        tinySpec({ epochs: 30, optimizer: { learningRate: 1e6 } }),
        backbone,
        golden.size,
        tinyBatches(2),
        tinyBatches(1),
      ),
      /diverged at a learning rate of 1000000/,
    );
    backbone.dispose();
  });

  describe('re-initialises the head', () => {
    const cases: [string, ReturnType<typeof rifle>, number, number[]][] = [
      ['authors', rifle('authors'), 4, [2, 4]],
      ['haozhe-an', rifle('haozhe-an'), 12, [4]],
      ['paddle-transfer', rifle('paddle-transfer'), 4, [1, 2, 3]],
      ['rifle-module', rifle('rifle-module'), 16, [5, 10, 15]],
      ['one that clears the momentum', rifle('authors', { clearMomentum: true }), 4, [2, 4]],
    ];
    for (const [name, choices, epochs, resets] of cases) {
      it(`as ${name}: after epochs ${resets.join(', ')} of ${epochs}, and touches nothing else`, async () => {
        const { rows, seen } = await watch(tinySpec({ epochs, rifle: choices, seed: 3 }));
        assert.deepEqual(
          rows.filter((row) => row.headReset).map((row) => row.epoch),
          resets,
        );
        assert.deepEqual(
          seen.filter(({ moment }) => moment === 'after-reset').map(({ epoch }) => epoch),
          resets,
        );
        const [weight, bias] = ['fc.weight', 'fc.bias'];
        const written = [...(choices.resetWeights ? [weight] : []), ...(choices.resetBias ? [bias] : [])];
        const bound =
          choices.distribution === 'uniform-classes'
            ? 1 / Math.sqrt(golden.classes)
            : 1 / Math.sqrt(tinyNetwork().record.featureSize);
        for (const epoch of resets) {
          const [before, after] = (['before-reset', 'after-reset'] as const).map(
            (moment) => seen.find((s) => s.moment === moment && s.epoch === epoch)!.values,
          );
          for (const [variable, value] of Object.entries(after)) {
            const cleared = choices.clearMomentum && written.some((head) => variable === `momentum/${head}`);
            if (written.includes(variable)) assert.notDeepEqual(value, before[variable], `${variable} is drawn anew`);
            else if (cleared)
              assert.ok(
                value.every((x) => x === 0),
                `${variable} is cleared`,
              );
            else assert.deepEqual(value, before[variable], `${variable} stays`);
          }
          if (choices.distribution !== 'kaiming-normal') assert.ok(after[weight].every((x) => Math.abs(x) <= bound));
        }
        assert.ok(
          Object.keys(seen[0].values).some((variable) => variable.includes('running_var')),
          'statistics are among the variables seen',
        );
      });
    }
    it('not at all in plain fine-tuning', async () => {
      const { rows, seen } = await watch(tinySpec({ epochs: 4 }));
      assert.ok(rows.every((row) => !row.headReset));
      assert.ok(!seen.some(({ moment }) => moment === 'before-reset'));
    });
    it('and the run without RIFLE is the same up to the first reset', async () => {
      const plain = await watch(tinySpec({ epochs: 4 }));
      const reset = await watch(tinySpec({ epochs: 4, rifle: rifle('authors') }));
      const losses = (rows: EpochRow[]) => rows.map((row) => row.trainLoss);
      assert.deepEqual(losses(reset.rows).slice(0, 2), losses(plain.rows).slice(0, 2));
      assert.notDeepEqual(losses(reset.rows)[2], losses(plain.rows)[2]);
    });
  });
});

describe('evaluateEvery', () => {
  it('evaluates fewer epochs and the last, and changes nothing else', async () => {
    const every = await watch(tinySpec({ epochs: 5, rifle: rifle('authors') })); // two periods of two epochs
    const third = await watch(tinySpec({ epochs: 5, rifle: rifle('authors'), evaluateEvery: 3 }));
    const results = (rows: EpochRow[]) =>
      rows.map(({ epoch, trainLoss, top1, loss }) => [epoch, trainLoss, top1, loss]);
    assert.deepEqual(
      results(third.rows),
      results(every.rows).map(([epoch, trainLoss, ...evaluated]) =>
        epoch === 3 || epoch === 4 ? [epoch, trainLoss, ...evaluated] : [epoch, trainLoss, NaN, NaN],
      ),
    );
    assert.deepEqual(third.seen.at(-1), every.seen.at(-1));
  });
});

describe('the rows of layers', () => {
  it('hold the norms of a gradient, of an update and of the way, calculated here from the variables', async () => {
    // Without momentum and weight decay an update is rate x gradient; after one epoch of one step the way is the
    // update.
    const backbone = tinyNetwork();
    const start = snapshot(
      Object.fromEntries(Object.entries(backbone.variables).map(([name, variable]) => [name, variable.clone()])),
    );
    let end: Snapshot = {};
    const rate = 0.01;
    const spec = tinySpec({ epochs: 1, optimizer: { learningRate: rate, momentum: 0, weightDecay: 0 } });
    const { layers } = await train(spec, backbone, golden.size, tinyBatches(1), tinyBatches(1), {
      observe: (moment, _, read) => moment === 'epoch' && (end = snapshot(read())),
    });
    assert.deepEqual(
      layers.map(({ place }) => place),
      layers.map((_, i) => i),
    );
    assert.equal(layers[0].layer, 'conv1');
    assert.equal(layers[layers.length - 1].layer, 'fc');
    for (const { layer, gradientNorm, updateNorm, weightDistance } of layers) {
      const names = Object.keys(start).filter((name) => name.startsWith(`${layer}.`) && !name.includes('running'));
      const norm = (of: (name: string, i: number) => number): number =>
        Math.sqrt(
          names.reduce(
            (sum, name) => sum + start[name].reduce((s: number, _: number, i: number) => s + of(name, i) ** 2, 0),
            0,
          ),
        );
      const moved = norm((name, i) => end[name][i] - start[name][i]);
      assert.ok(relative(updateNorm, moved) < 1e-3, `${layer}: update ${updateNorm} against ${moved}`);
      assert.ok(
        relative(gradientNorm, moved / rate) < 1e-3,
        `${layer}: gradient ${gradientNorm} against ${moved / rate}`,
      );
      assert.ok(relative(weightDistance, moved / norm((name, i) => start[name][i])) < 1e-3, `${layer}: distance`);
    }
    backbone.dispose();
  });
});
