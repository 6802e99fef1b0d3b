// Runs of one method compared with those of another: whether all of them finished, and the difference of the pairs.
import { pairedDifference, type PairedDifference } from '../../analysis/statistics/paired';
import type { RunRecord } from '../../runs/store/record';
import type { MethodRuns } from './grouping';
import { repetitionOf } from './repetition';

/** Two methods compared by seed (and by fold where there are any), in percentage points of the reported test top-1. */
export interface MethodComparison {
  treated: MethodRuns;
  control: MethodRuns;
  /** treated - control; of no pairs when a run of either side failed. */
  difference: PairedDifference;
  /** Whether a run of either side failed. */
  failed: boolean;
}

/** Compares the runs of two methods that share their seeds and folds. */
export function compareMethods(treated: MethodRuns, control: MethodRuns): MethodComparison {
  const failed = failuresOf(treated).length + failuresOf(control).length > 0;
  const difference = failed
    ? pairedDifference(new Map(), new Map())
    : pairedDifference(byRepetition(treated), byRepetition(control));
  return { treated, control, difference, failed };
}

/** A method without runs. */
export const notRun = (method: string, label = method): MethodRuns => ({ label, method, colour: null, records: [] });

/** The runs that ended without a number. */
export function failuresOf({ records }: Pick<MethodRuns, 'records'>): RunRecord[] {
  return records.filter(({ status }) => status === 'failed');
}

/** `failed (2 of 3 seeds, epochs 4 to 7)`; `null` when none failed. */
export function failureText(runs: Pick<MethodRuns, 'records'>): string | null {
  const failed = failuresOf(runs);
  if (failed.length === 0) return null;
  const epochs = failed.flatMap(({ failure }) => (failure === null ? [] : [failure.epoch])).sort((a, b) => a - b);
  const [first, last] = [epochs[0], epochs[epochs.length - 1]];
  const when = epochs.length === 0 ? '' : first === last ? `, epoch ${first}` : `, epochs ${first} to ${last}`;
  return `failed (${failed.length} of ${runs.records.length} ${runs.records.length === 1 ? 'seed' : 'seeds'}${when})`;
}

function byRepetition({ records }: MethodRuns): Map<number, number> {
  return new Map(records.map((record) => [repetitionOf(record.spec), 100 * record.top1]));
}
