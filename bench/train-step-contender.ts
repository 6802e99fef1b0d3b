// One contender of the benchmark `train-step`, in a process of its own: prints its measurement as one line of JSON.
import { backbones } from '../src/backbones/backbone';
import { tf, type TF } from '../src/engine/tensorflow';
import { makeSteps } from '../src/transfer/step';
import { parseRunSpec } from '../src/transfer/spec';
import { compileSteps } from '../src/transfer/trainer';
import { stockResNet50 } from './stock-resnet50';

/** What is measured of a contender. */
export interface Measurement {
  imagesPerSecond: number;
  peakMb: number;
  losses: number[];
}

const CLASSES = 10;
const [contender, ...numbers] = process.argv.slice(2);
const [batchSize, imageSize, steps] = numbers.map(Number);
const pixels = Uint8Array.from({ length: batchSize * imageSize * imageSize * 3 }, (_, i) => (i * 2654435761) >>> 24);
const labels = Int32Array.from({ length: batchSize }, (_, i) => i % CLASSES);

/** A step of `contender`, which gives its loss. */
async function stepOf(name: string): Promise<() => Promise<number>> {
  if (name === 'layers') {
    const model = stockResNet50(imageSize, CLASSES);
    model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: (truth: TF.Tensor, logits: TF.Tensor) => tf.losses.softmaxCrossEntropy(truth, logits) });
    const x = tf.tidy(() => tf.tensor4d(Array.from(pixels), [batchSize, imageSize, imageSize, 3]).sub(127.5).div(58));
    const y = tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES);
    return async () => (await model.trainOnBatch(x, y)) as number;
  }
  const spec = parseRunSpec({ dataset: 'none', backbone: 'resnet50.keras_in1k', weights: 'random', batchSize, imageSize });
  const backbone = await backbones.load(spec.backbone, { classes: CLASSES, weights: 'random', seed: 0 });
  const made = makeSteps(spec, backbone);
  if (name === 'eager') {
    const args = {
      images: tf.tensor4d(Int32Array.from(pixels), [batchSize, imageSize, imageSize, 3], 'int32'),
      labels: tf.tensor1d(labels, 'int32'),
      learningRate: tf.scalar(0.01),
      headLearningRate: tf.scalar(0.01),
      maskSeed: tf.tensor1d([0, 0], 'int32'),
    };
    return async () => tf.tidy(() => made.train(args).loss.dataSync()[0]);
  }
  const program = await compileSteps(made, imageSize, [batchSize], []);
  return async () => {
    const outputs = program.train({ images: pixels, labels, learningRate: 0.01, headLearningRate: 0.01, maskSeed: new Int32Array(2) });
    const loss = outputs.loss.dataSync()[0];
    tf.dispose(outputs);
    return loss;
  };
}

async function measure(): Promise<Measurement> {
  const step = await stepOf(contender);
  const losses = [await step()];
  const seconds: number[] = [];
  for (let i = 0; i < steps; i++) {
    const began = performance.now();
    losses.push(await step());
    seconds.push((performance.now() - began) / 1000);
  }
  seconds.sort((a, b) => a - b);
  return { imagesPerSecond: batchSize / seconds[seconds.length >> 1], peakMb: process.resourceUsage().maxRSS / 1024, losses };
}

void measure().then((measurement) => console.log(JSON.stringify(measurement)));
