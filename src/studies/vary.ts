// Varied fields of specs: every combination of values, by the paths of the fields.
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../base/errors';
import { parseRunSpec, type RunSpec } from '../transfer/spec/spec';

/** Values to try of any field, by its path: `{ 'optimizer.learningRate': [0.003, 0.01] }`. */
export type Vary = Readonly<Record<string, readonly unknown[]>>;

/** Some values of varied fields: one of all combinations. */
type Setting = readonly (readonly [path: string, value: unknown])[];

/** Fields that a study decides: its seeds are those of its comparisons, and data sets have an option of their own. */
const FIXED = ['seed', 'dataset'];

/**
 * Each combination of the values with all of `specs`, in this order. A path into a part that a spec does not have
 * (`reset.after` of plain fine-tuning) does not change it; a spec that several combinations give appears once.
 * @throws KitError as `parseRunSpec` for a spec that is not valid.
 */
export function varied(specs: readonly RunSpec[], vary: Vary): RunSpec[] {
  if (Object.keys(vary).length === 0) return [...specs];
  let settings: Setting[] = [[]];
  for (const [path, values] of Object.entries(vary))
    settings = settings.flatMap((setting) => values.map((value): Setting => [...setting, [path, value]]));
  const all = settings.flatMap((setting) => specs.map((spec) => withSetting(spec, setting)));
  return [...new Map(all.map((spec) => [stableStringify(spec), spec])).values()];
}

/**
 * Each of `specs` once for each of `folds` folds, fold by fold. @param folds undefined: the specs as they are.
 * @throws KitError `SPEC_INVALID` for less than 2 folds.
 */
export const inFolds = (specs: readonly RunSpec[], folds: number | undefined): RunSpec[] =>
  folds === undefined
    ? [...specs]
    : Array.from({ length: folds }, (_, index) =>
        specs.map((spec) => parseRunSpec({ ...spec, fold: { of: folds, index } })),
      ).flat();

function withSetting(spec: RunSpec, setting: Setting): RunSpec {
  const fitting = setting.filter(([path]) => hasPart(spec, path));
  if (fitting.length === 0) return spec;
  return parseRunSpec(fitting.reduce((value, [path, field]) => withField(value, path.split('.'), field), spec));
}

/** @throws KitError VARY_FIELD for a field that cannot be varied, without values, or in a part that no spec has. */
export function requireVaried(specs: readonly RunSpec[], vary: Vary): void {
  for (const [path, values] of Object.entries(vary)) {
    if (FIXED.includes(path))
      throw new KitError(`The field ${path} cannot be varied.`, {
        code: 'VARY_FIELD',
        fix: 'Give the seeds and the data sets of the study instead.',
      });
    if (values.length === 0)
      throw new KitError(`There is no value of ${path} to try.`, { code: 'VARY_FIELD', fix: 'Give at least one.' });
    if (!specs.some((spec) => hasPart(spec, path)))
      throw new KitError(`None of the runs has the part that ${path} belongs to.`, {
        code: 'VARY_FIELD',
        fix: 'Print the spec of a method with `npx rifle train --method NAME --print-spec`.',
      });
  }
}

/** Whether the object that holds the field is there; unknown fields of a spec are for `parseRunSpec` to refuse. */
function hasPart(spec: RunSpec, path: string): boolean {
  let at: unknown = spec;
  for (const key of path.split('.').slice(0, -1)) at = (at as Record<string, unknown> | null | undefined)?.[key];
  const [first] = path.split('.');
  return !(first in spec) || (at !== null && at !== undefined);
}

/** A copy of `value`, an object or a list, with another field at `path`. */
function withField<T extends object>(value: T, [key, ...rest]: readonly string[], field: unknown): T {
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  copy[key] = rest.length === 0 ? field : withField((copy[key] ?? {}) as object, rest, field);
  return copy as T;
}

/** The varied values of `spec` in words: `learning rate 0.003`; empty when nothing varies. */
export function variedText(spec: RunSpec, vary: Vary): string {
  return Object.keys(vary)
    .filter((path) => hasPart(spec, path))
    .map((path) => {
      const value = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], spec);
      const name = path
        .split('.')
        .at(-1)!
        .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      return `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
    })
    .join(', ');
}
