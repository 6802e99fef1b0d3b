// Compares two runs: first what could explain a difference in the results, then the results, then the costs.
import type { RunRecord } from './record';

/** One difference. */
export interface Difference {
  /** Dotted path, for example `spec.optimizer.learningRate`. */
  field: string;
  a: unknown;
  b: unknown;
}

/** Two runs side by side. */
export interface RunComparison {
  a: string;
  b: string;
  /** Settings that the numbers depend on by design: spec, images, pretrained weights, the kit's numerics. */
  causes: Difference[];
  /**
   * Conditions that may change the last bits, and with them a whole run: versions, device, number of threads, changes
   * that are not committed.
   */
  suspects: Difference[];
  results: Difference[];
  /** The first epoch (1-based) whose numbers differ; null when none does. */
  firstDifferentEpoch: number | null;
  costs: Difference[];
}

/** Compares two records. */
export function compareRuns(a: RunRecord, b: RunRecord): RunComparison {
  const pick = (of: (record: RunRecord) => object): Difference[] => differences(of(a), of(b));
  const both = Math.max(a.epochs.length, b.epochs.length);
  const differing = Array.from({ length: both }, (_, i) => i).find((i) =>
    NUMBERS.some((name) => !Object.is(a.epochs[i]?.[name], b.epochs[i]?.[name])),
  );
  return {
    a: a.id,
    b: b.id,
    causes: pick(({ spec, dataset, weights, numerics }) => ({ spec, dataset, weights, numerics })),
    suspects: pick(({ environment }) => ({ environment })),
    results: pick(({ status, failure, top1, epochs, resets }) => ({
      status,
      failure,
      top1,
      epochs: epochs.length,
      resets: resets.join(' '),
      lastEpoch: Object.fromEntries(NUMBERS.map((name) => [name, epochs.at(-1)?.[name]])),
    })),
    firstDifferentEpoch: differing === undefined ? null : differing + 1,
    costs: pick(({ wallSeconds, peakMemoryMb, startedAt }) => ({ wallSeconds, peakMemoryMb, startedAt })),
  };
}

/** The fields of an epoch that are results. */
const NUMBERS = [
  'trainLoss',
  'trainCrossEntropy',
  'trainTop1',
  'loss',
  'top1',
  'learningRate',
  'headLearningRate',
  'headReset',
] as const;

/** The comparison in one sentence. */
export function summaryOf({ causes, suspects, firstDifferentEpoch }: RunComparison): string {
  if (firstDifferentEpoch === null)
    return causes.length === 0
      ? 'The numbers of all epochs are equal.'
      : 'The numbers of all epochs are equal, although the settings differ.';
  const from = `The numbers differ from epoch ${firstDifferentEpoch} on`;
  if (causes.length > 0) return `${from}: the settings differ (${causes.length} field${causes.length > 1 ? 's' : ''}).`;
  const conditions = suspects.map(({ field }) => field.replace('environment.', ''));
  if (conditions.length > 0) return `${from}: equal settings, other conditions (${conditions.join(', ')}).`;
  return `${from}, and no recorded setting explains it: the runs are not deterministic, or a file was changed.`;
}

/** The leaves that differ between two values; lists are leaves. */
export function differences(a: unknown, b: unknown, at = ''): Difference[] {
  const [x, y] = [a, b];
  if (isObject(x) && isObject(y)) {
    const keys = [...new Set([...Object.keys(x), ...Object.keys(y)])];
    return keys.flatMap((key) => differences(x[key], y[key], at === '' ? key : `${at}.${key}`));
  }
  return JSON.stringify(x) === JSON.stringify(y) ? [] : [{ field: at, a: x, b: y }];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
