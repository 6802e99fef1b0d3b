// What a figure says of a claim: one number a seed, paired with the control's, with the verdict of all tables.
import type { Interval } from '../../analysis/statistics/statistics';
import { verdictRule, type EffectOfInterest, type Verdict } from '../comparison/verdict';
import { Table } from '../table/tabular';

/** A method against its control, in one number. */
export interface FigureClaim {
  method: string;
  control: string;
  /** The layers or stages, for example `16 convolutions, conv_stem to 5 expand (input side)`. */
  of: string;
  /** The quantity, for example `gradient norm`. */
  what: string;
  /** `ratio`: times the control's; `points`: percentage points above it; `cka`: how much lower the alignment is. */
  unit: 'ratio' | 'points' | 'cka';
  /** Seeds that both have. */
  pairs: number;
  /** `null` when there are no pairs. */
  value: number | null;
  /** Student's 95 % interval; `null` with fewer than two pairs. */
  interval: Interval | null;
  /** Sample standard deviation of the paired difference, of a ratio that of its logarithm. Default: not given. */
  spread?: number | null;
  /** On the figure's claim; `null` for a part without a claim. */
  verdict: Verdict | null;
  /** The smallest effect of interest. */
  effect: EffectOfInterest;
  /** What the claim presupposes, as measured. Where it does not hold there is no verdict. Default: nothing. */
  precondition?: { text: string; holds: boolean };
}

const TESTED = 'Of ratios the logarithm is tested. A part without a verdict is not claimed.';

/** The numbers of claims as a table with the rule below it; all are of one unit. */
export function claimsTable(claims: readonly FigureClaim[], { title }: { title: string }): Table {
  const units = { ratio: 'Times the control', points: 'Points above the control', cka: 'CKA below the control' };
  const unit = claims[0]?.unit ?? 'ratio';
  const digits = unit === 'points' ? 2 : 3;
  return new Table({
    title,
    caption:
      `Each method against its control, mean over the seeds that both have${unit === 'ratio' ? ' (geometric)' : ''}, ` +
      `with Student's 95 % interval.`,
    columns: [
      { key: 'method', title: 'Method', group: true, hoist: true },
      { key: 'control', title: 'Against', group: true, hoist: true },
      { key: 'of', title: 'Of' },
      { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0 },
      { key: 'value', title: units[unit], kind: 'number', digits },
      { key: 'interval', title: '95 % interval', kind: 'interval', digits },
      { key: 'verdict', title: 'Verdict', mark: true },
    ],
    rows: claims.map(({ method, control, of, pairs, value, interval, verdict }) => ({
      method,
      control,
      of,
      pairs,
      value,
      interval: interval && [interval.low, interval.high],
      verdict,
    })),
    notes: claims.length === 0 ? [] : [...preconditions(claims), `${verdictRule(claims[0].effect)} ${TESTED}`],
  });
}

/** What claims presuppose, once for each method. */
function preconditions(claims: readonly FigureClaim[]): string[] {
  const all = claims.flatMap(({ precondition: found, method }) =>
    found === undefined
      ? []
      : [`Precondition, ${method}: ${found.text}. ${found.holds ? 'It holds.' : 'It does not hold: no verdict.'}`],
  );
  return [...new Set(all)];
}

/** The verdicts as sentences for a caption; empty when nothing is claimed. */
export function claimText(claims: readonly FigureClaim[]): string {
  const verdicts = claims
    .filter(({ verdict }) => verdict !== null)
    .map(({ method, control, of, what, unit, pairs, value, interval, verdict }) => {
      if (value === null) return ` Verdict: ${verdict}.`;
      const number = (x: number): string => x.toFixed(unit === 'points' ? 2 : 3).replace('-', '−');
      // the claim is that CKA is lower, the sentence gives the difference of CKA itself
      const [middle, low, high] =
        unit === 'cka'
          ? [-value, -(interval?.high ?? 0), -(interval?.low ?? 0)]
          : [value, interval?.low ?? 0, interval?.high ?? 0];
      const points = unit === 'points' ? ' percentage points' : '';
      const size =
        unit === 'ratio'
          ? `the ${what} of ${method} is ${number(middle)} times that of ${control}`
          : `the ${what} of ${method} less that of ${control} is ${number(middle)}${points}`;
      const sure = interval === null ? '' : `, 95 % interval ${number(low)} to ${number(high)}`;
      return ` Verdict: ${verdict}; ${size} (${of}; ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}${sure}).`;
    })
    .join('');
  const presupposed = preconditions(claims).map((text) => ` ${text}`);
  return verdicts + presupposed.join('');
}
