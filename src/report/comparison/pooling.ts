// Rows that pool the comparisons of one claim over several data sets.
import { pooledEffect, type PooledEffect } from '../../analysis/statistics/pooled';
import type { ComparisonPlan, ComparisonRow } from './comparison-plan';
import { verdictFor, type EffectOfInterest, type Verdict } from './verdict';

/** What stands in the column of data sets of a pooled row. */
export const ALL_DATASETS = 'all data sets';

/** The estimate of one claim over all its data sets. */
export interface PooledRow {
  claim: string;
  /** The rows that are pooled: one a data set. */
  rows: ComparisonRow[];
  pooled: PooledEffect;
  verdict: Verdict;
}

/**
 * The claims that are tested on at least two data sets, each pooled by a random effects model. A row counts when it has
 * two pairs or more and a spread. A claim that one data set tests more than once (with several backbones or settings)
 * is not pooled: those rows are not independent.
 */
export function pooledRows({ rows, poolBy }: ComparisonPlan, effect: EffectOfInterest): PooledRow[] {
  if (poolBy === undefined) return [];
  const tested = rows.filter(({ isClaim, comparison }) => isClaim && (comparison?.difference.std ?? 0) > 0);
  const claims = [...new Set(tested.map(poolBy))];
  return claims.flatMap((claim) => {
    const own = tested.filter((row) => poolBy(row) === claim);
    const datasets = new Set(own.map(({ condition }) => condition.dataset));
    if (datasets.size < own.length) return [];
    const pooled = pooledEffect(
      own.map(({ comparison }) => {
        const { mean, std, n } = comparison!.difference;
        return { effect: mean!, variance: std! ** 2 / n };
      }),
    );
    return pooled === null
      ? []
      : [{ claim, rows: own, pooled, verdict: verdictFor({ mean: pooled.effect, interval: pooled.interval }, effect) }];
  });
}
