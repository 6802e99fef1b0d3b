// One estimate of several data sets: random effects, with the interval of Hartung and Knapp.
import { jStat } from 'jstat';
import { tTestP, type Interval } from './statistics';

/** The estimate of one data set. */
export interface Estimate {
  effect: number;
  /** Squared standard error of `effect`, above 0. */
  variance: number;
}

/** The estimate over all data sets. */
export interface PooledEffect {
  /** Number of data sets. */
  k: number;
  effect: number;
  /** Standard error by Hartung and Knapp. */
  standardError: number;
  /** Of Student's t with k - 1 degrees of freedom. */
  interval: Interval;
  /** Two-sided, that the effect is 0. */
  pValue: number;
  /** Variance of the true effects between data sets, by Paule and Mandel. */
  between: number;
  /** Share of each data set in the estimate; they sum to 1. */
  weights: number[];
}

/**
 * Pools the estimates of at least two data sets by a random effects model: the true effects differ between data sets.
 * Their variance is that of Paule and Mandel (1982), found by bisection; the interval is that of Hartung and Knapp
 * (Statistics in Medicine 20, 2001), with Student's t, which stays honest for few data sets.
 * @returns `null` for fewer than two estimates with a variance above 0; the others are left out.
 */
export function pooledEffect(estimates: readonly Estimate[], confidence = 0.95): PooledEffect | null {
  const usable = estimates.filter(({ effect, variance }) => Number.isFinite(effect) && variance > 0);
  const k = usable.length;
  if (k < 2) return null;
  const at = (between: number): { effect: number; weights: number[]; total: number; spread: number } => {
    const weights = usable.map(({ variance }) => 1 / (variance + between));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const effect = usable.reduce((sum, each, i) => sum + weights[i] * each.effect, 0) / total;
    const spread = usable.reduce((sum, each, i) => sum + weights[i] * (each.effect - effect) ** 2, 0);
    return { effect, weights, total, spread };
  };
  let between = 0;
  if (at(0).spread > k - 1) {
    let [low, high] = [0, 1];
    while (at(high).spread > k - 1) high *= 2;
    for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
      between = (low + high) / 2;
      if (at(between).spread > k - 1) low = between;
      else high = between;
    }
  }
  const { effect, weights, total, spread } = at(between);
  const standardError = Math.sqrt(spread / ((k - 1) * total));
  const reach = jStat.studentt.inv((1 + confidence) / 2, k - 1) * standardError;
  return {
    k,
    effect,
    standardError,
    interval: { low: effect - reach, high: effect + reach },
    pValue: tTestP({ n: k, mean: effect, std: standardError * Math.sqrt(k) }, 0)!,
    between,
    weights: weights.map((weight) => weight / total),
  };
}
