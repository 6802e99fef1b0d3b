// The rule by which a claim that a method raises accuracy counts as reproduced: written here, once, and printed under
// every table that uses it.
import type { PairedDifference } from '../../analysis/statistics/paired';

/** What our runs say of a claim. */
export type Verdict = 'reproduced' | 'direction only' | 'not reproduced' | 'failed' | 'not run';

/** What several verdicts say of a claim together. */
export type OverallVerdict = Verdict | 'mixed';

/** The rule in words. */
export const VERDICT_RULE =
  'Verdict: "reproduced" when the 95 % interval (Student\'s) of the mean paired difference lies entirely above 0; "direction only" when the mean is above 0 but the interval contains 0, ' +
  'or one pair gives no interval; "not reproduced" when the mean is 0 or below; "failed" when a run of either side ended without a number: nothing is averaged over what is left; ' +
  '"not run" when there is no pair of runs.';

/** The rule for a claim that is tested more than once, in words. */
export const OVERALL_RULE =
  'Together: "reproduced" when every comparison is; "direction only" when every mean is above 0; "not reproduced" when none is; else "mixed". ' +
  'Comparisons that failed or were not run are counted, and set aside.';

/** Training accuracy in the last epoch below which a run is called unfinished. */
export const CONVERGED_TRAIN_TOP1 = 0.95;

/**
 * The verdict on the claim that the treated runs are the better ones. @param difference treated - control, paired by
 * seed. @param failed whether a run of either side failed.
 */
export function verdictOf(difference: Pick<PairedDifference, 'mean' | 'interval'>, failed = false): Verdict {
  const { mean, interval } = difference;
  if (failed) return 'failed';
  if (mean === null) return 'not run';
  if (mean <= 0) return 'not reproduced';
  return interval !== null && interval.low > 0 ? 'reproduced' : 'direction only';
}

/** The verdict on a claim that several comparisons test, by `OVERALL_RULE`. */
export function overallVerdict(verdicts: readonly Verdict[]): OverallVerdict {
  const decided = verdicts.filter((verdict) => verdict !== 'failed' && verdict !== 'not run');
  if (decided.length === 0) return verdicts.includes('failed') ? 'failed' : 'not run';
  if (decided.every((verdict) => verdict === decided[0])) return decided[0];
  return decided.includes('not reproduced') ? 'mixed' : 'direction only';
}

/** `reproduced 1, direction only 2, not run 1`: how often each verdict was given. */
export function countVerdicts(verdicts: readonly Verdict[]): string {
  const order: readonly Verdict[] = ['reproduced', 'direction only', 'not reproduced', 'failed', 'not run'];
  const counts = order.map((verdict) => ({ verdict, count: verdicts.filter((each) => each === verdict).length }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${verdict} ${count}`)
    .join(', ');
}
