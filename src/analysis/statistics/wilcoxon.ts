// Wilcoxon's signed-rank test of paired differences: only their signs and the order of their sizes count.
import { jStat } from 'jstat';

/** The outcome of the test. */
export interface SignedRank {
  /** Differences that are not zero. */
  n: number;
  /** The smaller of the sums of ranks of positive and of negative differences. */
  statistic: number;
  /** Two-sided. */
  pValue: number;
  /** `exact`: from all 2^n signs of the ranks as they are, ties included; `normal`: approximated, for n above 50. */
  method: 'exact' | 'normal';
}

/** Nonzero differences below which no two-sided p under 0.05 exists: the smallest is 2 / 2^n, 0.0625 for five. */
export const WILCOXON_LEAST = 6;

/** Largest n of the exact distribution (scipy's own bound). */
const EXACT_MOST = 50;

/**
 * Differences nearer than this count as equal: those of accuracies differ in their last bits where the counts are the
 * same.
 */
const SAME = 1e-9;

/**
 * Two-sided signed-rank test (Wilcoxon, Biometrics Bulletin 1, 1945) that the differences are symmetric around zero.
 * Zeros are dropped (scipy's `zero_method='wilcox'`), tied sizes share their mean rank, no continuity correction. As
 * scipy.stats.wilcoxon: with ties or zeros scipy is exact up to n = 13 (by permutation) and this up to 50.
 * @returns `null` when fewer than `WILCOXON_LEAST` (6) differences are not zero: p < 0.05 is then out of reach,
 *   whatever the values.
 */
export function wilcoxonSignedRank(differences: readonly number[]): SignedRank | null {
  const nonzero = differences.filter((value) => Math.abs(value) > SAME);
  const n = nonzero.length;
  if (n < WILCOXON_LEAST) return null;
  const { doubled, ties } = doubledRanks(nonzero.map(Math.abs));
  const total = n * (n + 1); // of all doubled ranks
  const positive = doubled.reduce((sum, rank, i) => sum + (nonzero[i] > 0 ? rank : 0), 0);
  const smaller = Math.min(positive, total - positive);
  const isExact = n <= EXACT_MOST;
  const pValue = isExact ? exactTail(doubled, smaller) : normalTail(n, smaller / 2, ties);
  return { n, statistic: smaller / 2, pValue: Math.min(1, 2 * pValue), method: isExact ? 'exact' : 'normal' };
}

/** Twice the mid-ranks (whole numbers) of `sizes`, and the numbers of sizes that are tied. */
function doubledRanks(sizes: readonly number[]): { doubled: number[]; ties: number[] } {
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[a] - sizes[b]);
  const doubled = new Array<number>(sizes.length);
  const ties: number[] = [];
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && sizes[order[to]] - sizes[order[to - 1]] <= SAME) to++;
    for (let i = from; i < to; i++) doubled[order[i]] = from + 1 + to; // ranks from + 1 to `to`
    ties.push(to - from);
    from = to;
  }
  return { doubled, ties };
}

/** The share of the 2^n sign patterns whose positive doubled ranks sum to at most `bound`. */
function exactTail(doubled: readonly number[], bound: number): number {
  const share = new Float64Array(bound + 1);
  share[0] = 1;
  for (const rank of doubled) {
    for (let sum = bound; sum >= 0; sum--) share[sum] = (share[sum] + (sum >= rank ? share[sum - rank] : 0)) / 2;
  }
  return share.reduce((sum, value) => sum + value, 0);
}

/** One tail of the normal approximation, its variance corrected for ties. */
function normalTail(n: number, smaller: number, ties: readonly number[]): number {
  const tied = ties.reduce((sum, count) => sum + count ** 3 - count, 0);
  const std = Math.sqrt((n * (n + 1) * (2 * n + 1) - tied / 2) / 24);
  return jStat.normal.cdf((smaller - (n * (n + 1)) / 4) / std, 0, 1);
}
