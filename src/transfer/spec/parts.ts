// The parts of a spec, and the definitions behind them. Importing this file makes the kit's own definitions known.
import type { AnyDefinition, Part } from '../../base/definitions/part';
import type { Registry } from '../../base/definitions/registry';
import '../../data/augmentations';
import { augmentations } from '../../data/augmentations/augmentation';
import '../optimizers';
import { optimizers } from '../optimizers/optimizer';
import '../regularizers';
import { regularizers } from '../regularizers/regularizer';
import '../resets';
import { resets } from '../resets/reset';
import '../schedules';
import { schedules } from '../schedules/schedule';
import '../tricks';
import { tricks } from '../tricks/trick';

/** The registries of the parts of a spec, by kind. */
export const partKinds = { augmentations, optimizers, regularizers, resets, schedules, tricks } as const;

/** The fields of a spec that hold parts. */
export interface SpecParts {
  augmentation: Part;
  optimizer: Part;
  schedule: Part;
  regularizers: readonly Part[];
  tricks: readonly Part[];
  reset: Part | null;
}

/** A part with its place in a spec and the registry of its definition. */
export interface PlacedPart {
  /** For example `regularizers.0`. */
  path: string;
  part: Part;
  registry: Registry<AnyDefinition<unknown>>;
}

/** All parts of `spec`. */
export function partsOf(spec: SpecParts): PlacedPart[] {
  const placed = (path: string, part: Part, registry: unknown): PlacedPart => ({
    path,
    part,
    registry: registry as Registry<AnyDefinition<unknown>>,
  });
  return [
    placed('augmentation', spec.augmentation, augmentations),
    placed('optimizer', spec.optimizer, optimizers),
    placed('schedule', spec.schedule, schedules),
    ...spec.regularizers.map((part, i) => placed(`regularizers.${i}`, part, regularizers)),
    ...spec.tricks.map((part, i) => placed(`tricks.${i}`, part, tricks)),
    ...(spec.reset === null ? [] : [placed('reset', spec.reset, resets)]),
  ];
}

/**
 * The versions of the definitions that `spec` uses, by name: of each that a study adds, and of the kit's own from
 * version 2 on. They are part of a run's identity.
 */
export function versionsOf(spec: SpecParts): Record<string, number> {
  return Object.fromEntries(
    partsOf(spec).flatMap(({ part, registry }) => {
      const { name, version } = registry.get(part.name);
      return version > 1 || name.includes('/')
        ? [[name.includes('/') ? name : `${registry.kind} ${name}`, version]]
        : [];
    }),
  );
}
