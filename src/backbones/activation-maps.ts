// Class activation maps (Zhou et al., CVPR 2016). All heads of the kit are global average pooling and a linear layer:
// the map of a class is the head's weights of that class times the last feature map, and no gradient is needed.
import type { Backbone } from './backbone';
import { tf, type TF } from '../engine/tensorflow';

/**
 * The logits [batch, classes] of `images`, and [batch, height, width]: the map of the predicted class of each image.
 * The mean of a map, plus the bias of its class, is the class's logit.
 */
export function forwardWithMap(backbone: Backbone, images: TF.Tensor4D): { logits: TF.Tensor2D; maps: TF.Tensor3D[] } {
  const { logits, taps } = backbone.forward(images, { training: false });
  const features = taps[backbone.record.taps[backbone.record.taps.length - 1]];
  // The rows of the head by a product with ones and zeros: a graph of every format has it, and no bit changes.
  const chosen = tf.cast(tf.oneHot(tf.cast(tf.argMax(logits, 1), 'int32'), backbone.classes), 'float32');
  const weights = tf.matMul(chosen as TF.Tensor2D, backbone.head.weight as TF.Tensor as TF.Tensor2D, false, true);
  const maps = tf.sum<TF.Tensor3D>(tf.mul(features, tf.reshape(weights, [-1, 1, 1, backbone.record.featureSize])), 3);
  return { logits, maps: [maps] };
}
