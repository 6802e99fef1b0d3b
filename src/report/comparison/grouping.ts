// Which runs may be compared, and which are repetitions of one another: the same data, weights and settings, and the
// same method.
import stableStringify from 'safe-stable-stringify';
import { sourcesOf } from '../../runs/store/identity';
import type { RunRecord } from '../../runs/store/record';
import { methods as catalog } from '../../transfer/methods';
import { defaultSpec, type RunSpec } from '../../transfer/spec/spec';
import { repetitionOf } from './repetition';

/** What of a spec makes its method. The rest, but seed and fold, are the settings under which methods are compared. */
type MethodField = 'reset' | 'regularizers' | 'tricks';

/** Runs of one method that differ in their seed alone, and in their fold where there are folds. */
export interface MethodRuns {
  /**
   * The method's name (for a method of a study its title), with what sets it apart when the group holds several
   * variants of it.
   */
  label: string;
  /** Name of the method, for example `rifle`. */
  method: string;
  /** Its colour in figures, `#rrggbb`; `null`: that of its definition, else one that follows from its name. */
  colour: string | null;
  /** One a seed, by seed; of folds one a fold and seed. */
  records: RunRecord[];
}

/** Runs that may be compared. */
export interface RunGroup {
  dataset: string;
  backbone: string;
  /**
   * What sets the group apart from others of the same data set and backbone, for example `epochs 8`; empty when nothing
   * does.
   */
  settings: string;
  /** Data set, backbone and settings in one line. */
  label: string;
  /** The baseline first, then in the order of the kit's list of methods, then by label. */
  methods: MethodRuns[];
}

/** Fields that older records do not have: their defaults, which say the same. */
const NEWER_FIELDS: Record<string, unknown> = (({ patience, classWeights, sampling }) => ({
  patience,
  classWeights,
  sampling,
}))(defaultSpec());

const settingsOf = ({
  reset: _r,
  regularizers: _g,
  tricks: _t,
  seed: _s,
  fold,
  ...settings
}: RunSpec): Record<string, unknown> => ({
  ...NEWER_FIELDS,
  folds: fold?.of ?? null,
  ...settings,
});

const methodOf = ({ reset, regularizers, tricks }: RunSpec): Record<string, unknown> => ({
  reset,
  regularizers,
  tricks,
});

/** What makes the method of a run: its parts, their versions, and the settings that the method itself decides. */
function variantOf({ spec, numerics, guestMethod }: RunRecord): Record<string, unknown> {
  const names = ownParts(spec).filter((name) => name in numerics);
  return {
    ...methodOf(spec),
    versions: Object.fromEntries(names.map((name) => [`${name} version`, numerics[name]])),
    ...Object.fromEntries((guestMethod?.decides ?? []).map((field) => [field, spec[field]])),
  };
}

const ownParts = ({ reset, regularizers, tricks }: RunSpec): string[] =>
  [reset ?? [], regularizers, tricks].flat().map(({ name }) => name);

/** Leaves of nested plain data as text, by path: `limits.trainPerClass`. */
export function leaves(value: unknown, path: string[] = []): Map<string, string> {
  if (typeof value === 'object' && value !== null && !(Array.isArray(value) && value.length === 0)) {
    return new Map(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([key, entry]) => [...leaves(entry, [...path, key])]),
    );
  }
  return new Map([[path.join('.'), value === null ? 'none' : String(value)]]);
}

function inWords(path: string): string {
  return path
    .split('.')
    .slice(-1)[0]
    .replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A text of the value that does not depend on the order of its fields. */
const keyOf = (value: unknown): string => stableStringify(value)!;

/** For each of several values the leaves in which they differ, in words; empty when there is one value only. */
export function differences(values: readonly unknown[]): string[] {
  const all = values.map((value) => leaves(value));
  const paths = [...new Set(all.flatMap((map) => [...map.keys()]))];
  const differing = paths.filter((path) => new Set(all.map((map) => map.get(path))).size > 1);
  return all.map((map) =>
    differing
      .filter((path) => map.has(path))
      .map((path) => `${inWords(path)} ${map.get(path)}`)
      .join(', '),
  );
}

function partition<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const parts = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const part = parts.get(name);
    if (part) part.push(item);
    else parts.set(name, [item]);
  }
  return [...parts.values()];
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Groups runs for comparison, in an order that does not depend on theirs. A run that is given twice counts once.
 * @param baseline name of the method that the others are compared with; it stands first.
 */
