// RIFLE (Li et al., ICML 2020, arXiv 2007.03349): the head is re-initialised from time to time during fine-tuning.
import { z } from 'zod';
import { unknownName } from '../../base/errors';
import type { Part } from '../../base/definitions/part';
import type { RandomStream } from '../../base/random';
import { drawHead, type HeadDistribution, type HeadValues } from '../head';
import { cosineFactor } from '../schedules/cosine';
import { defineReset, type Timetable } from './reset';

/** Every choice that the published variants make differently. */
export type RifleOptions = {
  /** The published variant that these choices come from, or `custom`. It names the method in tables. */
  preset: 'authors' | 'haozhe-an' | 'paddle-transfer' | 'rifle-module' | 'custom';
  /** Number of re-initialisations N; the run has N + 1 periods. */
  reinitializations: number;
  /** Epochs in a period; `null`: floor(epochs / (N + 1)). */
  periodEpochs: number | null;
  /** Run only a whole number of periods: epochs := (N + 1) floor(epochs / (N + 1)). */
  wholePeriods: boolean;
  /** `shared`: the head follows the trunk's schedule. `cyclic`: its cosine restarts in every period. */
  headLearningRate: 'shared' | 'cyclic';
  /** Whether the weight [features, classes] is drawn again. */
  resetWeights: boolean;
  /** Whether the bias [classes] is drawn again. */
  resetBias: boolean;
  /** The distribution of the new values. */
  distribution: HeadDistribution;
  /**
   * Whether the drawn values replace the head's values, or are added to them as noise (an ablation: no published
   * variant does).
   */
  draw: 'replace' | 'add';
  /** Set the head's momentum to zero at a reset. None of the published variants does. */
  clearMomentum: boolean;
  /** No reset after any of the last so many epochs. */
  skipLastEpochs: number;
  /** No reset after the very last epoch. Such a reset is after the last evaluation and changes no reported number. */
  skipFinal: boolean;
};

/** RIFLE as a part of a spec. */
export type RifleSpec = { name: 'rifle' } & RifleOptions;

type Choices = Omit<RifleOptions, 'preset'>;

/** What most published variants have in common; none clears the momentum. */
const COMMON: Choices = {
  reinitializations: 3,
  periodEpochs: null,
  wholePeriods: false,
  headLearningRate: 'shared',
  resetWeights: true,
  resetBias: true,
  distribution: 'pytorch-linear',
  draw: 'replace',
  clearMomentum: false,
  skipLastEpochs: 0,
  skipFinal: true,
};

/** The four published variants; what each does differently was read in its code. */
const PRESETS: Record<Exclude<RifleOptions['preset'], 'custom'>, Choices> = {
  // run.sh: P = 2. The reset after the last evaluation is kept, as published.
  authors: { ...COMMON, reinitializations: 1, wholePeriods: true, skipFinal: false },
  // cyclic_num 3, the best of 2, 3, 4 on CUB.
  'haozhe-an': { ...COMMON, reinitializations: 2, distribution: 'kaiming-normal', skipLastEpochs: 5 },
  // After epochs 10, 20 and 30 of 40, the weight alone.
  'paddle-transfer': { ...COMMON, resetBias: false, distribution: 'uniform-classes' },
  // re_init_epoch 5, max_re_num 3. Its default initialiser is Paddle's, which is not known to us; ours is PyTorch's.
  'rifle-module': { ...COMMON, periodEpochs: 5 },
};

/** Where each variant's choices were read. */
const SOURCES: Record<keyof typeof PRESETS, string> = {
  authors: 'lixingjian/RIFLE (commit ba10be2), train.py and run.sh',
  'haozhe-an': 'haozhe-an/RIFLE-Paddle-Implementation (commit 5985eca)',
  'paddle-transfer': 'PaddlePaddle/PaddleTransfer, README and code',
  'rifle-module': 'GT-ZhangAcer/RIFLE_Module and PyPI paddle-rifle',
};

/** The repository in which a published variant was read. */
export const rifleSource = (name: string): string => SOURCES[name as keyof typeof SOURCES];

/** Names of the published variants. */
export const riflePresets: readonly string[] = Object.keys(PRESETS);

