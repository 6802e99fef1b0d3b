// What a run is: a value, validated with zod, that decides every number the run produces.
import { z } from 'zod';
import { KitError, nearNames } from '../base/errors';
import { isNewerKit, kitVersion } from '../base/home';
import { PRECISIONS, type Precision } from '../engine/passes/precision';

/**
 * How the learning rate falls over the run. `cosine` is the authors': once per epoch, lr(e) = lr0 (1 + cos(pi e / E)) /
 * 2.
 */
export type ScheduleSpec =
  | { name: 'cosine' }
  /** lr0 x `factor` from `at` (a fraction of all epochs) on. */
  | { name: 'step'; at: number; factor: number }
  | { name: 'constant' };

/**
 * What keeps the weights from moving too far, added to the cross entropy (or, for `l2`, to the gradient). Formulas:
 * `regularizers.ts`.
 */
export type RegularizerSpec =
  /** Weight decay of the optimizer on all parameters, statistics excepted. */
  | { name: 'l2' }
  /**
   * L2-SP: alpha/2 |w - w0|^2 on the trunk, beta/2 |w|^2 on the head; the optimizer's weight decay is then not used.
   */
  | { name: 'l2-sp'; alpha: number; beta: number }
  /**
   * DELTA: alpha times the weighted distance of the feature maps from the pretrained network's, beta/2 |w|^2 on the
   * head; no weight decay.
   */
  | { name: 'delta'; alpha: number; beta: number }
  /**
   * Batch spectral shrinkage: eta times the sum of the `k` smallest squared singular values of the batch's features;
   * beside the weight decay.
   */
  | { name: 'bss'; eta: number; k: number };

/** A trick that RIFLE is compared with; each acts in training alone. Formulas: `tricks.ts`. */
export type TrickSpec =
  | { name: 'none' }
  /** Drops features with probability `rate`: the head's input, or the output of every stage. */
  | { name: 'dropout'; rate: number; at: 'head' | 'stages' }
  /**
   * Drops the head's weights with probability `rate`, for each image anew; or (`sample`, in the authors' code, unused
   * there) an image's whole features.
   */
  | { name: 'dropconnect'; rate: number; unit: 'weight' | 'sample' }
  /**
   * Drops the branch of a residual block for an image; the last block survives with probability `survival`, the others
   * linearly more often.
   */
  | { name: 'stochastic-depth'; survival: number }
  /** Draws a label anew, uniformly over all classes, with probability `rate`. */
  | { name: 'disturb-label'; rate: number }
  /** The whole network's cosine restarts: so many cycles of equal length in a run. */
  | { name: 'cyclic-lr'; cycles: number };

/** From what a re-initialised head is drawn; d is the number of features, C of classes. */
export type HeadDistribution =
  /** PyTorch's nn.Linear: uniform in +-1/sqrt(d), weight and bias. */
  | 'pytorch-linear'
  /** Normal, std sqrt(2/d) for the weight and sqrt(2/C) for the bias (haozhe-an's code). */
  | 'kaiming-normal'
  /** Uniform in +-1/sqrt(C) (PaddleTransfer's code, whose weight is stored [d, C]). */
  | 'uniform-classes';

/**
 * Re-initialisation of the head while the network is fine-tuned, with every choice that the published variants make
 * differently.
 */
export interface RifleSpec {
  /**
   * The published variant that these choices come from, or `custom`; it names the method in tables and changes no
   * number.
   */
  preset: 'authors' | 'haozhe-an' | 'paddle-transfer' | 'rifle-module' | 'custom';
  /** Number of re-initialisations N; the run has N + 1 periods. */
  reinitializations: number;
  /** Epochs in a period; `null`: floor(epochs / (N + 1)). */
  periodEpochs: number | null;
  /** Run only a whole number of periods: epochs := (N + 1) floor(epochs / (N + 1)). */
  wholePeriods: boolean;
  /** `shared`: the head follows the trunk's schedule. `cyclic`: its cosine restarts in every period. */
  headLearningRate: 'shared' | 'cyclic';
  /** Whether the weight [features, classes] is drawn anew. */
  resetWeights: boolean;
  /** Whether the bias [classes] is drawn anew. */
  resetBias: boolean;
  /** What the new values are drawn from. */
  distribution: HeadDistribution;
  /**
   * Whether what is drawn takes the place of the head's values, or is added to them as noise (an ablation: no published
   * variant does).
   */
  draw: 'replace' | 'add';
  /** Set the head's momentum to zero at a reset. None of the published variants does. */
  clearMomentum: boolean;
  /** No reset after any of the last so many epochs. */
  skipLastEpochs: number;
  /**
   * No reset after the very last epoch. Such a reset comes after the last evaluation and changes no reported number.
   */
  skipFinal: boolean;
}

