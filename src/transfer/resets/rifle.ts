// RIFLE (Li et al., ICML 2020, arXiv 2007.03349): the head is re-initialised now and then while the network is
// fine-tuned.
import { KitError, unknownName } from '../../base/errors';
import { drawHead, type HeadValues } from '../head';
import { randomStream } from '../../base/random';
import type { RifleSpec, RunSpec } from '../spec';

type Choices = Omit<RifleSpec, 'preset'>;

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
const PRESETS: Record<Exclude<RifleSpec['preset'], 'custom'>, Choices> = {
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
export const presetSource = (name: string): string => SOURCES[name as keyof typeof SOURCES];

/** Names of the published variants. */
export const riflePresets: readonly string[] = Object.keys(PRESETS);

/**
 * A published variant of RIFLE, or with `changes` a variant of one's own.
 * @param name `authors` (default), `haozhe-an`, `paddle-transfer` or `rifle-module`.
 * @throws KitError for another name.
 */
export function rifle(name = 'authors', changes: Partial<Choices> = {}): RifleSpec {
  const choices = PRESETS[name as keyof typeof PRESETS];
  if (choices === undefined) throw unknownName('preset of RIFLE', name, riflePresets);
  const preset = Object.keys(changes).length === 0 ? (name as RifleSpec['preset']) : 'custom';
  return { preset, ...choices, ...changes };
}

/** When a run is trained and its head re-initialised. */
export interface Timetable {
  /** Epochs that are run. */
  epochs: number;
  /** Epochs in a period. */
  period: number;
  /** Epochs (1-based) after whose evaluation the head is re-initialised. */
  resets: number[];
}

/**
 * The timetable of `spec`. With N re-initialisations a period is u = floor(epochs / (N + 1)) epochs, and the head is
 * reset after
 * epochs u, 2u, ..., Nu; also after the very last epoch where a period ends there, unless `skipFinal`.
 * @throws KitError when the head would never be reset before the last evaluation: that would be plain fine-tuning under
 *   another name.
 */
export function timetable({ epochs, rifle: choices }: Pick<RunSpec, 'epochs' | 'rifle'>): Timetable {
  if (choices === null) return { epochs, period: epochs, resets: [] };
  const periods = choices.reinitializations + 1;
  const period = choices.periodEpochs ?? Math.floor(epochs / periods);
  const run = choices.wholePeriods ? Math.min(epochs, periods * period) : epochs;
  const last = choices.skipLastEpochs > 0 ? run - choices.skipLastEpochs : run;
  const ends = Array.from({ length: periods }, (_, k) => (k + 1) * period);
  const resets = ends.filter((end, k) => {
    if (end === run) return !choices.skipFinal && end <= last;
    return k < choices.reinitializations && end <= last;
  });
  if (!resets.some((epoch) => epoch < run)) {
    throw new KitError(
      `RIFLE (${choices.preset}) would never re-initialise the head within ${run} epochs: its first period ends after epoch ${period}.`,
      {
        code: 'RESET_NEVER',
        fix: 'Raise `epochs`, lower `rifle.reinitializations`, or see `periodEpochs` and `skipLastEpochs`.',
      },
    );
  }
  return { epochs: run, period, resets };
}

/**
 * New values of the head after `epoch` (1-based): from the stream `reset` of the run's seed. Parts that are not reset
 * are absent.
 * The head of an auxiliary classifier (`inception_v3_aux.tv_in1k`) is no part of this: the authors call
 * `reset_parameters` of the one `fc` of a
 * network that they make with `aux_logits=False`, and no published variant has an auxiliary classifier. It goes on
 * learning through a reset.
 */
export function resetHead(
  choices: RifleSpec,
  seed: number,
  epoch: number,
  features: number,
  classes: number,
): Partial<HeadValues> {
  const { weight, bias } = drawHead(choices.distribution, features, classes, randomStream(seed, 'reset', epoch));
  return { ...(choices.resetWeights ? { weight } : {}), ...(choices.resetBias ? { bias } : {}) };
}
