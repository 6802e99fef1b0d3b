// What can be said of a mean from a few runs: its spread and Student's interval.
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

/** Found by iteration, and asked for again by every row of a table: kept. */
const quantiles = new Map<string, number>();

function studentQuantile(probability: number, freedom: number): number {
  const key = `${probability} ${freedom}`;
  const known = quantiles.get(key) ?? jStat.studentt.inv(probability, freedom);
  quantiles.set(key, known);
  return known;
}

/** n, mean, std and interval of a sample; what n is too small for is `null`. */
export function summarize(values: readonly number[], confidence = 0.95): Summary {
  const n = values.length;
  return {
    n,
    mean: n > 0 ? mean(values) : null,
    std: n > 1 ? sampleStd(values) : null,
    interval: n > 1 ? meanInterval(values, confidence) : null,
  };
}
