// The rule of the verdicts: the one place that says when a claim counts as supported.
import { holmAdjusted } from '../../analysis/statistics/holm';
import { detectableEffect, sampleSizeFor } from '../../analysis/statistics/power';
import { tTestP, type Interval, type Summary } from '../../analysis/statistics/statistics';

/** What runs say of a claim. */
export type Verdict = 'supported' | 'contradicted' | 'inconclusive' | 'failed' | 'not run';

/** What several verdicts say of a claim together. */
export type OverallVerdict = Verdict | 'mixed';

/** The smallest effect that matters to a claim. */
export interface EffectOfInterest {
  /** In the unit of the difference. */
  value: number;
  /** For people, for example `0.5 points`. */
  text: string;
  /** No effect, for people. Default `0`; of a ratio `1`. */
  none?: string;
  /** Who says so, for example `our choice`. */
  source: string;
}

/** Half a percentage point. */
export const DEFAULT_EFFECT: EffectOfInterest = { value: 0.5, text: '0.5 points', source: 'our choice' };

/** Level of the tests and power of the calculations of sample size. */
const [LEVEL, POWER] = [0.05, 0.8];

/** Training accuracy in the last epoch below which a run counts as not converged. */
export const CONVERGED_TRAIN_TOP1 = 0.95;

/** The rule in words, for a table of `claims` tested claims. */
export function verdictRule(effect: EffectOfInterest = DEFAULT_EFFECT, claims = 1): string {
  const corrected = claims > 1 ? `, both after Holm's correction for the ${claims} claims tested here` : '';
  return (
    `Verdict on the mean paired difference: "supported" when its 95 % interval lies above ${effect.none ?? '0'}, ` +
    `"contradicted" when it lies below ${effect.text} (the smallest effect of interest: ${effect.source})` +
    `${corrected}; else "inconclusive". ` +
    `"Failed": a run ended without a number. "Not run": there is no pair of runs.`
  );
}

/** What the numbers beside an inconclusive verdict mean. */
export const powerText = ({ text }: EffectOfInterest): string =>
  `Seeds to decide: how many pairs find an effect of ${text} with power 0.8 at the spread seen here. ` +
  `Detectable: the smallest effect that these pairs find with that power.`;

/** A verdict with the numbers behind it. */
export interface Judgement {
  verdict: Verdict;
  /** Two-sided, of the paired t-test that the difference is 0; `null` with fewer than two pairs. */
  pValue: number | null;
  /** The same after Holm's correction over all claims judged together. */
  adjusted: number | null;
  /** Of an inconclusive claim with a spread: pairs that would decide it. */
  seedsNeeded: number | null;
  /** Of an inconclusive claim with a spread: the smallest effect that its pairs could have shown. */
  detectable: number | null;
}

/** What is judged: treated - control. */
export interface Judged {
  difference: Summary;
  /** Whether a run of either side failed. Default false. */
  failed?: boolean;
}

/**
 * Judges the claims of one table, each that the treated side is above the control.
 *
 * The intervals of the rule are those of the t-test at 5 % over all claims of the table: Holm's step-down correction
 * (Scandinavian Journal of Statistics 6, 1979) is applied to the tests that a difference is 0, and to the tests that it
 * is the smallest effect of interest. Of one claim that is the 95 % interval itself.
 */
export function judge(claims: readonly Judged[], effect: EffectOfInterest = DEFAULT_EFFECT): Judgement[] {
  const against = (value: number): (number | null)[] =>
    claims.map(({ difference, failed }) => (failed ? null : tTestP(difference, value)));
  const [pValues, fromEffect] = [against(0), against(effect.value)];
  const [adjusted, adjustedEffect] = [holmAdjusted(pValues), holmAdjusted(fromEffect)];
  return claims.map(({ difference, failed = false }, i) => {
    const { n, mean, std } = difference;
    const isBelow = (p: number | null): boolean => p !== null && p < LEVEL;
    const verdict = ((): Verdict => {
      if (failed) return 'failed';
      if (mean === null) return 'not run';
      if (mean > 0 && isBelow(adjusted[i])) return 'supported';
      return mean < effect.value && isBelow(adjustedEffect[i]) ? 'contradicted' : 'inconclusive';
    })();
    const isOpen = verdict === 'inconclusive' && std !== null && std > 0;
    return {
      verdict,
      pValue: pValues[i],
      adjusted: adjusted[i],
      seedsNeeded: isOpen ? sampleSizeFor(effect.value / std, LEVEL, POWER) : null,
      detectable: isOpen ? detectableEffect(n, LEVEL, POWER) * std : null,
    };
  });
}

/** The verdict on one claim alone, by its interval. */
export function verdictFor(
  { mean, interval }: { mean: number | null; interval: Interval | null },
  effect: EffectOfInterest = DEFAULT_EFFECT,
): Verdict {
  if (mean === null) return 'not run';
  if (interval === null) return 'inconclusive';
  return interval.low > 0 ? 'supported' : interval.high < effect.value ? 'contradicted' : 'inconclusive';
}

/** One verdict of several: theirs when they agree; `mixed` when some support and some contradict the claim. */
export function overallVerdict(verdicts: readonly Verdict[]): OverallVerdict {
  const decided = verdicts.filter((verdict) => verdict !== 'failed' && verdict !== 'not run');
  if (decided.length === 0) return verdicts.includes('failed') ? 'failed' : 'not run';
  if (decided.every((verdict) => verdict === decided[0])) return decided[0];
  return decided.includes('supported') && decided.includes('contradicted') ? 'mixed' : 'inconclusive';
}

const ORDER: readonly Verdict[] = ['supported', 'inconclusive', 'contradicted', 'failed', 'not run'];

/** `supported 1, inconclusive 2, not run 1`: how often each verdict was given. */
export function countVerdicts(verdicts: readonly Verdict[]): string {
  return ORDER.map((verdict) => ({ verdict, count: verdicts.filter((each) => each === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${verdict} ${count}`)
    .join(', ');
}
