// The bootstrap interval of a mean: what the sample itself says of its spread, without the normal distribution.
import { jStat } from 'jstat';
import { randomStream } from '../../base/random';
import { mean, type Interval } from './statistics';

/** Values below which no bootstrap interval is given. */
export const BOOTSTRAP_LEAST = 5;

/** Options of `bootstrapInterval`. */
export interface BootstrapOptions {
  /** In (0, 1). Default 0.95. */
  confidence?: number;
  /** Default 10,000. */
  resamples?: number;
  /**
   * Seed of the resamples (stream `bootstrap`): the same seed and n give the same resamples, whatever the values.
   * Default 0.
   */
  seed?: number;
}

/**
 * The bias-corrected and accelerated (BCa) bootstrap interval of the mean (Efron, "Better bootstrap confidence
 * intervals", JASA 82, 1987).
 * Deterministic. Equal values give an interval of no width.
 *
 * It is `null` for fewer than `BOOTSTRAP_LEAST` (5) values. n values have C(2n - 1, n) different resamples: 10 of
 * three, 35 of four, 126 of five; and the share of resamples that hold the smallest value alone, n^-n, is above 2.5 %
 * for n <= 3, so that the "95 % interval" would be the range of the values, which holds the mean of a symmetric
 * distribution in 75 % of cases only. Also from 5 on it tends to be too narrow for small n (by about sqrt((n - 1) / n)
 * and the difference of z from t): Student's interval, not this, decides the verdict.
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
  const means = new Float64Array(resamples);
  for (let r = 0, at = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++, at++) sum += values[drawn[at]];
    means[r] = sum / n;
  }
  return means;
}

/** Drawn positions by n, resamples and seed: a table has many differences of the same n. The oldest makes room. */
const cache = new Map<string, Uint32Array>();

function positions(n: number, resamples: number, seed: number): Uint32Array {
  const key = `${n} ${resamples} ${seed}`;
  let drawn = cache.get(key);
  if (drawn === undefined) {
    const stream = randomStream(seed, 'bootstrap');
    drawn = new Uint32Array(n * resamples);
    for (let i = 0; i < drawn.length; i++) drawn[i] = stream.integer(n);
    if (cache.size >= 8) cache.delete(cache.keys().next().value!);
    cache.set(key, drawn);
  }
  return drawn;
}

/**
 * The BCa interval from the means of resamples: quantiles (linear between order statistics) at Phi(z0 + (z0 + z) / (1 -
 * a (z0 + z))), with z0 the normal quantile of the share of resampled means below the mean (ties count half) and a the
 * acceleration by the jackknife.
 */
export function bcaInterval(values: readonly number[], means: ArrayLike<number>, confidence = 0.95): Interval {
  const n = values.length;
  const center = mean(values);
  if (values.every((value) => value === values[0])) return { low: values[0], high: values[0] };
  const near = 1e-9 * Math.max(...values.map(Math.abs)); // a resample of the same sum differs in its last bits
  const parted = new Float64Array(means);
  let [below, upTo] = [0, 0];
  for (let r = 0; r < parted.length; r++) {
    if (parted[r] < center - near) below++;
    if (parted[r] <= center + near) upTo++;
  }
  const bias = jStat.normal.inv((below + upTo) / 2 / parted.length, 0, 1);
  // Leaving value i out moves the mean by (center - value_i) / (n - 1): the jackknife's influences are value_i -
  // center.
  const moment = (power: number): number => values.reduce((sum, value) => sum + (value - center) ** power, 0);
  const acceleration = moment(3) / n ** 3 / (6 * (moment(2) / n ** 2) ** 1.5);
  const end = (probability: number): number => {
    const shifted = bias + jStat.normal.inv(probability, 0, 1);
    return quantile(parted, jStat.normal.cdf(bias + shifted / (1 - acceleration * shifted), 0, 1));
  };
  return { low: end((1 - confidence) / 2), high: end((1 + confidence) / 2) };
}

/**
 * Linear between the order statistics of `values`, whose order changes. A table asks this of hundreds of samples: two
 * are found in them faster than all are sorted.
 */
function quantile(values: Float64Array, probability: number): number {
  const at = probability * (values.length - 1);
  const lower = Math.min(values.length - 1, Math.max(0, Math.floor(at)));
  const low = select(values, lower);
  let high = lower + 1 < values.length ? Infinity : low;
  for (let i = lower + 1; i < values.length; i++) if (values[i] < high) high = values[i];
  return low + (at - lower) * (high - low);
}

/**
 * The value that ascending order has at `place`; those before it are then no larger, those after it no smaller. Hoare's
 * quickselect, its pivot from a part that is selected first (Floyd and Rivest, "Algorithm 489: SELECT", CACM 18, 1975).
 */
function select(values: Float64Array, place: number, from = 0, to = values.length - 1): number {
  while (from < to) {
    const n = to - from + 1;
    if (n > 600) {
      const rank = place - from + 1;
      const part = 0.5 * n ** (2 / 3);
      const margin = 0.5 * Math.sqrt((Math.log(n) * part * (n - part)) / n) * Math.sign(rank - n / 2);
      select(
        values,
        place,
        Math.max(from, Math.floor(place - (rank * part) / n + margin)),
        Math.min(to, Math.floor(place + ((n - rank) * part) / n + margin)),
      );
    }
    const pivot = values[place];
    let [i, j] = [from, to];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (place <= j) to = j;
    else if (place >= i) from = i;
    else break;
  }
  return values[place];
}
