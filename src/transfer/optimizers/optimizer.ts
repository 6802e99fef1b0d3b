// An optimizer: how a gradient changes a parameter. The kit makes, saves and clears its state.
import { z } from 'zod';
import { definePart, type AnyDefinition, type PartDefinition, type PartInfo } from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';
import { tf, type TF } from '../../engine/tensorflow';
import { requireTensor, within } from '../within';

/** Options that every optimizer has. */
export interface OptimizerOptions {
  /** Base learning rate. */
  learningRate: number;
  /** The head's base learning rate is the trunk's times this: a new head may learn faster than pretrained layers. */
  headFactor: number;
  /** L2 coefficient, or decoupled decay: see the optimizer. Regularizers may replace it. */
  weightDecay: number;
  /** The gradients are scaled down if their joint L2 norm is larger than this; `null`: no clipping. */
  clipNorm: number | null;
}

/** The schema of the options that every optimizer has: spread it, and override a default where another one is usual. */
export const optimizerOptions = {
  learningRate: z.number().positive().default(0.01),
  headFactor: z.number().positive().default(1),
  weightDecay: z.number().min(0).default(1e-4),
  clipNorm: z.number().positive().nullable().default(null),
};

/** One parameter in one step. All tensors; the code runs inside the compiled step. */
export interface UpdateContext<S extends string = string> {
  parameter: TF.Variable;
  /** Of the loss, after clipping; without weight decay. */
  gradient: TF.Tensor;
  /** Learning rate of the parameter's group: a scalar. */
  rate: TF.Scalar;
  /** L2 coefficient, after the regularizers. */
  weightDecay: number;
  /** The parameter's state, by slot; of the parameter's shape, zeros at first. */
  slots: Record<S, TF.Variable>;
  /** Number of this step, from 1: a scalar. Only with `countsSteps`. */
  step: TF.Scalar;
}

/** What an update is. */
export interface Update<S extends string = string> {
  /** The parameter becomes: parameter - rate x direction. */
  direction: TF.Tensor;
  /** New values of the slots. Slots that are left out keep theirs. */
  slots: Partial<Record<S, TF.Tensor>>;
}

/** What an optimizer does. */
export interface OptimizerBody<O> {
  /** Names of the state arrays of each parameter: `['momentum']`. */
  slots: readonly string[];
  /** Whether `update` needs the number of the step. Default false. */
  countsSteps?: boolean;
  update(options: O, context: UpdateContext): Update;
}

/** All optimizers by name. */
export const optimizers = new Registry<AnyDefinition<OptimizerBody<never>>>('optimizer');

const fields: FieldKinds<OptimizerBody<never>> = { slots: 'list', countsSteps: 'boolean?', update: 'function' };

/** Defines an optimizer, for the field `optimizer` of a spec. Its options must include `optimizerOptions`. */
export function defineOptimizer<N extends string, O extends z.ZodObject<typeof optimizerOptions>>(
  info: PartInfo<N, O> & OptimizerBody<z.output<O>> & { options: O },
): PartDefinition<N, O, OptimizerBody<z.output<O>>> {
  return definePart(optimizers as never, info, info, defineOptimizer, fields);
}

/** An optimizer as a part of a spec. */
export type OptimizerPart = { readonly name: string; readonly [option: string]: unknown } & OptimizerOptions;

/** The optimizer of a run, with its state. */
export interface OptimizerOfRun {
  /** The state: `<slot>/<parameter>`, and `optimizer/step` if it counts steps. */
  variables: Record<string, TF.Variable>;
  /** Names of the state of the parameter `name`. */
  stateOf(name: string): string[];
  /** Call once per step, before the updates: the scale of the gradients, and the number of the step. */
  begin(gradients: readonly TF.Tensor[]): { scale: TF.Scalar | null; step: TF.Scalar | null };
  /** Changes the parameter `name`, and returns the direction in which it moved by `rate` times its length. */
  update(
    name: string,
    given: { gradient: TF.Tensor; rate: TF.Scalar; scale: TF.Scalar | null; step: TF.Scalar | null },
  ): TF.Tensor;
}

/** The optimizer `part` for `parameters`. Its variables are the caller's to dispose. */
export function makeOptimizer(
  part: OptimizerPart,
  parameters: Readonly<Record<string, TF.Variable>>,
  weightDecay: number,
): OptimizerOfRun {
  const { name: optimizer, body } = optimizers.get(part.name);
  const names = Object.keys(parameters);
  // `fill` makes the zeros in TensorFlow, `zeros` would make them in JavaScript first.
  const zeros = (shape: number[]): TF.Variable => tf.tidy(() => tf.variable(tf.fill(shape, 0), false));
  const variables = Object.fromEntries(
    names.flatMap((name) => body.slots.map((slot) => [`${slot}/${name}`, zeros(parameters[name].shape)])),
  );
  const counter = body.countsSteps === true ? zeros([]) : null;
  if (counter !== null) variables['optimizer/step'] = counter;
  return {
    variables,
    stateOf: (name) => body.slots.map((slot) => `${slot}/${name}`),

    begin(gradients) {
      if (counter !== null) counter.assign(counter.add(1));
      return {
        scale: part.clipNorm === null ? null : clipScale(gradients, part.clipNorm),
        step: counter as TF.Scalar | null,
      };
    },

    update(name, { gradient, rate, scale, step }) {
      const parameter = parameters[name];
      const slots = Object.fromEntries(body.slots.map((slot) => [slot, variables[`${slot}/${name}`]]));
      return tf.tidy(() => {
        const context = {
          parameter,
          gradient: scale === null ? gradient : gradient.mul(scale),
          rate,
          weightDecay,
          slots,
          step: step!,
        };
        const update = within('optimizer', optimizer, () => body.update(part as never, context));
        const like = (what: string, value: TF.Tensor): TF.Tensor =>
          requireTensor(`${what} of the optimizer "${optimizer}"`, value, parameter.shape, ['float32']);
        for (const [slot, value] of Object.entries(update.slots)) slots[slot].assign(like(`slot ${slot}`, value!));
        parameter.assign(parameter.sub(like('direction', update.direction).mul(rate)));
        return update.direction;
      });
    },
  };
}

/** min(1, clipNorm / (norm + 1e-6)) of the joint norm, as PyTorch's clip_grad_norm_. */
const clipScale = (gradients: readonly TF.Tensor[], clipNorm: number): TF.Scalar =>
  tf.tidy(() => {
    const norm = tf.addN(gradients.map((gradient) => gradient.square().sum())).sqrt();
    return tf.scalar(clipNorm).div(norm.add(1e-6)).minimum<TF.Scalar>(1);
  });