/** One fine-tuning run: everything that its numbers depend on. Times and places are not part of it. */
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
  optimizer: {
    /** Base learning rate. Default 0.01 (the authors'). */
    learningRate: number;
    /**
     * The head's base learning rate is so many times the trunk's: a new head may learn faster than what is pretrained.
     * Default 1 (the authors').
     */
    headFactor: number;
    /** Momentum of SGD. Default 0.9 (the authors'). */
    momentum: number;
    /** L2 coefficient added to the gradient of every parameter. Default 1e-4 (the authors'). */
    weightDecay: number;
    /** Nesterov's form. Default false (the authors'). */
    nesterov: boolean;
  };
  /** Default `{name: 'cosine'}` (the authors'). */
  schedule: ScheduleSpec;
  /** A name alone stands for its defaults. Default `{name: 'l2'}`. */
  regularizer: RegularizerSpec;
  /** A trick from the comparison of the paper. A name alone stands for its defaults. Default `{name: 'none'}`. */
  trick: TrickSpec;
  /** Re-initialisation of the head; `null`: plain fine-tuning. Default `null`. */
  rifle: RifleSpec | null;
  /**
   * What the compiled step computes in. `bfloat16` and `float16` are for cards with tensor cores; weights, their
   * updates and batch norm's statistics
   * stay float32 (`src/engine/passes/precision.ts`), and float16 scales its loss (`loss-scale.ts`). Default `float32`.
   */
  precision: Precision;
  /** The one seed that every random stream of the run comes from. Default 0. */
  seed: number;
  /**
   * Which images tell the accuracy. `validation`: a fifth of the training images of each class, taken out of training,
   * the same for every seed;
   * the test images are then not looked at. For choosing hyper-parameters. Default `test`.
   */
  evaluateOn: 'test' | 'validation';
  limits: {
    /**
     * Training images per class, drawn with a seed of its own that is the same for all runs; `null`: all. Default
     * `null`.
     */
    trainPerClass: number | null;
    /** Test images per class, likewise. Default `null`. */
    testPerClass: number | null;
  };
}

const fraction = z.number().gt(0).lt(1);
const count = z.number().int().positive();

const rifleSchema = z.strictObject({
  preset: z.enum(['authors', 'haozhe-an', 'paddle-transfer', 'rifle-module', 'custom']),
  reinitializations: count,
  periodEpochs: count.nullable(),
  wholePeriods: z.boolean(),
  headLearningRate: z.enum(['shared', 'cyclic']),
  resetWeights: z.boolean(),
  resetBias: z.boolean(),
  distribution: z.enum(['pytorch-linear', 'kaiming-normal', 'uniform-classes']),
  draw: z.enum(['replace', 'add']).default('replace'),
  clearMomentum: z.boolean(),
  skipLastEpochs: z.number().int().nonnegative(),
  skipFinal: z.boolean(),
});

/** A bare name is that choice with its defaults. */
const named = (choice: unknown): unknown => (typeof choice === 'string' ? { name: choice } : choice);

// Defaults: `methods.ts` says where each comes from.
const coefficient = z.number().min(0);
const regularizerSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('l2') }),
  z.strictObject({ name: z.literal('l2-sp'), alpha: coefficient.default(0.01), beta: coefficient.default(1e-4) }),
  z.strictObject({ name: z.literal('delta'), alpha: coefficient.default(0.001), beta: coefficient.default(0.01) }),
  z.strictObject({ name: z.literal('bss'), eta: coefficient.default(1e-3), k: count.default(1) }),
]);
const trickSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('none') }),
  z.strictObject({
    name: z.literal('dropout'),
    rate: fraction.default(0.2),
    at: z.enum(['head', 'stages']).default('head'),
  }),
  z.strictObject({
    name: z.literal('dropconnect'),
    rate: fraction.default(0.2),
    unit: z.enum(['weight', 'sample']).default('weight'),
  }),
  z.strictObject({ name: z.literal('stochastic-depth'), survival: fraction.default(0.8) }),
  z.strictObject({ name: z.literal('disturb-label'), rate: fraction.default(0.2) }),
  z.strictObject({ name: z.literal('cyclic-lr'), cycles: z.number().int().min(2).default(2) }),
]);

const runSchema = z.strictObject({
  dataset: z.string().min(1),
  backbone: z.string().min(1),
  weights: z.string().min(1).default('imagenet'),
  imageSize: z.number().int().min(32).nullable().default(null),
  resizeSize: z.number().int().min(32).nullable().default(null),
  epochs: count.default(40),
  batchSize: count.default(32),
  optimizer: z
    .strictObject({
      learningRate: z.number().positive().default(0.01),
      headFactor: z.number().positive().default(1),
      momentum: z.number().min(0).lt(1).default(0.9),
      weightDecay: z.number().min(0).default(1e-4),
      nesterov: z.boolean().default(false),
    })
    .prefault({}),
  schedule: z
    .discriminatedUnion('name', [
      z.strictObject({ name: z.literal('cosine') }),
      z.strictObject({ name: z.literal('step'), at: fraction, factor: z.number().positive() }),
      z.strictObject({ name: z.literal('constant') }),
    ])
    .default({ name: 'cosine' }),
  regularizer: z.preprocess(named, regularizerSchema).default({ name: 'l2' }),
  trick: z.preprocess(named, trickSchema).default({ name: 'none' }),
  rifle: rifleSchema.nullable().default(null),
  precision: z.enum(PRECISIONS).default('float32'),
  seed: z.number().int().nonnegative().max(0xffffffff).default(0),
  evaluateOn: z.enum(['test', 'validation']).default('test'),
  limits: z
    .strictObject({
      trainPerClass: count.nullable().default(null),
      testPerClass: count.nullable().default(null),
    })
    .prefault({}),
});

