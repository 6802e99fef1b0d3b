// Where a table compares: data set, backbone and settings under which there are runs, or should be.
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../../runs/store/record';
import type { RunSpec } from '../../transfer/spec';
import { groupRuns, type MethodRuns, type RunGroup } from './grouping';

/** A data set, a backbone and settings: what one comparison shares. */
export interface Place {
  /** `null`: any. */
  dataset: string | null;
  backbone: string | null;
  /** What sets it apart from others of the same data set and backbone; may be empty. */
  settings: string;
  /** All of it in one line. */
  label: string;
  /** The methods that were run there. */
  methods: readonly MethodRuns[];
}

/**
 * What a run that should exist would be of; where it says under which schedule and limits, runs under others are not
 * it.
 */
export type PlannedRun = Pick<RunSpec, 'dataset' | 'backbone'> &
  Partial<Pick<RunSpec, 'epochs' | 'batchSize' | 'limits'>>;

/** Runs that tell the accuracy on test images: those on a validation split only chose something. */
export const onTest = (records: readonly RunRecord[]): RunRecord[] =>
  records.filter(({ spec }) => (spec.evaluateOn ?? 'test') === 'test');

/** Last part of a path; a name as it is. */
export const nameOfDataset = (dataset: string): string => dataset.split(/[\\/]/).filter(Boolean).pop() ?? dataset;

/** Whether the runs of a group are such as were planned. */
function isPlanned({ dataset, backbone, methods: [first] }: RunGroup, planned: PlannedRun): boolean {
  const { spec } = first.records[0];
  const asSaid = (['epochs', 'batchSize', 'limits'] as const).every(
    (key) => planned[key] === undefined || isDeepStrictEqual(planned[key], spec[key]),
  );
  return asSaid && dataset === nameOfDataset(planned.dataset) && backbone === planned.backbone;
}

/**
 * The places of a table, by their labels. Without a plan: where one of the methods that it is about was run (where none
 * was, all). With
 * one: also the planned places; where a data set and a backbone are planned, only under the planned schedule and
 * limits. One nameless
 * place when there is nothing at all.
 */
export function placesOf(
  records: readonly RunRecord[],
  isAbout: (runs: MethodRuns) => boolean,
  planned: readonly PlannedRun[] = [],
): Place[] {
  const groups = groupRuns(onTest(records));
  const samePlace = (a: { dataset: string; backbone: string }, b: PlannedRun): boolean =>
    a.dataset === nameOfDataset(b.dataset) && a.backbone === b.backbone;
  const about = groups.filter(({ methods }) => methods.some(isAbout));
  const free =
    about.length > 0 || planned.length > 0
      ? about.filter((group) => !planned.some((spec) => samePlace(group, spec)))
      : groups;
  const asPlanned = groups.filter((group) => planned.some((spec) => isPlanned(group, spec)));
  const missing = new Map<string, Place>();
  for (const spec of planned) {
    const [dataset, { backbone }] = [nameOfDataset(spec.dataset), spec];
    const label = `${dataset} · ${backbone}`;
    if (!asPlanned.some((group) => samePlace(group, spec)))
      missing.set(label, { dataset, backbone, settings: '', label, methods: [] });
  }
  const places: Place[] = [...free, ...asPlanned, ...missing.values()];
  if (places.length === 0) return [{ dataset: null, backbone: null, settings: '', label: 'anywhere', methods: [] }];
  return places.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0));
}