/** RIFLE as options of one policy. The defaults are the authors'; other variants: `rifle(preset)`. */
export const rifleReset = defineReset({
  name: 'rifle',
  title: 'RIFLE',
  source: 'Li et al., ICML 2020, arXiv 2007.03349',
  options: z.strictObject({
    preset: z.enum(['authors', 'haozhe-an', 'paddle-transfer', 'rifle-module', 'custom']).default('authors'),
    reinitializations: z.number().int().positive().max(100_000).default(PRESETS.authors.reinitializations),
    periodEpochs: z.number().int().positive().nullable().default(PRESETS.authors.periodEpochs),
    wholePeriods: z.boolean().default(PRESETS.authors.wholePeriods),
    headLearningRate: z.enum(['shared', 'cyclic']).default(PRESETS.authors.headLearningRate),
    resetWeights: z.boolean().default(PRESETS.authors.resetWeights),
    resetBias: z.boolean().default(PRESETS.authors.resetBias),
    distribution: z.enum(['pytorch-linear', 'kaiming-normal', 'uniform-classes']).default(PRESETS.authors.distribution),
    draw: z.enum(['replace', 'add']).default(PRESETS.authors.draw),
    clearMomentum: z.boolean().default(PRESETS.authors.clearMomentum),
    skipLastEpochs: z.number().int().nonnegative().default(PRESETS.authors.skipLastEpochs),
    skipFinal: z.boolean().default(PRESETS.authors.skipFinal),
  }),
  fill: withPreset,
  check: ({ reinitializations, resetWeights, resetBias }, { epochs }) =>
    epochs < reinitializations + 1
      ? `RIFLE with ${reinitializations} re-initialisations needs at least ${reinitializations + 1} epochs, ` +
        `found ${epochs}`
      : resetWeights || resetBias
        ? undefined
        : 'RIFLE with `resetWeights` and `resetBias` both false re-initialises nothing',
  timetable: rifleTimetable,
  rate: ({ headLearningRate }, { group, epoch, period, factor }) =>
    group === 'head' && headLearningRate === 'cyclic' ? cosineFactor((epoch % period) / period) : factor,
  values(options, { backbone, stream, current }) {
    const { weight, bias } = backbone.record.head;
    const drawn = resetHead(options, stream(), backbone.record.featureSize, backbone.classes);
    const values: Record<string, Float32Array> = {
      ...(drawn.weight ? { [weight]: drawn.weight } : {}),
      ...(drawn.bias ? { [bias]: drawn.bias } : {}),
    };
    if (options.draw === 'add')
      for (const [name, old] of Object.entries(current(Object.keys(values))))
        old.forEach((value, i) => (values[name][i] += value));
    return values;
  },
  clearMomentum: ({ clearMomentum }) => clearMomentum,
});

/** Options of a named preset have the preset's values where they are left out. With other values it is `custom`. */
function withPreset(given: Record<string, unknown>): Record<string, unknown> {
  const choices = PRESETS[(given.preset ?? 'authors') as keyof typeof PRESETS] as Choices | undefined;
  if (choices === undefined) return given;
  const differs = Object.entries(choices).some(([option, value]) => option in given && given[option] !== value);
  return { ...choices, ...given, ...(differs ? { preset: 'custom' } : {}) };
}

/**
 * A published variant of RIFLE, or with `changes` a variant of one's own, for the field `reset` of a spec.
 * @param name `authors` (default), `haozhe-an`, `paddle-transfer` or `rifle-module`.
 * @throws KitError for another name.
 */
export function rifle(name = 'authors', changes: Partial<Choices> = {}): RifleSpec {
  const choices = PRESETS[name as keyof typeof PRESETS];
  if (choices === undefined) throw unknownName('preset of RIFLE', name, riflePresets);
  const preset = Object.keys(changes).length === 0 ? (name as RifleOptions['preset']) : 'custom';
  return { name: 'rifle', preset, ...choices, ...changes };
}

/** RIFLE's options in a spec; null when it has no reset, or another policy. */
export const rifleOf = ({ reset }: { reset: Part | null }): RifleOptions | null => rifleReset.of(reset);

/**
 * With N re-initialisations a period is u = floor(epochs / (N + 1)) epochs, and the head is reset after the epochs u,
 * 2u, ..., Nu; also after the very last epoch if a period ends there, unless `skipFinal`.
 */
function rifleTimetable(choices: Choices, epochs: number): Timetable {
  const periods = choices.reinitializations + 1;
  const period = choices.periodEpochs ?? Math.floor(epochs / periods);
  const run = choices.wholePeriods ? Math.min(epochs, periods * period) : epochs;
  const last = choices.skipLastEpochs > 0 ? run - choices.skipLastEpochs : run;
  const ends = Array.from({ length: periods }, (_, k) => (k + 1) * period);
  const resets = ends.filter((end, k) => {
    if (end === run) return !choices.skipFinal && end <= last;
    return k < choices.reinitializations && end <= last;
  });
  return { epochs: run, period, resets };
}

/**
 * New values of the head, drawn from `stream`. Parts that are not reset are absent.
 *
 * The head of an auxiliary classifier (`inception_v3_aux.tv_in1k`) is not reset: the authors call `reset_parameters` of
 * the one `fc` of a network that they make with `aux_logits=False`, and no published variant has an auxiliary
 * classifier.
 */
export function resetHead(
  { distribution, resetWeights, resetBias }: Pick<RifleOptions, 'distribution' | 'resetWeights' | 'resetBias'>,
  stream: RandomStream,
  features: number,
  classes: number,
): Partial<HeadValues> {
  const { weight, bias } = drawHead(distribution, features, classes, stream);
  return { ...(resetWeights ? { weight } : {}), ...(resetBias ? { bias } : {}) };
}