/** A spec as people write it: whatever has a default may be left out. */
export type RunSpecInput = {
  dataset: string;
  backbone: string;
  /**
   * Version of the kit that wrote the spec, as `rifle train --print-spec` tells it. No number depends on it: it
   * explains fields that are not known.
   */
  kit?: string;
} & {
  [K in Exclude<keyof RunSpec, 'dataset' | 'backbone' | 'optimizer' | 'limits' | 'regularizer' | 'trick'>]?: RunSpec[K];
} & {
  optimizer?: Partial<RunSpec['optimizer']>;
  limits?: Partial<RunSpec['limits']>;
  regularizer?: RegularizerSpec | RegularizerSpec['name'];
  trick?: TrickSpec | TrickSpec['name'];
};

/**
 * The complete spec of `input`, with defaults filled in.
 * @throws KitError that names every field that is unknown, missing or out of range, and the nearest known name; and
 *   that says so when the spec was
 *   written by a newer kit.
 */
export function parseRunSpec(input: unknown): RunSpec {
  const { kit, written } = withoutKit(input);
  const parsed = runSchema.safeParse(written);
  if (parsed.success) return checkTogether(parsed.data);
  const problems = parsed.error.issues.map((issue) => describe(issue, written));
  if (kit !== null && isNewerKit(kit)) {
    throw new KitError(
      `The run's spec is from rifle-kit ${kit}, which is newer than this one (${kitVersion()}), and says what this one does not know: ${problems.join('; ')}.`,
      {
        fix: `Update the kit to ${kit}; a run without what is not known would be another run.`,
      },
    );
  }
  throw new KitError(`The run's spec is not valid:\n${problems.map((p) => `  - ${p}`).join('\n')}`, {
    fix: 'See `npx rifle train --help` or the doc comment of RunSpec for every field.',
  });
}

/** The version of the kit that wrote a spec, if it says so, and the spec itself. */
function withoutKit(input: unknown): { kit: string | null; written: unknown } {
  if (typeof input !== 'object' || input === null || typeof (input as { kit?: unknown }).kit !== 'string')
    return { kit: null, written: input };
  const { kit, ...written } = input as { kit: string };
  return { kit, written };
}

/** What no single field can tell. */
function checkTogether(spec: RunSpec): RunSpec {
  const { rifle, epochs, regularizer, batchSize, trick } = spec;
  if (rifle && epochs < rifle.reinitializations + 1) {
    throw new KitError(
      `RIFLE with ${rifle.reinitializations} re-initialisations needs at least ${rifle.reinitializations + 1} epochs, found ${epochs}.`,
      { fix: 'Raise `epochs` or lower `rifle.reinitializations`.' },
    );
  }
  if (regularizer.name === 'bss' && regularizer.k > batchSize) {
    throw new KitError(
      `BSS shrinks the ${regularizer.k} smallest singular values, but a batch of ${batchSize} images has only ${batchSize}.`,
      { fix: 'Lower `regularizer.k`.' },
    );
  }
  if (trick.name === 'cyclic-lr' && trick.cycles > epochs) {
    throw new KitError(`${trick.cycles} cycles of the learning rate need at least as many epochs, found ${epochs}.`, {
      fix: 'Raise `epochs` or lower `trick.cycles`.',
    });
  }
  if (rifle && !rifle.resetWeights && !rifle.resetBias) {
    throw new KitError('RIFLE with `resetWeights` and `resetBias` both false re-initialises nothing.', {
      fix: 'Set one of them, or `rifle` to null.',
    });
  }
  return spec;
}

function describe(issue: z.core.$ZodIssue, input: unknown): string {
  const at = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${at || 'spec'}: ${issue.message}`;
  const known = knownFields(issue.path, input);
  return issue.keys
    .map((key) => {
      const near = nearNames(key, known);
      return `${at ? `${at}.` : ''}${key}: unknown field${near.length > 0 ? `; did you mean ${near.join(' or ')}?` : `; known: ${known.join(', ')}`}`;
    })
    .join('; ');
}

/** The field names that stand beside an unknown one. */
function knownFields(path: readonly PropertyKey[], input: unknown): string[] {
  if (path.length === 0) return Object.keys(runSchema.shape);
  if (path[0] === 'rifle') return Object.keys(rifleSchema.shape);
  const complete = runSchema.safeParse({ dataset: 'd', backbone: 'b' });
  const fields = complete.success ? (complete.data as Record<PropertyKey, unknown>)[path[0]] : input;
  return typeof fields === 'object' && fields !== null ? Object.keys(fields) : [];
}
