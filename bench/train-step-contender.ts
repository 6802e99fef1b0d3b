// Our contenders of the benchmark `train-step`, and tfjs's own layers, in a process of their own.
import { backbones } from '../src/backbones/backbone';
import { internals } from '../src/engine/binding';
import { KitError } from '../src/base/errors';
import { collectGarbage } from '../src/engine/garbage';
import { kitVersion } from '../src/base/home';
import { tf, type TF } from '../src/engine/tensorflow';
import { makeSteps } from '../src/transfer/step';
import { parseRunSpec } from '../src/transfer/spec/spec';
import { compileSteps } from '../src/transfer/compiled-steps';
import { sayAbsent, serve } from './contender';
import { network } from './networks';
import { stockNetworks } from './stock-networks';

const CLASSES = 10;
const [variant, name, batchText, sizeText, precision] = process.argv.slice(2);
const [batchSize, imageSize] = [Number(batchText), Number(sizeText)];
const pixels = Uint8Array.from(
  { length: batchSize * imageSize * imageSize * 3 },
  (_, i) => Math.imul(i, 2654435761) >>> 24,
);
const labels = Int32Array.from({ length: batchSize }, (_, i) => i % CLASSES);

/**
 * A step of tfjs's layers, on a batch that is ready in memory; without weight decay, which costs more there than it
 * should.
 */
function stockStep(): () => Promise<number> {
  const build = stockNetworks[name];
  if (build === undefined)
    throw new KitError(`no ${network(name).title} is written in tfjs's layers`, { code: 'BENCH_CONTENDER' });
  if (precision !== 'float32')
    throw new KitError("tfjs's layers compute in float32 alone", { code: 'BENCH_CONTENDER' });
  const model = build(imageSize, CLASSES);
  model.compile({
    optimizer: tf.train.momentum(0.01, 0.9),
    loss: (truth: TF.Tensor, logits: TF.Tensor) => tf.losses.softmaxCrossEntropy(truth, logits),
  });
  const x = tf.tidy(() =>
    tf.tensor4d(Int32Array.from(pixels), [batchSize, imageSize, imageSize, 3], 'int32').sub(127.5).div(58),
  );
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES);
  return async () => (await model.trainOnBatch(x, y)) as number;
}

/** A step of ours, as a run takes it: bytes in, norms of every layer out; compiled, or the same code eagerly. */
async function ourStep(): Promise<() => number> {
  const spec = parseRunSpec({
    dataset: 'none',
    backbone: network(name).backbone,
    weights: 'random',
    batchSize,
    imageSize,
    precision,
  });
  const backbone = await backbones.load(spec.backbone, { classes: CLASSES, weights: 'random', seed: 0 });
  const made = makeSteps(spec, backbone);
  if (variant === 'eager') {
    const args = {
      images: tf.tensor4d(Int32Array.from(pixels), [batchSize, imageSize, imageSize, 3], 'int32'),
      labels: tf.tensor1d(labels, 'int32'),
      learningRate: tf.scalar(0.01),
      headLearningRate: tf.scalar(0.01),
      maskSeed: tf.tensor1d([0, 0], 'int32'),
    };
    return () => tf.tidy(() => made.train(args).loss.dataSync()[0]);
  }
  // then collect, as the trainer does
  const program = await compileSteps(made, imageSize, [batchSize], []).finally(() => made.dispose());
  collectGarbage();
  return () => {
    const outputs = program.train({
      images: pixels,
      labels,
      learningRate: 0.01,
      headLearningRate: 0.01,
      maskSeed: new Int32Array(2),
    });
    const loss = outputs.loss.dataSync()[0];
    tf.dispose(outputs);
    return loss;
  };
}

async function main(): Promise<void> {
  const step = variant === 'layers' ? stockStep() : await ourStep();
  await serve(
    {
      'rifle-kit': kitVersion(),
      node: process.version,
      tfjs: tf.version.tfjs,
      libtensorflow: internals().binding.TF_Version,
    },
    step,
  );
}

main().catch((error: unknown) => {
  if (!(error instanceof KitError)) throw error;
  sayAbsent(error.message);
});
