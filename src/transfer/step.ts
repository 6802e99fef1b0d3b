// The training step and the evaluation step, in ordinary tfjs code: they run eagerly, or compiled into one graph each.
import { choose, halfSquaredNorm, softmaxCrossEntropy } from '../engine/ops/ops';
import type { Precision } from '../engine/passes/precision';
import { tf, type TF } from '../engine/tensorflow';
import type { Backbone } from '../backbones/backbone';
import type { ChannelWeights } from './regularizers/channel-weights';
import { makeLossScale } from './optimizers/loss-scale';
import { makeRegularizer } from './regularizers/regularizers';
import { momentumBuffers, sgdStep } from './optimizers/sgd';
import type { RunSpec } from './spec';
import { makeTrick } from './tricks/tricks';

/** Arguments of a training step. */
export type TrainArguments = {
  /** [batch, height, width, 3], RGB 0..255. */
  images: TF.Tensor4D;
  /** [batch], int32. */
  labels: TF.Tensor1D;
  /** Scalars: rates of the trunk and of the head. */
  learningRate: TF.Scalar;
  headLearningRate: TF.Scalar;
  /** [2], int32: what the step's masks are drawn from. */
  maskSeed: TF.Tensor1D;
};

/** Arguments of an evaluation step. */
export type EvaluateArguments = Pick<TrainArguments, 'images' | 'labels'>;

/** What a training step returns. */
export type TrainOutputs = {
  /** Means over the batch. */
  loss: TF.Scalar;
  crossEntropy: TF.Scalar;
  /** Number of images classified right. */
  correct: TF.Scalar;
  /** [2, parameters]: squared norms of the loss's gradient, and of the update, of each of `parameterNames`. */
  squaredNorms: TF.Tensor2D;
};

/** What an evaluation step returns. */
export type EvaluateOutputs = {
  /** Sum of the cross entropy over the batch. */
  crossEntropy: TF.Scalar;
  /** Number of images classified right. */
  correct: TF.Scalar;
  /** [batch, classes]. */
  logits: TF.Tensor2D;
};

/**
 * The steps of a run, and all the variables that they use: parameters, statistics, momentum, and what the regulariser
 * keeps.
 */
export interface Steps {
  variables: Record<string, TF.Variable>;
  /** Names of the trained parameters, in the order of the network. */
  parameterNames: string[];
  /** Names of the variables that a training step changes: parameters, statistics, momentum. */
  changing: string[];
  /** In which a compiled step computes. */
  precision: Precision;
  train(args: TrainArguments): TrainOutputs;
  evaluate(args: EvaluateArguments): EvaluateOutputs;
  /** Frees the variables that are not the backbone's. */
  dispose(): void;
}

/** What else `makeSteps` may be told. */
export interface StepOptions {
  /** Of DELTA; default: all channels of a stage weigh the same. */
  channelWeights?: ChannelWeights;
  /** Whether a step gives `squaredNorms` or zeros, as a benchmark wants. Default true. */
  norms?: boolean;
}

