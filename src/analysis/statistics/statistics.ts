// The mean of a few runs: its spread, Student's interval and test.
import { jStat } from 'jstat';

/** A closed range of numbers. */
export interface Interval {
  low: number;
  high: number;
}

/** A sample in four numbers. */
export interface Summary {
  /** Number of values. */
  n: number;
  /** Arithmetic mean; `null` when n = 0. */
  mean: number | null;
  /** Standard deviation of the sample (divisor n - 1); `null` when n < 2. */
  std: number | null;
  /** Student's interval of the mean; `null` when n < 2. */
  interval: Interval | null;
}

/** Arithmetic mean. @throws RangeError of an empty sample. */
export function mean(values: readonly number[]): number {
  if (values.length === 0)
    throw new RangeError('The mean of no values is not defined: expected at least one value, found none.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample, divisor n - 1. @throws RangeError of fewer than two values. */
export function sampleStd(values: readonly number[]): number {
  if (values.length < 2)
    throw new RangeError(`A sample's standard deviation needs at least two values, found ${values.length}.`);
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/**
 * Student's interval of the mean: mean +- t((1 + confidence) / 2, n - 1) std / sqrt(n).
 * It assumes independent, roughly normal values; with two or three seeds it is wide, and rightly so.
 * @param confidence in (0, 1). Default 0.95.
 * @throws RangeError of fewer than two values.
 */
export function meanInterval(values: readonly number[], confidence = 0.95): Interval {
  const center = mean(values);
  const reach =
    (studentQuantile((1 + confidence) / 2, values.length - 1) * sampleStd(values)) / Math.sqrt(values.length);
  return { low: center - reach, high: center + reach };
}

/** Kept: each row of a table needs the same few. */
const quantiles = new Map<string, number>();

function studentQuantile(probability: number, freedom: number): number {
  const key = `${probability} ${freedom}`;
  const known = quantiles.get(key) ?? jStat.studentt.inv(probability, freedom);
  quantiles.set(key, known);
  return known;
}

/**
 * The two-sided p of the one-sample t-test that the mean is `value`; `null` with fewer than two values. Of values
 * without any spread it is 1 when they are `value`, else 0.
 */
export function tTestP({ n, mean: found, std }: Pick<Summary, 'n' | 'mean' | 'std'>, value = 0): number | null {
  if (n < 2 || found === null || std === null) return null;
  const rounding = 1e-12 * Math.max(1, Math.abs(found), Math.abs(value));
  if (std <= rounding) return Math.abs(found - value) <= rounding ? 1 : 0;
  const t = ((found - value) / std) * Math.sqrt(n);
  // the tail of Student's t as a regularised incomplete beta function, accurate far out
  return jStat.ibeta((n - 1) / (n - 1 + t * t), (n - 1) / 2, 0.5);
}

/** n, mean, std and interval of a sample; a value that needs a larger n is `null`. */
export function summarize(values: readonly number[], confidence = 0.95): Summary {
  const n = values.length;
  return {
    n,
    mean: n > 0 ? mean(values) : null,
    std: n > 1 ? sampleStd(values) : null,
    interval: n > 1 ? meanInterval(values, confidence) : null,
  };
}
