// Runs of two methods compared seed by seed: the mean difference, three ways to say how sure it is.
import { bootstrapInterval } from './bootstrap';
import { summarize, type Interval, type Summary } from './statistics';
import { wilcoxonSignedRank, type SignedRank } from './wilcoxon';

/** A paired difference, and over which keys (seeds) it was taken. Its `interval` is that of the paired t-test. */
export interface PairedDifference extends Summary {
  /** The keys that both sides have, ascending. */
  seeds: number[];
  /** treated - control at each of `seeds`. */
  differences: number[];
  /** BCa bootstrap interval of the mean; `null` for fewer than 5 pairs (see `bootstrapInterval`). */
  bootstrap: Interval | null;
  /** Signed-rank test; `null` for fewer than 6 differences that are not zero (see `wilcoxonSignedRank`). */
  wilcoxon: SignedRank | null;
}

/**
 * The differences treated - control of the runs that share a seed, summarized. A seed draws the same head, order and
 * crops for both sides, so that pairing takes their common luck out.
 * @param treated value by seed. @param control value by seed.
 * @param confidence of both intervals, in (0, 1). Default 0.95.
 */
export function pairedDifference(
  treated: ReadonlyMap<number, number>,
  control: ReadonlyMap<number, number>,
  confidence = 0.95,
): PairedDifference {
  const seeds = [...treated.keys()].filter((seed) => control.has(seed)).sort((a, b) => a - b);
  const differences = seeds.map((seed) => treated.get(seed)! - control.get(seed)!);
  return {
    ...summarize(differences, confidence),
    seeds,
    differences,
    bootstrap: bootstrapInterval(differences, { confidence }),
    wilcoxon: wilcoxonSignedRank(differences),
  };
}