/** The steps of `spec` on `backbone`. @throws KitError when its trick does not fit the backbone. */
export function makeSteps(
  spec: RunSpec,
  backbone: Backbone,
  { channelWeights, norms: wantsNorms = true }: StepOptions = {},
): Steps {
  const trick = makeTrick(spec.trick, backbone);
  const parameters = Object.entries(backbone.variables).filter(([, variable]) => variable.trainable);
  const buffers = momentumBuffers(Object.fromEntries(parameters));
  const regularizer = makeRegularizer(spec, backbone, channelWeights);
  const sgd = { ...spec.optimizer, weightDecay: regularizer.weightDecay };
  const lossScale = spec.precision === 'float16' ? makeLossScale() : null;
  const head = new Set<TF.Variable>([backbone.head.weight, backbone.head.bias]);

  return {
    variables: { ...backbone.variables, ...buffers, ...regularizer.variables, ...lossScale?.variables },
    parameterNames: parameters.map(([name]) => name),
    changing: Object.keys({ ...backbone.variables, ...buffers, ...lossScale?.variables }),
    precision: spec.precision,

    train({ images, labels, learningRate, headLearningRate, maskSeed }) {
      const kept: TF.Tensor[] = []; // what must outlive variableGrads, which tidies up
      let updates: { variable: TF.Variable; value: TF.Tensor }[] = [];
      const taught = trick.labels?.(labels, maskSeed) ?? labels;
      const { value, grads } = tf.variableGrads(
        () => {
          const forward = backbone.forward(images, { training: true, hooks: trick.hooks?.(maskSeed) });
          updates = forward.updates;
          const crossEntropy = softmaxCrossEntropy(forward.logits, taught).mean<TF.Scalar>();
          kept.push(tf.keep(crossEntropy.clone()), tf.keep(countCorrect(forward.logits, labels)));
          const task = forward.auxiliaryLogits
            ? crossEntropy.add<TF.Scalar>(auxiliaryLoss(backbone, forward.auxiliaryLogits, taught))
            : crossEntropy;
          const loss = regularizer.penalty === null ? task : task.add<TF.Scalar>(regularizer.penalty(images, forward));
          return lossScale === null ? loss : lossScale.scale(loss);
        },
        parameters.map(([, variable]) => variable),
      );
      const loss = lossScale === null ? value : lossScale.unscale(value);
      const before = new Map<TF.Variable, TF.Tensor>();
      if (lossScale !== null) {
        for (const [name, gradient] of Object.entries(grads)) grads[name] = lossScale.unscale(gradient);
        for (const variable of Object.values({ ...backbone.variables, ...buffers }))
          before.set(variable, variable.clone());
      }
      const norms = parameters.map(([name, variable]) => {
        const rate = head.has(variable) ? headLearningRate : learningRate;
        const direction = sgdStep(variable, buffers[`momentum/${name}`], grads[variable.name], rate, sgd);
        return wantsNorms ? [halfSquaredNorm(grads[variable.name]), halfSquaredNorm(direction).mul(rate.square())] : [];
      });
      let squaredNorms = wantsNorms
        ? tf.stack([0, 1].map((which) => tf.stack(norms.map((pair) => pair[which])))).mul<TF.Tensor2D>(2)
        : tf.zeros<TF.Rank.R2>([2, parameters.length]);
      for (const { variable, value } of updates) variable.assign(value);
      if (lossScale !== null) {
        const finite = lossScale.isFinite(Object.values(grads));
        lossScale.settle(finite, before);
        squaredNorms = choose(finite, squaredNorms, tf.zerosLike(squaredNorms)); // of a step that was taken back
      }
      tf.dispose([grads, updates.map(({ value }) => value)]);
      // tidied by the caller, unlike the kept ones
      const [crossEntropy, correct] = kept.map((tensor) => tensor.clone() as TF.Scalar);
      tf.dispose(kept);
      return { loss, crossEntropy, correct, squaredNorms };
    },

    evaluate({ images, labels }) {
      const { logits } = backbone.forward(images, { training: false });
      return {
        crossEntropy: softmaxCrossEntropy(logits, labels).sum<TF.Scalar>(),
        correct: countCorrect(logits, labels),
        logits,
      };
    },

    dispose() {
      tf.dispose([buffers, lossScale?.variables ?? {}]);
      regularizer.dispose();
    },
  };
}

/** What the auxiliary classifier of a backbone adds to the loss. */
const auxiliaryLoss = ({ record }: Backbone, logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Scalar =>
  softmaxCrossEntropy(logits, labels).mean().mul(record.auxiliary!.lossWeight);

/** Number of images whose largest logit is their label's, as int32. */
const countCorrect = (logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Scalar =>
  tf.tidy(() => logits.argMax(1).equal(labels).toInt().sum<TF.Scalar>());
