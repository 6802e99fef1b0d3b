// What makes two runs the same. Every place that asks this question asks it here.
import { createHash } from 'node:crypto';
import stableStringify from 'safe-stable-stringify';
import { sparsePart, type AnyDefinition, type Part } from '../../base/definitions/part';
import type { Registry } from '../../base/definitions/registry';
import { partKinds, versionsOf } from '../../transfer/spec/parts';
import { defaultSpec, type RunSpec } from '../../transfer/spec/spec';
import type { RunRecord } from './record';

/**
 * Version of the kit's numbers: raised whenever a change of the kit changes the numbers of all runs. A change of one
 * part raises the version of its definition instead.
 */
export const KIT_NUMERICS = 4;

/** Versions of the code that made the numbers of a run: of the kit, and of the definitions that the spec uses. */
export type Numerics = Record<string, number>;

/** Everything that the numbers of a run depend on. */
export interface RunKey {
  /** Complete, without paths. */
  spec: RunSpec;
  /** Hash of the data set. */
  data: string;
  /** Hash of the weights. */
  weights: string;
}

/** The versions of the code that a run of `spec` uses now. @throws KitError for an unknown definition. */
export const numericsOf = (spec: RunSpec): Numerics => ({ kit: KIT_NUMERICS, ...versionsOf(spec) });

/**
 * The id of a run: the first 16 hex digits of the sha256 of its key, in canonical JSON. Values of the spec that equal
 * their defaults are left out: a new field with a default changes no id.
 */
export function runId({ spec, data, weights }: RunKey, numerics: Numerics = numericsOf(spec)): string {
  return hashOf({ spec: sparse(spec), data, weights, numerics });
}

/** The id as kits before 0.2 computed it, of a record as they wrote it. */
export function olderRunId(record: {
  spec: unknown;
  dataset: { hash: string };
  weights: { hash: string };
  numericsVersion: number;
}): string {
  const { spec, dataset, weights, numericsVersion } = record;
  return hashOf({ spec, dataHash: dataset.hash, weightsHash: weights.hash, numericsVersion });
}

const hashOf = (value: unknown): string =>
  createHash('sha256').update(stableStringify(value)!).digest('hex').slice(0, 16);

/** `spec` without the values that equal their defaults, of the spec and of each part. */
export function sparse(spec: RunSpec): Record<string, unknown> {
  const { augmentation, optimizer, schedule, regularizers, tricks, reset, ...rest } = spec;
  const part = <B>(registry: Registry<AnyDefinition<B>>, value: Part): Part =>
    sparsePart(registry.get(value.name) as AnyDefinition<unknown>, value);
  return leavesThatDiffer(
    {
      ...rest,
      augmentation: part(partKinds.augmentations, augmentation),
      optimizer: part(partKinds.optimizers, optimizer),
      schedule: part(partKinds.schedules, schedule),
      regularizers: regularizers.map((each) => part(partKinds.regularizers, each)),
      tricks: tricks.map((each) => part(partKinds.tricks, each)),
      reset: reset && part(partKinds.resets, reset),
    },
    {
      ...defaultSpec(),
      augmentation: { name: 'flip-crop' },
      optimizer: { name: 'sgd' },
      schedule: { name: 'cosine' },
    },
  );
}

/** The leaves of `value` that are not equal to those of `defaults`. Lists are leaves. */
function leavesThatDiffer(value: Record<string, unknown>, defaults: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value).flatMap(([key, entry]): [string, unknown][] => {
    const byDefault = defaults[key];
    if (stableStringify(entry) === stableStringify(byDefault)) return [];
    if (key === 'limits') return [[key, leavesThatDiffer(entry as never, byDefault as never)]];
    return [[key, entry]];
  });
  return Object.fromEntries(entries);
}

/** What two runs have in common if they may be compared, or averaged: data, weights and versions of the code. */
export const sourcesOf = ({
  dataset,
  weights,
  numerics,
}: RunRecord): { data: string; weights: string; numerics: Record<string, number> } => ({
  data: dataset.hash.slice(0, 8),
  weights: weights.hash.slice(0, 8),
  numerics,
});

/** Whether the present code would give the numbers of `record`: its versions are those of now. */
export function isCurrent({ spec, numerics }: Pick<RunRecord, 'spec' | 'numerics'>): boolean {
  try {
    return stableStringify(numerics) === stableStringify(numericsOf(spec));
  } catch {
    return true; // a definition is not loaded: nothing speaks against it
  }
}
