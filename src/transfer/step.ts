// The training step and the evaluation step, in ordinary tfjs code: they run eagerly, or compiled into one graph each.
import { choose, halfSquaredNorm, softmaxCrossEntropy } from '../engine/ops/ops';
import type { Precision } from '../engine/passes/precision';
import { tf, type TF } from '../engine/tensorflow';
import type { Backbone } from '../backbones/backbone';
import { makeLossScale } from './optimizers/loss-scale';
import { meanCrossEntropy } from './loss/cross-entropy';
import { makeOptimizer } from './optimizers/optimizer';
import { makeRegularization, type Prepared } from './regularizers/regularizer';
import type { RunSpec } from './spec/spec';
import { makeTricks } from './tricks/trick';

/** Arguments of a training step. */
export type TrainArguments = {
  /** [batch, height, width, 3], RGB 0..255. */
  images: TF.Tensor4D;
  /** [batch], int32. */
  labels: TF.Tensor1D;
  /** Scalars: rates of the trunk and of the head. */
  learningRate: TF.Scalar;
  headLearningRate: TF.Scalar;
  /** Seeds of the tricks' random numbers, int32: [2] for at most one trick, else [tricks, 2]. */
  maskSeed: TF.Tensor;
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
 * The steps of a run, and all their variables: parameters, statistics, and those of the optimizer and the regularizers.
 */
export interface Steps {
  variables: Record<string, TF.Variable>;
  /** Names of the trained parameters, in the order of the network. */
  parameterNames: string[];
  /** Names of the variables that a training step changes: parameters, statistics, and the optimizer's. */
  changing: string[];
  /** What a compiled step computes in. */
  precision: Precision;
  /** Number of tricks: it decides the shape of `maskSeed`. */
  tricks: number;
  /** Names of the optimizer's state of the parameter `name`. */
  stateOf(name: string): string[];
  train(args: TrainArguments): TrainOutputs;
  evaluate(args: EvaluateArguments): EvaluateOutputs;
  /** Frees the variables that are not the backbone's. */
  dispose(): void;
}

/** Options of `makeSteps`. */
export interface StepOptions {
  /** Of each regularizer, its prepared arrays. Default: none. */
  prepared?: readonly (Prepared | undefined)[];
  /** Whether a step returns `squaredNorms`, or zeros in their place (for benchmarks). Default true. */
  norms?: boolean;
  /** The weight of each class, where the spec has `classWeights`: see `classWeightsOf`. */
  classWeights?: Float32Array;
}

/** The steps of `spec` on `backbone`. @throws KitError when a trick does not fit the backbone. */
export function makeSteps(
  spec: RunSpec,
  backbone: Backbone,
  { prepared, norms: wantsNorms = true, classWeights }: StepOptions = {},
): Steps {
  const weights = weightsVariable(spec, classWeights);
  const tricks = makeTricks(spec.tricks, backbone);
  const parameters = Object.entries(backbone.variables).filter(([, variable]) => variable.trainable);
  const regularizer = makeRegularization(spec.regularizers, backbone, spec.optimizer.weightDecay, prepared);
  const optimizer = makeOptimizer(spec.optimizer, Object.fromEntries(parameters), regularizer.weightDecay);
  const lossScale = spec.precision === 'float16' ? makeLossScale() : null;
  const head = new Set<TF.Variable>([backbone.head.weight, backbone.head.bias]);

  return {
    variables: {
      ...backbone.variables,
      ...optimizer.variables,
      ...regularizer.variables,
      ...lossScale?.variables,
      ...(weights === null ? {} : { 'loss/class-weights': weights }),
    },
    parameterNames: parameters.map(([name]) => name),
    changing: Object.keys({ ...backbone.variables, ...optimizer.variables, ...lossScale?.variables }),
    precision: spec.precision,
    tricks: spec.tricks.length,
    stateOf: (name) => optimizer.stateOf(name),

    train({ images: given, labels, learningRate, headLearningRate, maskSeed }) {
      const kept: TF.Tensor[] = []; // what must outlive variableGrads, which tidies up
      let updates: { variable: TF.Variable; value: TF.Tensor }[] = [];
      const images = tricks.images(given, maskSeed);
      const taught = tricks.labels(labels, maskSeed);
      const { value, grads } = tf.variableGrads(
        () => {
          const forward = backbone.forward(images, { training: true, hooks: tricks.hooks(maskSeed) });
          updates = forward.updates;
          const crossEntropy = meanCrossEntropy(forward.logits, taught, weights);
          kept.push(tf.keep(crossEntropy.clone()), tf.keep(countCorrect(forward.logits, labels)));
          const task = forward.auxiliaryLogits
            ? crossEntropy.add<TF.Scalar>(auxiliaryLoss(backbone, forward.auxiliaryLogits, taught, weights))
            : crossEntropy;
          const loss =
            regularizer.penalty === null
              ? task
              : task.sub<TF.Scalar>(regularizer.penalty({ images, labels, forward }).neg());
          return lossScale === null ? loss : lossScale.scale(loss);
        },
        parameters.map(([, variable]) => variable),
      );
      const loss = lossScale === null ? value : lossScale.unscale(value);
      const before = new Map<TF.Variable, TF.Tensor>();
      if (lossScale !== null) {
        for (const [name, gradient] of Object.entries(grads)) grads[name] = lossScale.unscale(gradient);
        for (const variable of Object.values({ ...backbone.variables, ...optimizer.variables }))
          before.set(variable, variable.clone());
      }
      const shared = optimizer.begin(Object.values(grads));
      const norms = parameters.map(([name, variable]) => {
        const rate = head.has(variable) ? headLearningRate : learningRate;
        const gradient = grads[variable.name];
        const direction = optimizer.update(name, { gradient, rate, ...shared });
        return wantsNorms ? [halfSquaredNorm(gradient), halfSquaredNorm(direction).mul(rate.square())] : [];
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
      tf.dispose([optimizer.variables, lossScale?.variables ?? {}, weights ?? []]);
      regularizer.dispose();
    },
  };
}

/** What the auxiliary classifier of a backbone adds to the loss. */
const auxiliaryLoss = (
  { record }: Backbone,
  logits: TF.Tensor2D,
  labels: TF.Tensor,
  weights: TF.Tensor1D | null,
): TF.Scalar => meanCrossEntropy(logits, labels, weights).mul(record.auxiliary!.lossWeight);

/** The class weights as a variable: so programs of one data set with other weights are the same graph. */
function weightsVariable({ classWeights }: RunSpec, values: Float32Array | undefined): TF.Variable<TF.Rank.R1> | null {
  if ((classWeights ?? null) === null) return null; // records of older kits do not have the field
  if (values === undefined) throw new Error('the spec has class weights, and no values of them were given');
  return tf.tidy(() => tf.variable(tf.tensor1d(values), false));
}

/** Number of images whose largest logit is their label's, as int32. */
const countCorrect = (logits: TF.Tensor2D, labels: TF.Tensor1D): TF.Scalar =>
  tf.tidy(() => logits.argMax(1).equal(labels).toInt().sum<TF.Scalar>());
