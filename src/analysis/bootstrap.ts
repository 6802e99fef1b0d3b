// The bootstrap interval of a mean: what the sample itself says of its spread, without the normal distribution.
import { jStat } from 'jstat';
import { randomStream } from '../engine/random';
import { mean, type Interval } from './statistics';

/** Values below which no bootstrap interval is given. */
export const BOOTSTRAP_LEAST = 5;

/** Options of `bootstrapInterval`. */
export interface BootstrapOptions {
  /** In (0, 1). Default 0.95. */
  confidence?: number;
  /** Default 10,000. */
  resamples?: number;
  /** Seed of the resamples (stream `bootstrap`): the same seed and n give the same resamples, whatever the values. Default 0. */
  seed?: number;
}

/**
 * The bias-corrected and accelerated (BCa) bootstrap interval of the mean (Efron, "Better bootstrap confidence intervals", JASA 82, 1987).
 * Deterministic. Equal values give an interval of no width.
 *
 * It is `null` for fewer than `BOOTSTRAP_LEAST` (5) values. n values have C(2n - 1, n) different resamples: 10 of three, 35 of four, 126 of
 * five; and the share of resamples that hold the smallest value alone, n^-n, is above 2.5 % for n <= 3, so that the "95 % interval" would
 * be the range of the values, which holds the mean of a symmetric distribution in 75 % of cases only. Also from 5 on it tends to be too
 * narrow for small n (by about sqrt((n - 1) / n) and the difference of z from t): Student's interval, not this, decides the verdict.
 */
export function bootstrapInterval(values: readonly number[], options: BootstrapOptions = {}): Interval | null {
  const { confidence = 0.95, resamples = 10_000, seed = 0 } = options;
  if (values.length < BOOTSTRAP_LEAST) return null;
  return bcaInterval(values, resampledMeans(values, resamples, seed), confidence);
}

/** Means of resamples with replacement, drawn from the stream (seed, `bootstrap`). */
export function resampledMeans(values: readonly number[], resamples: number, seed: number): Float64Array {
  const n = values.length;
  const drawn = positions(n, resamples, seed);
  return Float64Array.from({ length: resamples }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[drawn[r * n + i]];
    return sum / n;
  });
}

/** Drawn positions by n, resamples and seed: a table has many differences of the same n. The oldest makes room. */
const cache = new Map<string, Uint32Array>();

function positions(n: number, resamples: number, seed: number): Uint32Array {
  const key = `${n} ${resamples} ${seed}`;
  let drawn = cache.get(key);
  if (drawn === undefined) {
    const stream = randomStream(seed, 'bootstrap');
    drawn = Uint32Array.from({ length: n * resamples }, () => stream.integer(n));
    if (cache.size >= 8) cache.delete(cache.keys().next().value!);
    cache.set(key, drawn);
  }
  return drawn;
}

/**
 * The BCa interval from the means of resamples: quantiles (linear between order statistics) at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), with
 * z0 the normal quantile of the share of resampled means below the mean (ties count half) and a the acceleration by the jackknife.
 */
export function bcaInterval(values: readonly number[], means: ArrayLike<number>, confidence = 0.95): Interval {
  const n = values.length;
  const center = mean(values);
  if (values.every((value) => value === values[0])) return { low: values[0], high: values[0] };
  const sorted = Float64Array.from(means).sort();
  const near = 1e-9 * Math.max(...values.map(Math.abs)); // a resample of the same sum differs in its last bits
  const [below, upTo] = [sorted.findIndex((value) => value >= center - near), sorted.findIndex((value) => value > center + near)].map((at) => (at < 0 ? sorted.length : at));
  const bias = jStat.normal.inv((below + upTo) / 2 / sorted.length, 0, 1);
  // Leaving value i out moves the mean by (center - value_i) / (n - 1): the jackknife's influences are value_i - center.
  const moment = (power: number): number => values.reduce((sum, value) => sum + (value - center) ** power, 0);
  const acceleration = moment(3) / n ** 3 / (6 * (moment(2) / n ** 2) ** 1.5);
  const end = (probability: number): number => {
    const shifted = bias + jStat.normal.inv(probability, 0, 1);
    return quantile(sorted, jStat.normal.cdf(bias + shifted / (1 - acceleration * shifted), 0, 1));
  };
  return { low: end((1 - confidence) / 2), high: end((1 + confidence) / 2) };
}

/** Linear between the order statistics of ascending `sorted`. */
function quantile(sorted: Float64Array, probability: number): number {
  const at = probability * (sorted.length - 1);
  const lower = Math.min(sorted.length - 1, Math.max(0, Math.floor(at)));
  const upper = Math.min(sorted.length - 1, lower + 1);
  return sorted[lower] + (at - lower) * (sorted[upper] - sorted[lower]);
}
