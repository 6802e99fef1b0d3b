// How values were chosen: every value that was tried of a method's grid, or of any other field, with its accuracy on
// images taken out of training.
import { mean } from '../../analysis/statistics/statistics';
import type { RunRecord } from '../../runs/store/record';
import stableStringify from 'safe-stable-stringify';
import { methods, type Method, type MethodParts } from '../../transfer/methods';
import { differences, leaves } from '../comparison/grouping';
import type { Row } from '../table/cells';
import { Table } from '../table/tabular';

/** One value that was tried. */
export interface Tried {
  method: string;
  dataset: string | null;
  backbone: string | null;
  /** The fields that differ among the runs of the method, for example `rate 0.2, learning rate 0.003`. */
  value: string;
  /** Mean validation top-1 in [0, 1]; NaN where a run failed, `null` where none was made. */
  top1: number | null;
  /** Runs of this value: one for each seed. */
  runs: number;
  /** Whether the method's parts are the default of its grid. */
  isDefault: boolean;
  /** Whether it has the highest validation top-1; of equals the first. */
  isBest: boolean;
}

/** Runs among which values are chosen: one data set, backbone and method. */
interface ChoiceGroup {
  name: string;
  /** The method that they are of, when it has a grid. */
  method: Method | null;
  records: RunRecord[];
}

/**
 * What was tried, method by method: the values of its grid, and every other field of the spec that differs among its
 * runs.
 * @param records runs with `evaluateOn: 'validation'`; others are left out.
 */
export function triedValues(records: readonly RunRecord[]): Tried[] {
  const groups = groupsOf(records.filter(({ spec }) => spec.evaluateOn === 'validation'));
  const withGrid = methods.list().filter(({ grid }) => grid.length > 0);
  // Grids without runs are shown beside others, or when there is nothing else.
  const isGridShown = groups.length === 0 || groups.some(({ method }) => method !== null);
  const missing = isGridShown ? withGrid.filter((method) => !groups.some((group) => group.method === method)) : [];
  const all = [...groups, ...missing.map((method): ChoiceGroup => ({ name: method.name, method, records: [] }))];
  const order = methods.list().map(({ name }) => name);
  const place = ({ name }: ChoiceGroup): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return all.sort((a, b) => place(a) - place(b)).flatMap((group) => rowsOf(group));
}

