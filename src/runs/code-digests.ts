// What the code of a run computes, in short digests: a tripwire for code that changed without a new version.
import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import type { Backbone } from '../backbones/backbone';
import { requireBackbone } from '../backbones/define-backbone';
import { KitError } from '../base/errors';
import { kitVersion } from '../base/home';
import { randomStream } from '../base/random';
import { augmentations } from '../data/augmentations/augmentation';
import type { Dataset } from '../data/dataset';
import { EVALUATION_BATCH } from '../data/batches/batches';
import { graphDigest } from '../engine/graph/digest';
import type { GraphNode } from '../engine/graph/saved-model';
import { graphOfSteps } from '../transfer/compiled-steps';
import { changesWithinEpoch, ratesAt } from '../transfer/rates';
import type { Prepared } from '../transfer/regularizers/regularizer';
import { resetValues, timetable } from '../transfer/resets/reset';
import { partsOf } from '../transfer/spec/parts';
import type { RunSpec } from '../transfer/spec/spec';
import { makeSteps } from '../transfer/step';
import { kitCommit } from './store/format/environment';
import type { CodeDigests } from './store/record';

/** A run, as far as its code depends on it. */
export interface DigestedRun {
  /** With its sizes. */
  spec: RunSpec & { imageSize: number };
  /** Numbers of images. */
  train: number;
  validation?: number;
  test: number;
}

/** The numbers of images of `dataset`. */
export const countsOf = ({
  train,
  validation,
  test,
}: Pick<Dataset, 'train' | 'validation' | 'test'>): Omit<DigestedRun, 'spec'> => ({
  train: train.length,
  ...(validation === undefined ? {} : { validation: validation.length }),
  test: test.length,
});

/** The kit that makes digests now: its version, and in a repository its commit. Others may record other graphs. */
const kitNow = (): string => {
  const commit = kitCommit();
  return commit === null ? kitVersion() : `${kitVersion()}+${commit.slice(0, 12)}`;
};

/** The parts of `spec` that a study adds, by the digest that their code is in. */
function guestsOf(spec: RunSpec): Record<'step' | 'rates' | 'reset' | 'augmentation', string[]> {
  const named = (...fields: string[]): string[] => [
    ...new Set(
      partsOf(spec)
        .filter(({ path, part }) => fields.includes(path.split('.')[0]) && part.name.includes('/'))
        .map(({ part }) => part.name),
    ),
  ];
  return {
    step: [...(spec.backbone.includes('/') ? [spec.backbone] : []), ...named('regularizers', 'tricks', 'optimizer')],
    rates: named('schedule', 'tricks', 'reset'),
    reset: named('reset'),
    augmentation: named('augmentation'),
  };
}

/** Whether `spec` uses a definition that is not the kit's own. */
export const usesGuests = (spec: RunSpec): boolean => Object.values(guestsOf(spec)).some((names) => names.length > 0);

/**
 * The digests of the code of a run. They depend on no machine, path or number of threads.
 * @param nodes of the compiled steps, where they are at hand and no regularizer prepared anything. Default: the steps
 *   are recorded here.
 * @param prepared lengths of the arrays that each regularizer prepared. Stand-ins take their place in the graph.
 */
export function codeDigests(
  run: DigestedRun,
  backbone: Backbone,
  { nodes, prepared }: { nodes?: readonly GraphNode[]; prepared: NonNullable<CodeDigests['prepared']> },
): CodeDigests {
  const { spec } = run;
  const guests = guestsOf(spec);
  const isPrepared = prepared.some((lengths) => Object.keys(lengths).length > 0);
  return {
    kit: kitNow(),
    step: nodes !== undefined && !isPrepared ? graphDigest(nodes) : recordedDigest(run, backbone, prepared),
    rates: digestOf(ratesOf(run)),
    ...(guests.reset.length > 0 ? { reset: digestOf(resetsOf(spec, backbone)) } : {}),
    ...(guests.augmentation.length > 0 ? { augmentation: digestOf(cropsOf(spec)) } : {}),
    ...(isPrepared ? { prepared } : {}),
  };
}

/** The lengths of prepared arrays. */
export const lengthsOf = (prepared: readonly (Prepared | undefined)[]): Record<string, number>[] =>
  prepared.map((arrays = {}) => Object.fromEntries(Object.entries(arrays).map(([name, { length }]) => [name, length])));

/**
 * Refuses a run whose code has changed since `before`, where the same kit made both.
 * @param before the digests in the record or the checkpoint of the run; undefined where an older kit made it.
 * @throws KitError EXTENSION_CHANGED.
 */
export function refuseOtherCode(id: string, spec: RunSpec, before: CodeDigests | undefined, now: CodeDigests): void {
  const names = changedGuests(spec, before, now);
  if (names.length === 0) return;
  throw new KitError(`The code of ${names.join(' or ')} has changed since run ${id}.`, {
    code: 'EXTENSION_CHANGED',
    fix: 'Raise its version, or restore it.',
  });
}

/** The digests that differ: empty where they are the same, null where two kits made them. */
export function changedDigests(before: CodeDigests, now: CodeDigests): (keyof CodeDigests)[] | null {
  if (before.kit !== now.kit) return null;
  return (['step', 'rates', 'reset', 'augmentation'] as const).filter(
    (field) => before[field] != null && now[field] != null && before[field] !== now[field],
  );
}

