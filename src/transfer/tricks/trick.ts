// A trick: what a training step sees instead of its images and labels, and hooks into the forward pass.
import type { z } from 'zod';
import type { Backbone, ForwardHooks } from '../../backbones/backbone';
import {
  definePart,
  type AnyDefinition,
  type Part,
  type PartDefinition,
  type PartInfo,
} from '../../base/definitions/part';
import type { FieldKinds } from '../../base/definitions/fields';
import { Registry } from '../../base/definitions/registry';
import { KitError } from '../../base/errors';
import { statelessUniform } from '../../engine/ops/ops';
import { tf, type TF } from '../../engine/tensorflow';
import type { RateMoment } from '../schedules/schedule';
import { requireTensor, within } from '../within';

/** Hooks into the forward pass; each is ordinary differentiable tfjs code. */
export interface TrickHooks extends ForwardHooks {
  /** Changes the head's input, [batch, featureSize]. */
  features?(features: TF.Tensor2D): TF.Tensor2D;
}

/** A trick of one run. Its functions run inside the compiled step. `seed` [2] int32 differs from step to step. */
export interface TrickOfRun {
  /** Other images to learn from: [batch, height, width, 3] float32, RGB 0..255. */
  images?(images: TF.Tensor4D, seed: TF.Tensor1D): TF.Tensor4D;
  /**
   * Other labels to learn: hard, [batch] int32; or soft, [batch, classes] float32, rows that sum to one. It is given
   * what the trick before it returns.
   */
  labels?(labels: TF.Tensor, seed: TF.Tensor1D): TF.Tensor;
  hooks?(seed: TF.Tensor1D): TrickHooks;
}

/** What a trick does. */
export interface TrickBody<O> {
  /** Why the options do not fit the run; undefined when they do. */
  check?(options: O, run: { batchSize: number; epochs: number }): string | undefined;
  /** The factor of the learning rate in place of `moment.factor`, which the schedule gives. Default: that. */
  rate?(options: O, moment: RateMoment & { factor: number }): number;
  /** The trick of one run. Default: nothing inside the step. @throws KitError when it does not fit the backbone. */
  create?(options: O, context: { backbone: TrickBackbone }): TrickOfRun;
}

/** What a trick may know of the backbone. */
export type TrickBackbone = Pick<Backbone, 'record' | 'residualBlocks' | 'classes'>;

/** All tricks by name. */
export const tricks = new Registry<AnyDefinition<TrickBody<never>>>('trick');

const fields: FieldKinds<TrickBody<never>> = { check: 'function?', rate: 'function?', create: 'function?' };

/** Defines a trick, for the list `tricks` of a spec. */
export function defineTrick<N extends string, O extends z.ZodObject>(
  info: PartInfo<N, O> & TrickBody<z.output<O>>,
): PartDefinition<N, O, TrickBody<z.output<O>>> {
  return definePart(tricks as never, info, info, defineTrick, fields);
}

/** The tricks of a run together, in their order. `seeds` is [tricks, 2] int32, or [2] for one trick. */
export interface Tricks {
  images(images: TF.Tensor4D, seeds: TF.Tensor): TF.Tensor4D;
  labels(labels: TF.Tensor1D, seeds: TF.Tensor): TF.Tensor;
  hooks(seeds: TF.Tensor): ForwardHooks | undefined;
}

