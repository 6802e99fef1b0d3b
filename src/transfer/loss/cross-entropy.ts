// The loss of a batch: cross entropy, with or without weights of the classes.
import { softmaxCrossEntropy } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';

/**
 * Mean cross entropy of a batch, a scalar. With `weights` as PyTorch's `CrossEntropyLoss(weight)`: of hard labels
 * sum(weight of the label x cross entropy) / sum(weight of the label); of soft ones each class's term is multiplied by
 * its weight, and the sum is divided by the number of images.
 * @param logits [batch, classes].
 * @param labels hard, [batch] int32, or soft, [batch, classes] float32.
 * @param weights [classes]; null: none.
 */
export function meanCrossEntropy(logits: TF.Tensor2D, labels: TF.Tensor, weights: TF.Tensor1D | null): TF.Scalar {
  if (labels.rank !== 1)
    return tf.tidy(() => {
      const wanted = weights === null ? labels : labels.mul(weights);
      return tf.logSoftmax(logits).mul(wanted).sum<TF.Tensor1D>(1).neg().mean<TF.Scalar>();
    });
  const losses = softmaxCrossEntropy(logits, labels as TF.Tensor1D);
  if (weights === null) return losses.mean<TF.Scalar>();
  const ofLabels = tf.gather(weights, labels as TF.Tensor1D);
  return losses.mul(ofLabels).sum().div<TF.Scalar>(ofLabels.sum());
}
