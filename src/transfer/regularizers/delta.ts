// DELTA (Li et al., ICLR 2019): feature maps stay near those of the pretrained network.
import { z } from 'zod';
import { tf, type TF } from '../../engine/tensorflow';
import { deltaTaps, findChannelWeights } from './channel-weights';
import { defineRegularizer, headDecay } from './regularizer';

const coefficient = z.number().min(0);

/** Number of training images that the channel weights are computed from. */
const CHANNEL_IMAGES = 64;

/**
 * DELTA: the outputs of the stages stay near those of the pretrained network on the same images. Penalty: alpha/2 times
 * the sum over stages and channels of C w_c |F_c - F0_c|^2 / (height width), plus beta/2 |w|^2 over the head.
 *
 * F is [batch, height, width, C]; w_c sums to one over the C channels of a stage. The pretrained network runs in
 * evaluation mode. The mean over the batch is taken, as of the cross entropy: alpha does not depend on the batch size.
 * There is no weight decay besides. Without prepared arrays all channels of a stage have the same weight.
 */
export const delta = defineRegularizer({
  name: 'delta',
  title: 'DELTA',
  source: 'Li et al., ICLR 2019; beta from lixingjian/DELTA, alpha: our own grid',
  options: z.strictObject({ alpha: coefficient.default(0.001), beta: coefficient.default(0.01) }),
  weightDecay: () => 0,

  async prepare(_, { backbone, imageSize, trainImages, signal, onProgress }) {
    return findChannelWeights(backbone, imageSize, [await trainImages(CHANNEL_IMAGES)], { signal, onProgress });
  },

  create({ alpha, beta }, { backbone, prepared }) {
    const source = backbone.copy();
    const variables = Object.fromEntries(
      Object.entries(source.variables).map(([name, variable]) => [`source/${name}`, variable]),
    );
    return {
      variables,
      penalty: ({ images, forward: { taps } }) =>
        tf.tidy(() => {
          const before = source.forward(images, { training: false }).taps;
          const distances = deltaTaps(taps).map((name) => {
            const [batch, height, width, channels] = taps[name].shape;
            const squares = taps[name].sub(before[name]).square().sum([0, 1, 2]);
            const weights = prepared?.[name];
            return (weights ? squares.mul(tf.tensor1d(weights)).mul(channels) : squares)
              .sum()
              .div(batch * height * width);
          });
          return tf
            .addN(distances)
            .mul(alpha / 2)
            .add<TF.Scalar>(headDecay(backbone, beta));
        }),
      dispose: () => source.dispose(),
    };
  },
});
