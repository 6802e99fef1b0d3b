// What a run is: a value, validated with zod, that decides every number the run produces.
import { z } from 'zod';
import { partSchema, problemOf, type Part } from '../../base/definitions/part';
import { KitError } from '../../base/errors';
import { isNewerKit, kitVersion } from '../../base/home';
import { PRECISIONS, type Precision } from '../../engine/passes/precision';
import { withoutOlderFields, type OlderSpecFields } from './older-spec';
import { SAMPLINGS, type Sampling } from '../../data/batches/sampling';
import type { OptimizerOptions, OptimizerPart } from '../optimizers/optimizer';
import { partKinds, partsOf } from './parts';

/** The images that one number was measured on. */
export type EvaluatedSplit = 'test' | 'validation';

/** One fine-tuning run: everything that its numbers depend on. */
export interface RunSpec {
  /** Name in the catalog, or the path of a folder `train/<class>/*`, `test/<class>/*`. */
  dataset: string;
  /** Backbone id, for example `efficientnet_lite0.tf_in1k`. */
  backbone: string;
  /** `imagenet`, `random`, or the path of a weights file. Default `imagenet`. */
  weights: string;
  /** Side of the square crop in pixels; `null`: the backbone's own. Default `null`. */
  imageSize: number | null;
  /**
   * Length of an image's short side before the crop, in pixels; `null`: the backbone's ratio of resize to crop. Default
   * `null`.
   */
  resizeSize: number | null;
  /** Passes over the training images. Default 40 (the authors'). */
  epochs: number;
  /** Images in a step; the last, smaller batch of an epoch is trained on too. Default 32 (the authors'). */
  batchSize: number;
  /** How training images are cut and changed. Default `flip-crop` (the authors'). */
  augmentation: Part;
  /** The optimizer, its learning rates and its weight decay. Default `sgd`, with the authors' values. */
  optimizer: OptimizerPart;
  /** The factor of the learning rate over the run. Default `cosine` (the authors'). */
  schedule: Part;
  /** What keeps the weights small or near their start, besides the optimizer's weight decay. Default: none. */
  regularizers: readonly Part[];
  /** What a training step sees instead of its images and labels. The order counts. Default: none. */
  tricks: readonly Part[];
  /** Re-initialisation of the head or of later layers; `null`: plain fine-tuning. Default `null`. */
  reset: Part | null;
  /**
   * What the compiled step computes in. `bfloat16` and `float16` are for cards with tensor cores. Weights, their
   * updates and the statistics of batch norm stay float32 (`src/engine/passes/precision.ts`), and float16 scales its
   * loss (`loss-scale.ts`). Default `float32`.
   */
  precision: Precision;
  /** The one seed that every random stream of the run comes from. Default 0. */
  seed: number;
  /**
   * The images that accuracies are measured on. `validation`: a fifth of the training images of each class, taken out
   * of training, the same for every seed (or the data set's own validation images); the test images are then not used.
   * For choosing hyper-parameters. `both`: the best epoch is chosen on these validation images, and the test images are
   * evaluated at that epoch: three splits in one run. Default `test`.
   */
  evaluateOn: EvaluatedSplit | 'both';
  /**
   * Early stopping of plain fine-tuning: the run ends after this many epochs without a higher validation top-1. It
   * needs `evaluateOn` `validation` or `both`. Default `null`: the run takes all epochs.
   */
  patience: number | null;
  /**
   * Weights of the classes in the loss of training, which is divided by the sum of the weights in a batch (PyTorch's
   * `CrossEntropyLoss(weight)`). `balanced`: n / (classes x n of the class), over the training images; or a weight
   * above 0 for every class, by name. Losses of evaluation have no weights. Default `null`: none.
   */
  classWeights: 'balanced' | Readonly<Record<string, number>> | null;
  /**
   * Which training images an epoch shows. `shuffle`: each once. `balanced`: as many images, but the same number of each
   * class; images of small classes are repeated, and large classes show other images in each epoch. Default `shuffle`.
   */
  sampling: Sampling;
  /**
   * Cross-validation: one fold of the images, `index` from 0, is test, and the `of - 1` others are training. The folds
   * are stratified, the same for every seed, and never divide a group. Where the data set has a split of its own, its
   * training images alone are dealt. Default `null`: the split of the data set.
   */
  fold: { of: number; index: number } | null;
  /**
   * Evaluates after every so many epochs, and always after the last. The rows of the other epochs have NaN as `loss`
   * and `top1`. Nothing else depends on it. Default: absent, which is every epoch.
   */
  evaluateEvery?: number;
  limits: {
    /** The first so many classes of the data set, in its order. Default: absent, which is all. */
    classes?: number;
    /**
     * Training images per class, drawn with a seed of its own that is the same for all runs; `null`: all. Default
     * `null`.
     */
    trainPerClass: number | null;
    /** Test images per class, likewise. Default `null`. */
    testPerClass: number | null;
  };
}

const count = z.number().int().positive().max(0x7fffffff);

/** A list of parts. */
const listOf = (schema: z.ZodType<Part>) => z.array(schema).default([]);

/** An optimizer without a name is SGD. */
const named = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !('name' in value) ? { name: 'sgd', ...value } : value;

