// Class activation maps (Zhou et al., CVPR 2016). All heads of the kit are global average pooling and a linear layer:
// the map of a class is the head's weights of that class times the last feature map, and no gradient is needed.
import type { Backbone } from '../backbones/backbone';
import { tf, type TF } from '../engine/tensorflow';

/**
 * The logits [batch, classes] of `images`, and [batch, height, width]: the map of the predicted class of each image. The
 * mean of a map, plus the bias of its class, is the class's logit.
 */
export function forwardWithMap(backbone: Backbone, images: TF.Tensor4D): { logits: TF.Tensor2D; maps: TF.Tensor3D[] } {
  const { logits, taps } = backbone.forward(images, { training: false });
  const features = taps[backbone.record.taps[backbone.record.taps.length - 1]];
  const weights = tf.gather(tf.transpose(backbone.head.weight as TF.Tensor as TF.Tensor2D), tf.argMax(logits, 1));
  const [batch, channels] = weights.shape;
  const maps = tf.sum<TF.Tensor3D>(tf.mul(features, tf.reshape(weights, [batch, 1, 1, channels!])), 3);
  return { logits, maps: [maps] };
}
