// What runs can show: from the spread over their seeds, the smallest effects that they find, and the seeds for smaller
// ones.
import { detectableEffect, sampleSizeFor, type Summary } from '../../../analysis';
import {
  compareMethods,
  DEFAULT_EFFECT,
  type FigureSources,
  groupRuns,
  isPlain,
  type LayeredRun,
  layeredGroupsOf,
  placeOf,
  samePartsBut,
  Table,
} from '../../../report';
import type { RunRecord } from '../../../runs';
import { distanceClaims, gradientClaims } from '../figure-claims';

const [LEVEL, POWER] = [0.05, 0.8];

/** Effects in a table are given for so many pairs. */
const PLANNED = [3, 5, 10];

interface Measured {
  dataset: string;
  backbone: string;
  settings: string | null;
  claim: string;
  difference: Pick<Summary, 'n' | 'std'>;
  /** The smallest effect of interest. */
  effect: number;
  unit: 'points' | 'ratio';
}

/**
 * Of each comparison of RIFLE with its control: the spread of the paired difference, the smallest effect that 3, 5 and
 * 10 pairs find with power 0.8 at 5 % (two-sided t-test), and the pairs that find the smallest effect of interest.
 * Of ratios (F1, F2) the logarithm is tested. Needs two pairs or more.
 */
export function powerTable(records: readonly RunRecord[], { layers = () => [] }: FigureSources = {}): Table {
  const measured = [...accuracies(records), ...ratios(records, layers)].filter(
    ({ difference: { n, std } }) => n > 1 && std !== null && std > 0,
  );
  return new Table({
    id: 'power',
    title: 'What these runs could show',
    caption:
      'The spread (sample standard deviation) of the paired difference over seeds, and from it the smallest effects ' +
      `that ${PLANNED.join(', ')} pairs find with power ${POWER} in a two-sided t-test at ${100 * LEVEL} %. ` +
      'Accuracy in percentage points; F1 and F2 as times the control.',
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'settings', title: 'Settings', dataOnly: true },
      { key: 'claim', title: 'Claim' },
      { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0 },
      { key: 'spread', title: 'Spread', kind: 'number', digits: 3 },
      ...PLANNED.map((n) => ({
        key: `detectable${n}`,
        title: `Found by ${n} pairs`,
        kind: 'number' as const,
        digits: 2,
      })),
      { key: 'effect', title: 'Of interest', kind: 'number', digits: 2 },
      { key: 'needed', title: 'Pairs for it', kind: 'number', digits: 0 },
    ],
    rows: measured.map(({ difference: { n, std }, effect, unit, ...row }) => {
      const shown = (value: number): number => (unit === 'ratio' ? Math.exp(value) : value);
      return {
        ...row,
        pairs: n,
        spread: std,
        ...Object.fromEntries(
          PLANNED.map((count) => [`detectable${count}`, shown(std! * detectableEffect(count, LEVEL, POWER))]),
        ),
        effect: shown(effect),
        needed: sampleSizeFor(effect / std!, LEVEL, POWER),
      };
    }),
    notes: ['The spread of few pairs is itself uncertain: with 5 pairs the true one may be 0.6 to 2.9 times as large.'],
  });
}

function accuracies(records: readonly RunRecord[]): Measured[] {
  return groupRuns(records).flatMap((group) =>
    group.methods
      .filter((runs) => !isPlain(runs))
      .flatMap((treated): Measured[] => {
        const control = group.methods.find((runs) => isPlain(runs) && samePartsBut('reset', runs, treated));
        if (control === undefined) return [];
        const { difference } = compareMethods(treated, control);
        const claim = `accuracy, ${treated.label}`;
        return [{ ...placeOf(group), claim, difference, effect: DEFAULT_EFFECT.value, unit: 'points' }];
      }),
  );
}

function ratios(records: readonly RunRecord[], layersOf: NonNullable<FigureSources['layers']>): Measured[] {
  const runs: LayeredRun[] = records
    .filter(({ status }) => status === 'finished')
    .map((record) => ({ record, layers: layersOf(record.id) }))
    .filter(({ layers }) => layers.length > 0);
  return layeredGroupsOf(runs).flatMap((group) =>
    [
      { name: 'F1', claims: distanceClaims(group) },
      { name: 'F2', claims: gradientClaims(group) },
    ].flatMap(({ name, claims }) =>
      claims
        .filter(({ of, interval }) => of.endsWith('(input side)') && interval !== null)
        .map((claim): Measured => ({
          ...placeOf(group.group),
          claim: `${name}, ${claim.method}`,
          difference: { n: claim.pairs, std: claim.spread ?? null },
          effect: claim.effect.value,
          unit: 'ratio',
        })),
    ),
  );
}
