// The training step and the evaluation step, in ordinary tfjs code: they run eagerly, or compiled into one graph each.
import { softmaxCrossEntropy } from '../engine/ops';
import { tf, type TF } from '../engine/tensorflow';
import type { Backbone } from '../backbones/backbone';
import { makeRegularizer } from './regularizers';
import { momentumBuffers, sgdStep } from './sgd';
import type { RunSpec } from './spec';

/** Arguments of a training step. */
export type TrainArguments = {
  /** [batch, height, width, 3], RGB 0..255. */
  images: TF.Tensor4D;
  /** [batch], int32. */
  labels: TF.Tensor1D;
  /** Scalars: rates of the trunk and of the head. */
  learningRate: TF.Scalar;
  headLearningRate: TF.Scalar;
};

/** Arguments of an evaluation step. */
export type EvaluateArguments = Pick<TrainArguments, 'images' | 'labels'>;

/** Scalars that a training step returns: means over the batch, and the number of images classified right. */
export type TrainOutputs = { loss: TF.Scalar; crossEntropy: TF.Scalar; correct: TF.Scalar };

/** Scalars that an evaluation step returns: sum of the cross entropy, and the number classified right. */
export type EvaluateOutputs = { crossEntropy: TF.Scalar; correct: TF.Scalar };

/** The steps of a run, and all the variables that they use: parameters, statistics, momentum, and what the regulariser keeps. */
export interface Steps {
  variables: Record<string, TF.Variable>;
  train(args: TrainArguments): TrainOutputs;
  evaluate(args: EvaluateArguments): EvaluateOutputs;
  /** Frees the variables that are not the backbone's. */
  dispose(): void;
}

/** The steps of `spec` on `backbone`. */
export function makeSteps(spec: RunSpec, backbone: Backbone): Steps {
  const parameters = Object.fromEntries(Object.entries(backbone.variables).filter(([, variable]) => variable.trainable));
  const buffers = momentumBuffers(parameters);
  const regularizer = makeRegularizer(spec, backbone);
  const sgd = { ...spec.optimizer, weightDecay: regularizer.weightDecay };
  const head = new Set<TF.Variable>([backbone.head.weight, backbone.head.bias]);

  return {
    variables: { ...backbone.variables, ...buffers, ...regularizer.variables },

    train({ images, labels, learningRate, headLearningRate }) {
      const kept: TF.Tensor[] = []; // what must outlive variableGrads, which tidies up
      let updates: { variable: TF.Variable; value: TF.Tensor }[] = [];
      const { value: loss, grads } = tf.variableGrads(() => {
        const forward = backbone.forward(images, { training: true });
        updates = forward.updates;
        const crossEntropy = softmaxCrossEntropy(forward.logits, labels).mean<TF.Scalar>();
        kept.push(tf.keep(crossEntropy.clone()), tf.keep(countCorrect(forward.logits, labels)));
        return regularizer.penalty === null ? crossEntropy : crossEntropy.add<TF.Scalar>(regularizer.penalty());
      }, Object.values(parameters));
      for (const [name, variable] of Object.entries(parameters)) {
        sgdStep(variable, buffers[`momentum/${name}`], grads[variable.name], head.has(variable) ? headLearningRate : learningRate, sgd);
      }
      for (const { variable, value } of updates) variable.assign(value);
      tf.dispose([grads, updates.map(({ value }) => value)]);
      const [crossEntropy, correct] = kept.map((tensor) => tensor.clone() as TF.Scalar); // tidied by the caller, unlike the kept ones
      tf.dispose(kept);
      return { loss, crossEntropy, correct };
    },

    evaluate({ images, labels }) {
      const { logits } = backbone.forward(images, { training: false });
      return { crossEntropy: softmaxCrossEntropy(logits, labels).sum<TF.Scalar>(), correct: countCorrect(logits, labels) };
    },

    dispose: () => tf.dispose([buffers, regularizer.variables]),
  };
}

/** Number of images whose largest logit is their label's, as int32. */
const countCorrect = (logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Scalar =>
  tf.tidy(() => logits.argMax(1).equal(labels).toInt().sum<TF.Scalar>());