const runSchema = z.strictObject({
  dataset: z.string().min(1),
  backbone: z.string().min(1),
  weights: z.string().min(1).default('imagenet'),
  imageSize: z.number().int().min(32).nullable().default(null),
  resizeSize: z.number().int().min(32).nullable().default(null),
  epochs: count.max(100_000).default(40),
  batchSize: count.default(32),
  augmentation: partSchema(partKinds.augmentations).prefault('flip-crop'),
  optimizer: z.preprocess(named, partSchema(partKinds.optimizers)).prefault('sgd'),
  schedule: partSchema(partKinds.schedules).prefault('cosine'),
  regularizers: listOf(partSchema(partKinds.regularizers)),
  tricks: listOf(partSchema(partKinds.tricks)),
  reset: partSchema(partKinds.resets).nullable().default(null),
  precision: z.enum(PRECISIONS).default('float32'),
  seed: z.number().int().nonnegative().max(0xffffffff).default(0),
  evaluateOn: z.enum(['test', 'validation', 'both']).default('test'),
  patience: count.max(100_000).nullable().default(null),
  classWeights: z
    .union([z.literal('balanced'), z.record(z.string().max(4096), z.number().positive().max(1e9))], {
      error: 'expected "balanced", or a number above 0 for every class: {"cat": 1, "dog": 3}',
    })
    .nullable()
    .default(null),
  sampling: z.enum(SAMPLINGS).default('shuffle'),
  fold: z
    .strictObject({ of: z.number().int().min(2).max(1000), index: z.number().int().nonnegative() })
    .refine(({ of, index }) => index < of, { error: 'expected an index from 0 that is smaller than `of`' })
    .nullable()
    .default(null),
  evaluateEvery: count.optional(),
  limits: z
    .strictObject({
      classes: count.min(2).optional(),
      trainPerClass: count.nullable().default(null),
      testPerClass: count.nullable().default(null),
    })
    .prefault({}),
});

/**
 * A spec as people write it: a field with a default may be left out, a part may be its name alone, or the value of a
 * definition (`delta({ alpha: 0.1 })`). Fields of older kits are translated.
 */
export type RunSpecInput = {
  dataset: string;
  backbone: string;
  /** Version of the kit that wrote the spec. No number depends on it: it explains unknown fields. */
  kit?: string;
  augmentation?: Part | string;
  optimizer?: Partial<OptimizerOptions> & { name?: string; [option: string]: unknown };
  schedule?: Part | string;
  regularizers?: readonly (Part | string)[];
  tricks?: readonly (Part | string)[];
  reset?: Part | string | null;
  limits?: Partial<RunSpec['limits']>;
} & OlderSpecFields &
  Partial<
    Pick<
      RunSpec,
      | 'weights'
      | 'imageSize'
      | 'resizeSize'
      | 'epochs'
      | 'batchSize'
      | 'precision'
      | 'seed'
      | 'evaluateOn'
      | 'patience'
      | 'classWeights'
      | 'sampling'
      | 'fold'
      | 'evaluateEvery'
    >
  >;

/** The values that a spec has where it says nothing. */
export const defaultSpec = (): Omit<RunSpec, 'dataset' | 'backbone'> => {
  const { dataset: _d, backbone: _b, ...rest } = runSchema.parse({ dataset: 'none', backbone: 'none' });
  return rest as unknown as Omit<RunSpec, 'dataset' | 'backbone'>;
};

/**
 * The complete spec of `input`, with defaults filled in.
 * @throws KitError that names every unknown, missing or wrong field with the nearest known name, and every unknown
 *   definition; for a spec of a newer kit it says so.
 */
export function parseRunSpec(input: unknown): RunSpec {
  const { kit, written } = withoutKit(input);
  const parsed = runSchema.safeParse(withoutOlderFields(written));
  if (parsed.success) return checkTogether(parsed.data as unknown as RunSpec);
  const problems = parsed.error.issues.flatMap((issue) =>
    problemOf(issue, runSchema).map(({ path, message }) => `${path.map(String).join('.') || 'spec'}: ${message}`),
  );
  if (kit !== null && isNewerKit(kit))
    throw new KitError(
      `The spec of the run was written by rifle-kit ${kit}. This is ${kitVersion()}, which does not know: ` +
        `${problems.join('; ')}.`,
      { code: 'SPEC_NEWER_KIT', fix: `Update the kit to ${kit}. Without these fields it would be another run.` },
    );
  throw new KitError(`The spec of the run is not valid:\n${problems.map((p) => `  - ${p}`).join('\n')}`, {
    code: 'SPEC_INVALID',
    fix: 'See `npx rifle train --help`, or the doc comment of RunSpec for every field.',
  });
}

/** The version of the kit that wrote a spec (null if it does not say), and the spec itself. */
function withoutKit(input: unknown): { kit: string | null; written: unknown } {
  if (typeof input !== 'object' || input === null || typeof (input as { kit?: unknown }).kit !== 'string')
    return { kit: null, written: input };
  const { kit, ...written } = input as { kit: string };
  return { kit, written };
}

/** Checks that each part fits the run. */
function checkTogether({ evaluateEvery, ...rest }: RunSpec): RunSpec {
  const spec: RunSpec = (evaluateEvery ?? 1) === 1 ? rest : { ...rest, evaluateEvery };
  if (spec.patience !== null && (spec.evaluateOn === 'test' || spec.reset !== null))
    throw new KitError(
      spec.evaluateOn === 'test'
        ? '`patience` needs validation images: a run must not be stopped by its test images.'
        : `\`patience\` is for plain fine-tuning: the reset policy "${spec.reset!.name}" needs its whole timetable.`,
      {
        code: 'SPEC_PATIENCE',
        fix: spec.evaluateOn === 'test' ? 'Set `evaluateOn` to `both` or `validation`.' : 'Remove `patience`.',
      },
    );
  for (const { path, part, registry } of partsOf(spec)) {
    const { check } = registry.get(part.name).body as { check?: (options: Part, run: RunSpec) => string | undefined };
    const problem = check?.(part, spec);
    if (problem !== undefined)
      throw new KitError(`${problem}.`, {
        code: 'SPEC_PARTS',
        fix: `Change \`${path}\`, or the fields it depends on.`,
      });
  }
  return spec;
}