/** The runs by data set, backbone and method. */
function groupsOf(records: readonly RunRecord[]): ChoiceGroup[] {
  const groups = new Map<string, ChoiceGroup>();
  for (const record of records) {
    const method = gridMethodOf(record.spec);
    const name = method?.name ?? methods.nameOf(record.spec);
    const key = JSON.stringify([record.dataset.name, record.dataset.hash, record.spec.backbone, name]);
    const group = groups.get(key) ?? { name, method, records: [] };
    group.records.push(record);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The method with a grid whose parts these are, apart from the options that its grid varies; `null`: none. */
function gridMethodOf(parts: MethodParts): Method | null {
  const name = methods.nameOf(parts);
  if (methods.list().some((method) => method.name === name && method.grid.length === 0)) return null;
  return (
    methods.list().find((method) => {
      const tried = method.grid.map((each) => leaves(partsOf({ ...method, ...each })));
      if (tried.length === 0) return false;
      const given = leaves(partsOf(parts));
      const paths = new Set([...given.keys(), ...tried.flatMap((each) => [...each.keys()])]);
      const free = (path: string): boolean => new Set(tried.map((each) => each.get(path))).size > 1;
      return [...paths].every((path) => free(path) || given.get(path) === tried[0].get(path));
    }) ?? null
  );
}

function rowsOf({ name, method, records }: ChoiceGroup): Tried[] {
  const ofGrid = (method?.grid ?? []).map((each) => ({
    ...settingsOf(records[0]),
    ...partsOf({ ...method!, ...each }),
  }));
  const isTried = (parts: MethodParts): boolean => records.some(({ spec }) => partsText(spec) === partsText(parts));
  const settings = [
    ...records.map((record) => ({ key: keyOf(settingsOf(record)), value: settingsOf(record), record })),
    ...ofGrid.filter((value) => !isTried(value)).map((value) => ({ key: keyOf(value), value, record: null })),
  ];
  const gridPlace = ({ value }: (typeof settings)[number]): number => {
    const place = ofGrid.findIndex((each) => partsText(each) === partsText(value as unknown as MethodParts));
    return place < 0 ? ofGrid.length : place;
  };
  const unique = [...new Map(settings.map((setting) => [setting.key, setting])).values()];
  const inOrder = unique.sort((a, b) => gridPlace(a) - gridPlace(b) || inOrderOfValues(a.value, b.value));
  if (inOrder.length < 2 && method === null) return [];
  const texts = differences(inOrder.map(({ value }) => value));
  const rows = inOrder.map(({ key, value }, i) => {
    const runs = settings.filter((setting) => setting.key === key).flatMap(({ record }) => record ?? []);
    return {
      method: name,
      dataset: records[0]?.dataset.name ?? null,
      backbone: records[0]?.spec.backbone ?? null,
      value: texts[i],
      top1: runs.length === 0 ? null : mean(runs.map(({ top1 }) => top1)),
      runs: runs.length,
      isDefault: method !== null && partsText(value as unknown as MethodParts) === partsText(method),
    };
  });
  const best = Math.max(...rows.map(({ top1 }) => (top1 === null || Number.isNaN(top1) ? -1 : top1)));
  const first = rows.findIndex(({ top1 }) => top1 === best);
  return rows.map((row, i) => ({ ...row, isBest: i === first }));
}

/** The fields that may differ among the runs of a group. */
function settingsOf(record: RunRecord | undefined): Record<string, unknown> {
  if (record === undefined) return {};
  const { seed: _s, dataset: _d, backbone: _b, ...settings } = record.spec;
  return settings;
}

/** The same as a table. */
export function choiceTable(records: readonly RunRecord[]): Table {
  const tried = triedValues(records);
  const judged = records.filter(({ spec }) => spec.evaluateOn === 'validation');
  const tasks = [...new Set(tried.filter(({ dataset }) => dataset).map(taskOf))];
  const hasGrid = tried.some(({ isDefault }) => isDefault);
  const isMean = tried.some(({ runs }) => runs > 1);
  const rows = tried.map((row): Row => ({
    method: tasks.length > 1 && row.dataset !== null ? `${row.method}, ${taskOf(row)}` : row.method,
    value: row.value,
    n: row.runs,
    top1: row.top1 === null ? null : 100 * row.top1,
    best: row.isBest ? 'best' : null,
    used: row.isDefault ? 'used' : null,
  }));
  const other = tried.filter(({ isDefault, isBest }) => isDefault && !isBest).map(({ method }) => method);
  return new Table({
    id: 'choice',
    title: hasGrid ? 'Hyper-parameters of our own grid' : 'Values tried on validation images',
    caption:
      'Top-1 after the last epoch on validation images: a fifth of the training images of each class, taken out of ' +
      `training. No test image was used. ${whereText(judged)} ` +
      (hasGrid ? 'The value used is the best one; of equals the first.' : 'Best: the highest; of equals the first.'),
    columns: [
      { key: 'method', title: 'Method', group: true },
      { key: 'value', title: 'Value' },
      ...(isMean ? [{ key: 'n', title: 'n', kind: 'number' as const, digits: 0 }] : []),
      { key: 'top1', title: 'Validation top-1', unit: '%', kind: 'number' },
      { key: 'best', title: 'Highest' },
      ...(hasGrid ? [{ key: 'used', title: 'In the tables' }] : []),
    ],
    rows,
    notes: hasGrid
      ? [
          "Our choice, as the paper's values are not at hand: one seed, a small grid, one data set for all. " +
            'A different grid may order the tricks differently.',
          ...(judged.length > 0 && other.length > 0
            ? [
                `At this scale another value is the highest for ${[...new Set(other)].join(', ')}. ` +
                  'The tables use the best values of the scale mini.',
              ]
            : []),
        ]
      : ['The highest of several values is too optimistic. Report the test accuracy of runs with the best value.'],
  });
}

const taskOf = ({ dataset, backbone }: Pick<Tried, 'dataset' | 'backbone'>): string => `${dataset}, ${backbone}`;

/** Data, backbone, epochs and seeds of the runs. */
function whereText(judged: readonly RunRecord[]): string {
  const [first] = judged;
  if (first === undefined) return 'There is no such run yet.';
  const list = (values: readonly (string | number)[]): string => [...new Set(values)].join(', ');
  const [networks, epochs] = [
    list(judged.map(({ spec }) => spec.backbone)),
    list(judged.map(({ spec }) => spec.epochs)),
  ];
  const data = list(
    judged.map(({ dataset: { name, train, test } }) => `${name}: ${train} training and ${test} validation images`),
  );
  const seeds = [...new Set(judged.map(({ spec }) => spec.seed))].sort((a, b) => a - b);
  return `${data}, ${networks}, ${epochs} epochs, ` + `seed${seeds.length > 1 ? 's' : ''} ${seeds.join(', ')}.`;
}

const partsOf = ({ regularizers, tricks, reset }: MethodParts): MethodParts => ({ regularizers, tricks, reset });

const keyOf = (value: unknown): string => stableStringify(value)!;
const partsText = (parts: MethodParts): string => keyOf(partsOf(parts));

/** By the first field that differs: numbers by size, texts by letter. */
function inOrderOfValues(a: unknown, b: unknown): number {
  const [ofA, ofB] = [leaves(a), leaves(b)];
  const path = [...ofA.keys(), ...ofB.keys()].find((each) => ofA.get(each) !== ofB.get(each));
  if (path === undefined) return 0;
  const [left, right] = [ofA.get(path) ?? '', ofB.get(path) ?? ''];
  return Number(left) - Number(right) || (left < right ? -1 : 1);
}
