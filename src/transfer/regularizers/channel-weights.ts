// DELTA's channel weights: how much each channel of the pretrained network matters for the new task (Li et al., ICLR
// 2019).
import { compile } from '../../engine/compile';
import type { OnProgress } from '../../base/progress';
import { softmaxCrossEntropy } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import type { Batch } from '../../data/batches/batches';
import type { Backbone } from '../../backbones/backbone';

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
 * a stage, and w = softmax(z / 5) (lixingjian/DELTA). It takes one forward pass of all images a channel.
 * @param batches images as evaluation sees them, RGB 0..255, [size, imageSize, imageSize, 3]; all of one size.
 */
export async function findChannelWeights(
  backbone: Backbone,
  imageSize: number,
  batches: readonly Batch[],
  options: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<ChannelWeights> {
  const { onProgress, signal } = options;
  const size = batches[0].size;
  const channels = channelsOf(backbone, imageSize);
  const specs = (dtype: 'float32' | 'int32' | 'uint8', ...shape: number[]) => ({ shape, dtype });
  const images = specs('uint8', size, imageSize, imageSize, 3);
  const head = {
    weight: specs('float32', backbone.record.featureSize, backbone.classes),
    bias: specs('float32', backbone.classes),
  };
  const masks = Object.fromEntries(Object.entries(channels).map(([name, count]) => [name, specs('float32', count)]));
  const program = await compile(
    {
      features: {
        args: { images },
        run: (args: { images: TF.Tensor4D }) => backbone.forward(args.images, { training: false }).features,
      },
      loss: {
        args: { images, labels: specs('int32', size), ...head, ...masks },
        run: ({
          images,
          labels,
          weight,
          bias,
          ...kept
        }: { images: TF.Tensor4D; labels: TF.Tensor1D; weight: TF.Tensor2D; bias: TF.Tensor1D } & Record<
          string,
          TF.Tensor
        >) => {
          const hooks = {
            tap: (x: TF.Tensor4D, name: string) => (name in kept ? x.mul<TF.Tensor4D>(kept[name]) : x),
            head: (features: TF.Tensor2D) => tf.matMul(features, weight).add<TF.Tensor2D>(bias),
          };
          return softmaxCrossEntropy(
            backbone.forward(images, { training: false, hooks }).logits,
            labels,
          ).mean<TF.Scalar>();
        },
      },
    },
    backbone.variables,
  );
  try {
    const classifier = tf.tidy(() =>
      fitClassifier(
        tf.concat(batches.map((batch) => program.features({ images: batch.images }) as TF.Tensor2D)),
        Int32Array.from(batches.flatMap(({ labels }) => [...labels])),
        backbone.classes,
      ),
    );
    const all = Object.fromEntries(
      Object.entries(channels).map(([name, count]) => [name, new Float32Array(count).fill(1)]),
    );
    const lossWith = (changed: Record<string, Float32Array>): number => {
      const losses = batches.map(({ images, labels }) => {
        const loss = (program.loss as (args: Record<string, unknown>) => TF.Scalar)({
          images,
          labels,
          ...classifier,
          ...all,
          ...changed,
        });
        const value = loss.dataSync()[0];
        loss.dispose();
        return value;
      });
      return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    };
    const base = lossWith({});
    const total = Object.values(channels).reduce((sum, count) => sum + count, 0);
    const weights: ChannelWeights = {};
    let done = 0;
    for (const [name, count] of Object.entries(channels)) {
      const scores: number[] = [];
      for (let channel = 0; channel < count; channel++) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        scores.push(lossWith({ [name]: new Float32Array(count).fill(1).fill(0, channel, channel + 1) }) - base);
        onProgress?.({ task: 'channel weights of DELTA', done: ++done, total, unit: 'channels' });
      }
      weights[name] = Float32Array.from(weightsOfScores(scores));
    }
    return weights;
  } finally {
    program.dispose();
  }
}

/** softmax(z / 5) of the standardised scores z; all the same when the scores are. */
export function weightsOfScores(scores: readonly number[]): number[] {
  const center = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - center) ** 2, 0) / scores.length) || 1;
  const powers = scores.map((score) => Math.exp((score - center) / spread / 5));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Channels of the stages that DELTA compares. */
function channelsOf(backbone: Backbone, imageSize: number): Record<string, number> {
  return tf.tidy(() => {
    const { taps } = backbone.forward(tf.zeros([1, imageSize, imageSize, 3]), { training: false });
    return Object.fromEntries(deltaTaps(taps).map((name) => [name, taps[name].shape[3]]));
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