/** The definitions of a study that may have changed. */
function changedGuests(spec: RunSpec, before: CodeDigests | undefined, now: CodeDigests): string[] {
  if (before === undefined) return [];
  const guests = guestsOf(spec);
  const changed = (changedDigests(before, now) ?? []).flatMap((field) => guests[field as keyof typeof guests] ?? []);
  return [...new Set(changed)];
}

const known = new Map<string, CodeDigests>();
const definitionNumbers = new WeakMap<object, number>();
let definitionCount = 0;

/** The number of a definition in this process: a definition that replaces another one has another number. */
function numberOf(definition: object): number {
  const number = definitionNumbers.get(definition) ?? ++definitionCount;
  definitionNumbers.set(definition, number);
  return number;
}

/** `codeDigests`, once for runs that differ in nothing that their code depends on. @param load gives the backbone. */
export async function codeDigestsOnce(
  run: DigestedRun & { classes: number },
  prepared: NonNullable<CodeDigests['prepared']>,
  load: () => Promise<Backbone>,
): Promise<CodeDigests> {
  const { seed, ...spec } = run.spec;
  const definitions = [
    requireBackbone(spec.backbone),
    ...partsOf(run.spec).map(({ part, registry }) => registry.get(part.name)),
  ];
  const seeds = guestsOf(run.spec).reset.length > 0 ? [seed] : []; // a reset may use the first values of the head
  const key = stableStringify([{ ...run, spec }, prepared, seeds, definitions.map(numberOf)])!;
  const found = known.get(key);
  if (found !== undefined) return found;
  const backbone = await load();
  try {
    const digests = codeDigests(run, backbone, { prepared });
    known.set(key, digests);
    return digests;
  } finally {
    backbone.dispose();
  }
}

/** The digest of the steps, recorded now; null where a regularizer does not accept the stand-ins. */
function recordedDigest(
  { spec, train, validation, test }: DigestedRun,
  backbone: Backbone,
  prepared: readonly Record<string, number>[],
): string | null {
  const standIns = prepared.map((lengths) =>
    Object.fromEntries(
      Object.entries(lengths).map(([name, length]) => {
        const stream = randomStream(0, `prepared/${name}`);
        return [name, Float32Array.from({ length }, () => stream.uniform())];
      }),
    ),
  );
  const isPrepared = standIns.some((arrays) => Object.keys(arrays).length > 0);
  try {
    const steps = makeSteps(spec, backbone, {
      prepared: isPrepared ? standIns : undefined,
      classWeights: new Float32Array(backbone.classes).fill(1),
    });
    try {
      const sizes = (count: number, batch: number): number[] => [
        ...(count >= batch ? [batch] : []),
        ...(count % batch > 0 ? [count % batch] : []),
      ];
      const evaluated = [...sizes(validation ?? 0, EVALUATION_BATCH), ...sizes(test, EVALUATION_BATCH)];
      const graph = graphOfSteps(steps, spec.imageSize, sizes(train, spec.batchSize), evaluated);
      return graphDigest(graph.nodes);
    } finally {
      steps.dispose();
    }
  } catch (error) {
    if (isPrepared) return null;
    throw error;
  }
}

/** Most steps of an epoch whose rates are looked at. */
const MOST_STEPS = 50;

/** The timetable, and the learning rates over the run. */
function ratesOf({ spec, train }: DigestedRun): unknown {
  const table = timetable(spec);
  const steps = Math.ceil(train / spec.batchSize);
  const count = changesWithinEpoch(spec) ? Math.min(steps, MOST_STEPS) : 1;
  const rates = Array.from({ length: table.epochs }, (_, epoch) =>
    Array.from({ length: count }, (_, k) => {
      const step = Math.floor((k * steps) / count);
      const { learningRate, headLearningRate } = ratesAt(spec, { epoch, ...table, epochs: table.epochs, step, steps });
      return [learningRate, headLearningRate].map((rate) => rate.toPrecision(9));
    }),
  );
  return [table, rates];
}

/** The values of the first and the last reset, from the values before training. */
function resetsOf(spec: RunSpec, backbone: Backbone): unknown {
  const { resets } = timetable(spec);
  const read = (names: readonly string[]): Record<string, Float32Array> =>
    Object.fromEntries(names.map((name) => [name, backbone.variables[name].dataSync<'float32'>().slice()]));
  return [...new Set([resets[0], resets[resets.length - 1]])].map((epoch) => {
    const { values, cleared } = resetValues({ reset: spec.reset!, seed: spec.seed }, backbone, epoch, read);
    const hashes = Object.entries(values).map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      createHash('sha256')
        .update(Buffer.from(buffer, byteOffset, byteLength))
        .digest('hex'),
    ]);
    return [hashes, cleared];
  });
}

/** What the augmentation makes of a few small images. */
function cropsOf({ augmentation }: RunSpec): unknown {
  const { body } = augmentations.get(augmentation.name);
  const size = 32;
  return Array.from({ length: 8 }, (_, index) => {
    const stream = randomStream(0, 'augment', 0, index);
    const pixels = Uint8Array.from({ length: size * size * 3 }, (_, i) => (i * 31) % 256);
    const crop = body.crop?.(augmentation as never, { width: 48, height: 40, size, stream });
    body.pixels?.(augmentation as never, { pixels, size, stream });
    return [crop ?? null, createHash('sha256').update(pixels).digest('hex')];
  });
}

const digestOf = (value: unknown): string =>
  createHash('sha256').update(stableStringify(value)!).digest('hex').slice(0, 16);