export function groupRuns(records: readonly RunRecord[], baseline = 'fine-tuning'): RunGroup[] {
  const unique = [...new Map(records.map((record) => [record.id, record])).values()];
  const sameTask = partition(unique, ({ dataset, spec }) => `${dataset.name}\u0000${spec.backbone}`);
  return sameTask
    .flatMap((task) => {
      const conditions = sameConditions(task);
      const labels = differences(conditions.map(([first]) => conditionOf(first)));
      return conditions.map((runs, i): RunGroup => {
        const { dataset, spec } = runs[0];
        const label = [dataset.name, spec.backbone, labels[i]].filter(Boolean).join(' · ');
        return {
          dataset: dataset.name,
          backbone: spec.backbone,
          settings: labels[i],
          label,
          methods: methodsOf(runs, baseline),
        };
      });
    })
    .sort((a, b) => byText(a.label, b.label));
}

/** Each record once, in the order of the groups, methods and seeds. */
export const inOrder = (records: readonly RunRecord[]): RunRecord[] =>
  groupRuns(records).flatMap(({ methods }) => methods.flatMap((method) => method.records));

/**
 * The runs by their condition. A method may decide settings itself, for example the optimizer. Its runs are compared
 * with runs that differ in these settings alone.
 */
function sameConditions(runs: readonly RunRecord[]): RunRecord[][] {
  const decides = ({ guestMethod }: RunRecord): boolean => (guestMethod?.decides ?? []).length > 0;
  const groups = partition(
    runs.filter((run) => !decides(run)),
    (run) => keyOf(conditionOf(run)),
  );
  const left = runs.filter(decides).filter((run) => {
    const without = (other: RunRecord): string => keyOf(conditionOf(other, run.guestMethod!.decides));
    const group = groups.find(([first]) => without(first) === without(run));
    group?.push(run);
    return group === undefined;
  });
  return [...groups, ...partition(left, (run) => keyOf(conditionOf(run, run.guestMethod!.decides)))];
}

/** Everything but method, seed and fold that the numbers depend on; `without` some settings. */
function conditionOf(record: RunRecord, without: readonly (keyof RunSpec)[] = []): Record<string, unknown> {
  const { numerics, ...sources } = sourcesOf(record);
  const own = ownParts(record.spec);
  const entries = <T>(all: Record<string, T>, leftOut: readonly string[]): Record<string, T> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !leftOut.includes(name)));
  return {
    settings: entries(settingsOf(record.spec), without),
    ...sources,
    numerics: entries(numerics, own),
  };
}

function methodsOf(runs: readonly RunRecord[], baseline: string): MethodRuns[] {
  const titles = titlesOf(runs);
  return partition(runs, (record) => record.method)
    .flatMap((named) => {
      const variants = partition(named, (record) => keyOf(variantOf(record)));
      const labels = differences(variants.map(([first]) => variantOf(first)));
      return variants.map((records, i): MethodRuns => {
        const { method, guestMethod } = records[0];
        const title = titles.get(method)!;
        const bySeed = [...records].sort((a, b) => repetitionOf(a.spec) - repetitionOf(b.spec) || byText(a.id, b.id));
        return {
          label: labels[i] ? `${title} (${labels[i]})` : title,
          method,
          colour: guestMethod?.colour ?? null,
          records: bySeed,
        };
      });
    })
    .sort(
      (a, b) =>
        Number(b.method === baseline) - Number(a.method === baseline) ||
        placeOf(a.method) - placeOf(b.method) ||
        byText(a.label, b.label),
    );
}

/** What methods are called, by name: a title that several have is told apart by the name. */
function titlesOf(runs: readonly RunRecord[]): Map<string, string> {
  const titles = new Map(runs.map(({ method, guestMethod }) => [method, guestMethod?.title ?? method]));
  const all = [...titles.values()];
  return new Map(
    [...titles].map(([name, title]) => [
      name,
      all.filter((other) => other === title).length > 1 && title !== name ? `${title} (${name})` : title,
    ]),
  );
}

/** Place of a method in the kit's list; after all of them when it is not there. */
function placeOf(method: string): number {
  names ??= catalog.list().map(({ name }) => name);
  const place = names.indexOf(method);
  return place < 0 ? names.length : place;
}

let names: string[] | undefined;

/**
 * Whether two methods are the same in all but one part of their specs, hyper-parameters included; false when either was
 * not run.
 */
export function samePartsBut(part: MethodField, a: MethodRuns, b: MethodRuns): boolean {
  if (a.records.length === 0 || b.records.length === 0) return false;
  const rest = ({ records: [{ spec }] }: MethodRuns): string => keyOf({ ...methodOf(spec), [part]: null });
  return rest(a) === rest(b);
}

/** Whether runs are without RIFLE; false when there are none. */
export const isPlain = ({ records }: MethodRuns): boolean => records.length > 0 && records[0].spec.reset === null;

/** Fraction of training images classified right in the last epoch; NaN of a run that failed in its first. */
export function finalTrainTop1({ epochs }: RunRecord): number {
  return epochs[epochs.length - 1]?.trainTop1 ?? NaN;
}
