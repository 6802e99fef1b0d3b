// Under which conditions a table compares: data set, backbone and settings that have runs, or should have.
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../../runs/store/record';
import type { RunSpec } from '../../transfer/spec/spec';
import { groupRuns, type MethodRuns, type RunGroup } from './grouping';

/** A data set, a backbone and settings: what one comparison shares. */
export interface Condition {
  /** `null`: any. */
  dataset: string | null;
  backbone: string | null;
  /** What sets it apart from others of the same data set and backbone; may be empty. */
  settings: string;
  /** All of it in one line. */
  label: string;
  /** The methods that were run under it. */
  methods: readonly MethodRuns[];
}

/** A run that should exist. Where it has a schedule and limits, runs under others do not count for it. */
export type PlannedRun = Pick<RunSpec, 'dataset' | 'backbone'> &
  Partial<Pick<RunSpec, 'epochs' | 'batchSize' | 'limits'>>;

/** Runs that report test images; those evaluated on a validation split only chose hyper-parameters. */
export const onTest = (records: readonly RunRecord[]): RunRecord[] =>
  records.filter(({ spec }) => spec.evaluateOn !== 'validation');

/** Last part of a path; a name as it is. */
export const nameOfDataset = (dataset: string): string => dataset.split(/[\\/]/).filter(Boolean).pop() ?? dataset;

/** Whether the runs of a group are such as were planned. */
function isPlanned({ dataset, backbone, methods: [first] }: RunGroup, planned: PlannedRun): boolean {
  const { spec } = first.records[0];
  const agrees = (['epochs', 'batchSize', 'limits'] as const).every(
    (key) => planned[key] === undefined || isDeepStrictEqual(planned[key], spec[key]),
  );
  return agrees && dataset === nameOfDataset(planned.dataset) && backbone === planned.backbone;
}

/**
 * The conditions of a table, by their labels.
 * - Without a plan: those under which one of the methods that it is about was run; all when none was.
 * - With a plan: also the planned ones. Of a planned data set and backbone, runs under other schedules or limits do not
 *   count.
 * - One nameless condition when there is nothing at all.
 */
export function conditionsOf(
  records: readonly RunRecord[],
  isAbout: (runs: MethodRuns) => boolean,
  planned: readonly PlannedRun[] = [],
): Condition[] {
  const groups = groupRuns(onTest(records));
  const isSame = (a: { dataset: string; backbone: string }, b: PlannedRun): boolean =>
    a.dataset === nameOfDataset(b.dataset) && a.backbone === b.backbone;
  const about = groups.filter(({ methods }) => methods.some(isAbout));
  const unplanned =
    about.length > 0 || planned.length > 0
      ? about.filter((group) => !planned.some((spec) => isSame(group, spec)))
      : groups;
  const asPlanned = groups.filter((group) => planned.some((spec) => isPlanned(group, spec)));
  const missing = new Map<string, Condition>();
  for (const spec of planned) {
    const [dataset, { backbone }] = [nameOfDataset(spec.dataset), spec];
    const label = `${dataset} · ${backbone}`;
    if (!asPlanned.some((group) => isSame(group, spec)))
      missing.set(label, { dataset, backbone, settings: '', label, methods: [] });
  }
  const conditions: Condition[] = [...unplanned, ...asPlanned, ...missing.values()];
  if (conditions.length === 0)
    return [{ dataset: null, backbone: null, settings: '', label: 'any data set', methods: [] }];
  return conditions.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
}
