// A regularizer: a term of the loss, a weight decay, or both, that keeps weights small or near their start.
import type { z } from 'zod';
import type { Backbone, ForwardResult } from '../../backbones/backbone';
import {
  definePart,
  type AnyDefinition,
  type Part,
  type PartDefinition,
  type PartInfo,
} from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';
import type { OnProgress } from '../../base/progress';
import type { Batch } from '../../data/batches/batches';
import { tf, type TF } from '../../engine/tensorflow';
import { within, requireScalar } from '../within';

/** Arrays that a regularizer computed before training, by name. */
export type Prepared = Readonly<Record<string, Float32Array>>;

/** What `prepare` is given. */
export interface PrepareContext {
  /** With its values before training. */
  backbone: Backbone;
  /** Side of the images, pixels. */
  imageSize: number;
  /**
   * About `count` training images, evenly over the classes, as evaluation sees them; all in one batch. The same in
   * every run on this data set.
   */
  trainImages(count: number): Promise<Batch>;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** What `penalty` is given. Its code runs inside the compiled step: tensors only. */
export interface PenaltyContext {
  /** [batch, height, width, 3], RGB 0..255, as the network sees them. */
  images: TF.Tensor4D;
  /** [batch] int32. */
  labels: TF.Tensor1D;
  /** Logits, features and stages of these images. */
  forward: ForwardResult;
}

/** A regularizer of one run. */
export interface RegularizerOfRun {
  /** Its own variables, which never change: a copy of the start values, for example. By names of its own. */
  variables?: Record<string, TF.Variable>;
  /** The term that is added to the loss: a scalar. */
  penalty?(context: PenaltyContext): TF.Scalar;
  /** Frees what it made. Default: disposes `variables`. */
  dispose?(): void;
}

/** What a regularizer does. */
export interface RegularizerBody<O> {
  /** Why the options do not fit the run; undefined when they do. */
  check?(options: O, run: { batchSize: number; epochs: number }): string | undefined;
  /**
   * Computes arrays from data, once, before training. They are cached by data, weights, options and version; training
   * gets them as `prepared`.
   */
  prepare?(options: O, context: PrepareContext): Promise<Record<string, Float32Array>>;
  /** The L2 coefficient of the optimizer, given the one before. Default: unchanged. L2-SP, for example, returns 0. */
  weightDecay?(options: O, before: number): number;
  /** The regularizer of one run. `backbone` has its values before training. */
  create?(options: O, context: { backbone: Backbone; prepared: Prepared | undefined }): RegularizerOfRun;
}

type Body = RegularizerBody<never>;

/** All regularizers by name. */
export const regularizers = new Registry<AnyDefinition<Body>>('regularizer');

const fields: FieldKinds<RegularizerBody<never>> = {
  check: 'function?',
  prepare: 'function?',
  weightDecay: 'function?',
  create: 'function?',
};

/** Defines a regularizer, for the list `regularizers` of a spec. */
export function defineRegularizer<N extends string, O extends z.ZodObject>(
  info: PartInfo<N, O> & RegularizerBody<z.output<O>>,
): PartDefinition<N, O, RegularizerBody<z.output<O>>> {
  return definePart(regularizers as never, info, info, defineRegularizer, fields);
}

/** The regularizers of a run together. */
export interface Regularization {
  variables: Record<string, TF.Variable>;
  weightDecay: number;
  /** The sum of the penalties; null when there is none. */
  penalty: ((context: PenaltyContext) => TF.Scalar) | null;
  dispose(): void;
}

/**
 * The regularizers `parts` for `backbone`, whose present values are the start values.
 * @param weightDecay of the optimizer, which regularizers may replace.
 * @param prepared for each part, its prepared arrays. Default: none.
 */
export function makeRegularization(
  parts: readonly Part[],
  backbone: Backbone,
  weightDecay: number,
  prepared: readonly (Prepared | undefined)[] = [],
): Regularization {
  const made = parts.map((part, i) => {
    const { body, name } = regularizers.get(part.name);
    const create = () => body.create?.(part as never, { backbone, prepared: prepared[i] }) ?? {};
    return { name, own: within('regularizer', name, create) };
  });
  const penalties = made.flatMap(({ name, own }) =>
    own.penalty === undefined ? [] : [{ name, penalty: own.penalty.bind(own) }],
  );
  const variables: Record<string, TF.Variable> = {};
  made.forEach(({ own }, i) => {
    for (const [name, variable] of Object.entries(own.variables ?? {}))
      variables[name in variables ? `${i}/${name}` : name] = variable;
  });
  return {
    variables,
    weightDecay: parts.reduce(
      (before, part) => regularizers.get(part.name).body.weightDecay?.(part as never, before) ?? before,
      weightDecay,
    ),
    penalty:
      penalties.length === 0
        ? null
        : (context) =>
            penalties
              .map(({ name, penalty }) =>
                within('regularizer', name, () => requireScalar('regularizer', name, penalty(context))),
              )
              .reduce((sum, term) => sum.add<TF.Scalar>(term)),
    dispose: () => made.forEach(({ own }) => (own.dispose ? own.dispose() : tf.dispose(own.variables ?? {}))),
  };
}

/**
 * The weights and biases that are newly drawn: those of the head, and of the auxiliary classifier's if there is one.
 */
export const newlyDrawn = ({ head, auxiliaryHead }: Backbone): TF.Variable[] =>
  [head, ...(auxiliaryHead ? [auxiliaryHead] : [])].flatMap(({ weight, bias }) => [weight, bias]);

/** beta/2 |w|^2 over the head's weight and bias. */
export const headDecay = (backbone: Backbone, beta: number): TF.Scalar =>
  tf.addN(newlyDrawn(backbone).map((w) => w.square().sum())).mul<TF.Scalar>(beta / 2);
