// What differs between two runs: first what could explain a difference in result, then the results, then what they
// cost.
import type { RunRecord } from './record';

/** One difference. */
export interface Difference {
  /** Dotted path, for example `spec.optimizer.learningRate`. */
  field: string;
  a: unknown;
  b: unknown;
}

/** Two runs side by side. */
export interface Comparison {
  a: string;
  b: string;
  /** What numbers depend on by design: spec, images, pretrained weights, the kit's numerics. */
  causes: Difference[];
  /** What may move the last bits, and with them a whole run: versions, device, number of threads, a dirty tree. */
  suspects: Difference[];
  results: Difference[];
  /** The first epoch (1-based) whose numbers differ; null when none does. */
  partedAt: number | null;
  costs: Difference[];
}

/** Compares two records. */
export function compareRuns(a: RunRecord, b: RunRecord): Comparison {
  const pick = (of: (record: RunRecord) => object): Difference[] => differences(of(a), of(b));
  const both = Math.max(a.epochs.length, b.epochs.length);
  const parted = Array.from({ length: both }, (_, i) => i).find((i) =>
    NUMBERS.some((name) => a.epochs[i]?.[name] !== b.epochs[i]?.[name]),
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
    partedAt: parted === undefined ? null : parted + 1,
    costs: pick(({ wallSeconds, peakMemoryMb, startedAt }) => ({ wallSeconds, peakMemoryMb, startedAt })),
  };
}

/** What of an epoch is a result. */
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

/** A verdict in a sentence. */
export function verdictOf({ causes, suspects, partedAt }: Comparison): string {
  if (partedAt === null)
    return causes.length === 0
      ? 'The same numbers in every epoch.'
      : 'The same numbers in every epoch, though they were asked for something else.';
  const from = `Their numbers part in epoch ${partedAt}`;
  if (causes.length > 0)
    return `${from}: they were asked for something else (${causes.length} field${causes.length > 1 ? 's' : ''}).`;
  if (suspects.length > 0)
    return `${from}: the same run, made with something else (${suspects.map(({ field }) => field.replace('environment.', '')).join(', ')}).`;
  return `${from}, and nothing that is recorded explains it: the runs are not deterministic, or a file was changed.`;
}

/** Where the leaves of two values differ; lists are leaves. */
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