/** The tricks `parts` on `backbone`. @throws KitError when one does not fit. */
export function makeTricks(parts: readonly Part[], backbone: TrickBackbone): Tricks {
  const made = parts.map((part) => {
    const { name, body } = tricks.get(part.name);
    const create = () => body.create?.(part as never, { backbone }) ?? {};
    return { name, trick: within('trick', name, create) };
  });
  const seedOf = (seeds: TF.Tensor, i: number): TF.Tensor1D =>
    seeds.rank === 1 ? (seeds as TF.Tensor1D) : seeds.slice([i, 0], [1, 2]).reshape([2]);
  return {
    images: (images, seeds) =>
      made.reduce((given, { name, trick }, i) => {
        if (trick.images === undefined) return given;
        const changed = within('trick', name, () => trick.images!(given.toFloat(), seedOf(seeds, i)));
        return requireTensor(`function images of the trick "${name}"`, changed, given.shape, ['float32']);
      }, images),

    labels: (labels, seeds) =>
      made.reduce<TF.Tensor>((given, { name, trick }, i) => {
        if (trick.labels === undefined) return given;
        const changed = within('trick', name, () => trick.labels!(given, seedOf(seeds, i)));
        const isSoft = changed instanceof tf.Tensor && changed.rank === 2;
        const batch = labels.shape[0];
        return isSoft
          ? requireTensor(`function labels of the trick "${name}"`, changed, [batch, backbone.classes], ['float32'])
          : requireTensor(`function labels of the trick "${name}"`, changed, [batch], ['int32']);
      }, labels),

    hooks(seeds) {
      const all = made.flatMap(({ name, trick }, i) =>
        trick.hooks === undefined ? [] : [{ name, hooks: within('trick', name, () => trick.hooks!(seedOf(seeds, i))) }],
      );
      return all.length === 0 ? undefined : composed(all);
    },
  };
}

/** The hooks of several tricks as one. @throws KitError when two replace the head. */
function composed(all: readonly { name: string; hooks: TrickHooks }[]): ForwardHooks {
  const heads = all.filter(({ hooks }) => hooks.head !== undefined);
  if (heads.length > 1)
    throw new KitError(`The tricks ${heads.map(({ name }) => `"${name}"`).join(' and ')} both replace the head.`, {
      code: 'TRICK_HEADS',
      fix: 'Use one of them. A trick that only changes the input of the head can use the hook `features`.',
    });
  const chain = <X extends TF.Tensor>(x: X, pick: (hooks: TrickHooks) => ((x: X) => X) | undefined): X =>
    all.reduce((value, { name, hooks }) => {
      const change = pick(hooks);
      if (change === undefined) return value;
      return requireTensor(
        `hook of the trick "${name}"`,
        within('trick', name, () => change(value)),
        value.shape,
        ['float32'],
      );
    }, x);
  return {
    residual: (branch, block) =>
      chain<TF.Tensor4D>(branch, (hooks) => hooks.residual && ((x) => hooks.residual!(x, block))),
    tap: (x, stage) => chain<TF.Tensor4D>(x, (hooks) => hooks.tap && ((value) => hooks.tap!(value, stage))),
    head(features, weight, bias) {
      const seen = chain<TF.Tensor2D>(features, (hooks) => hooks.features && ((x) => hooks.features!(x)));
      if (heads.length === 0) return tf.matMul(seen, weight).add<TF.Tensor2D>(bias);
      const [{ name, hooks }] = heads;
      const logits = within('trick', name, () => hooks.head!(seen, weight, bias));
      const shape = [features.shape[0], weight.shape[1]];
      return requireTensor(`hook head of the trick "${name}"`, logits, shape, ['float32']);
    },
  };
}

/**
 * 1 with probability `keep`, else 0: [..shape] float32. Several masks of one step need different values of `index`.
 * @param seed [2] int32, of the step.
 */
export function keepMask(shape: number[], keep: number, seed: TF.Tensor1D, index = 0): TF.Tensor {
  return tf.tidy(() =>
    statelessUniform(shape, index === 0 ? seed : seed.add(tf.tensor1d([0, index], 'int32')))
      .less(keep)
      .toFloat(),
  );
}

/** `x` with the dropped elements set to zero and the rest divided by `keep`: its expectation is x. */
export const inverted = <T extends TF.Tensor>(x: T, mask: TF.Tensor, keep: number): T => x.mul<T>(mask.div(keep));
