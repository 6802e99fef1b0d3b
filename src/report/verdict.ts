// The rule by which a claim that a method raises accuracy counts as reproduced: written here, once, and printed under every table that uses it.
import type { PairedDifference } from '../analysis/paired';

/** What our runs say of a claim. */
export type Verdict = 'reproduced' | 'direction only' | 'not reproduced' | 'not run';

/** The rule in words. */
export const VERDICT_RULE =
  'Verdict: "reproduced" when the 95 % interval of the mean paired difference lies entirely above 0; "direction only" when the mean is above 0 but the interval contains 0, ' +
  'or one pair gives no interval; "not reproduced" when the mean is 0 or below; "not run" when there is no pair of runs.';

/** Training accuracy in the last epoch below which a run is called unfinished. */
export const CONVERGED_TRAIN_TOP1 = 0.95;

/** The verdict on the claim that the treated runs are the better ones. @param difference treated - control, paired by seed. */
export function verdictOf(difference: PairedDifference): Verdict {
  const { mean, interval } = difference;
  if (mean === null) return 'not run';
  if (mean <= 0) return 'not reproduced';
  return interval !== null && interval.low > 0 ? 'reproduced' : 'direction only';
}
