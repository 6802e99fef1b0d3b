// DELTA's channel weights: how much each channel of the pretrained network matters for the new task (Li et al., ICLR
// 2019).
import { compile, type FunctionSpec } from '../../engine/compile';
import type { OnProgress } from '../../base/progress';
import { softmaxCrossEntropy } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import type { Batch } from '../../data/batches/batches';
import type { Backbone, ForwardHooks } from '../../backbones/backbone';

/** Weight of every channel by stage; those of a stage sum to one. */
export type ChannelWeights = Record<string, Float32Array>;

/**
 * The stages whose feature maps DELTA compares: of those with the same height the last, without stem and last layer. In
 * a ResNet these are the four that its authors hook (lixingjian/DELTA).
 */
export function deltaTaps(taps: Record<string, TF.Tensor4D>): string[] {
  const stages = Object.keys(taps).filter((name) => name.startsWith('stage'));
  return stages.filter((name, i) => i === stages.length - 1 || taps[stages[i + 1]].shape[1] < taps[name].shape[1]);
}

/**
 * The weights by the procedure of the paper: a linear classifier is trained on the frozen network's features; each
 * channel in turn is set to zero, and the growth of the mean cross entropy is its score. Scores are standardised within
 * a stage, and w = softmax(z / 5) (lixingjian/DELTA). It takes one forward pass of all images a channel, from the
 * channel's stage on.
 * @param batches images as evaluation sees them, RGB 0..255, [size, imageSize, imageSize, 3]; all of one size.
 */
export async function findChannelWeights(
  backbone: Backbone,
  imageSize: number,
  batches: readonly Batch[],
  options: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<ChannelWeights> {
  const { onProgress, signal } = options;
  const stages = stageShapes(backbone, imageSize);
  const program = await compileTails(backbone, imageSize, batches[0].size, stages);
  try {
    const classifier = tf.tidy(() =>
      fitClassifier(
        tf.concat(batches.map(({ images }) => program.features({ images }) as TF.Tensor2D)),
        Int32Array.from(batches.flatMap(({ labels }) => [...labels])),
        backbone.classes,
      ),
    );
    const total = Object.values(stages).reduce((sum, shape) => sum + shape[2], 0);
    const weights: ChannelWeights = {};
    let done = 0;
    for (const [stage, [, , channels]] of Object.entries(stages)) {
      const maps = batches.map(({ images }) => program[`map_${stage}`]({ images }));
      const lossWith = (kept: Float32Array): number => {
        const losses = batches.map(({ images, labels }, i) => {
          const loss = program[`loss_${stage}`]({ images, labels, map: maps[i], kept, ...classifier });
          const value = loss.dataSync()[0];
          loss.dispose();
          return value;
        });
        return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      };
      try {
        const all = new Float32Array(channels).fill(1);
        const base = lossWith(all);
        const scores: number[] = [];
        for (let channel = 0; channel < channels; channel++) {
          await new Promise((resolve) => setImmediate(resolve));
          signal?.throwIfAborted();
          scores.push(lossWith(all.map((kept, i) => (i === channel ? 0 : kept))) - base);
          onProgress?.({ task: 'channel weights of DELTA', done: ++done, total, unit: 'channels' });
        }
        weights[stage] = Float32Array.from(weightsOfScores(scores));
      } finally {
        tf.dispose(maps);
      }
    }
    return weights;
  } finally {
    program.dispose();
  }
}

/**
 * Compiles, for [size, imageSize, imageSize, 3] images: their features; of each stage its map; and the mean loss of a
 * classifier from the map of a stage on, whose channels are multiplied by `kept`. What comes before the map is not run.
 */
async function compileTails(backbone: Backbone, imageSize: number, size: number, stages: StageShapes) {
  const forward = (images: TF.Tensor4D, hooks?: ForwardHooks) => backbone.forward(images, { training: false, hooks });
  const images = { shape: [size, imageSize, imageSize, 3], dtype: 'uint8' } as const;
  const float32 = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const;
  const functions: Record<string, FunctionSpec<Record<string, TF.Tensor>, TF.Tensor>> = {
    features: { args: { images }, run: ({ images }) => forward(images as TF.Tensor4D).features },
  };
  for (const [stage, shape] of Object.entries(stages)) {
    functions[`map_${stage}`] = { args: { images }, run: ({ images }) => forward(images as TF.Tensor4D).taps[stage] };
    functions[`loss_${stage}`] = {
      args: {
        images,
        labels: { shape: [size], dtype: 'int32' },
        map: float32(size, ...shape),
        kept: float32(shape[2]),
        weight: float32(backbone.record.featureSize, backbone.classes),
        bias: float32(backbone.classes),
      },
      run: ({ images, labels, map, kept, weight, bias }) => {
        const { logits } = forward(images as TF.Tensor4D, {
          tap: (x, name) => (name === stage ? map.mul<TF.Tensor4D>(kept) : x),
          head: (features) => tf.matMul(features, weight as TF.Tensor2D).add<TF.Tensor2D>(bias),
        });
        return softmaxCrossEntropy(logits, labels as TF.Tensor1D).mean<TF.Scalar>();
      },
    };
  }
  return compile(functions, backbone.variables);
}

/** softmax(z / 5) of the standardised scores z; all the same when the scores are. */
export function weightsOfScores(scores: readonly number[]): number[] {
  const center = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - center) ** 2, 0) / scores.length) || 1;
  const powers = scores.map((score) => Math.exp((score - center) / spread / 5));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Height, width and channels of stages, by name. */
type StageShapes = Record<string, [number, number, number]>;

/** The shapes of the stages that DELTA compares. */
function stageShapes(backbone: Backbone, imageSize: number): StageShapes {
  return tf.tidy(() => {
    const { taps } = backbone.forward(tf.zeros([1, imageSize, imageSize, 3]), { training: false });
    return Object.fromEntries(
      deltaTaps(taps).map((name) => [name, taps[name].shape.slice(1) as [number, number, number]]),
    );
  });
}

/**
 * Softmax regression on `features` [n, d]: 300 steps of gradient descent with momentum 0.9 from zero, at the rate 1 /
 * mean |f|^2.
 */
function fitClassifier(
  features: TF.Tensor2D,
  labels: Int32Array,
  classes: number,
): { weight: Float32Array; bias: Float32Array } {
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), classes);
  // the last column carries the bias
  const inputs = tf.concat([features, tf.ones([features.shape[0], 1])], 1) as TF.Tensor2D;
  const rate = 1 / inputs.square().sum(1).mean().dataSync()[0];
  let [weight, velocity] = [
    tf.zeros([inputs.shape[1], classes]) as TF.Tensor2D,
    tf.zeros([inputs.shape[1], classes]) as TF.Tensor2D,
  ];
  for (let step = 0; step < 300; step++) {
    [weight, velocity] = tf.tidy(() => {
      const slope = tf.matMul(inputs, tf.softmax(tf.matMul(inputs, weight)).sub(targets), true).div(labels.length);
      const next = velocity.mul(0.9).sub<TF.Tensor2D>(slope.mul(rate));
      return [weight.add<TF.Tensor2D>(next), next] as [TF.Tensor2D, TF.Tensor2D];
    });
  }
  const values = weight.dataSync<'float32'>();
  const split = features.shape[1] * classes;
  return { weight: values.slice(0, split), bias: values.slice(split) };
}
