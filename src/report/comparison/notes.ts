// What stands around a table of results: the caption says what the numbers are of, the notes what to make of them.
import { BOOTSTRAP_LEAST } from '../../analysis/statistics/bootstrap';
import { WILCOXON_LEAST } from '../../analysis/statistics/wilcoxon';
import type { RunRecord } from '../../runs/store/record';
import { failuresOf } from './comparison';
import { finalTrainTop1, type MethodRuns } from './grouping';
import type { ComparisonPlan, Line, StudyTableOptions } from './rows';
import type { Place } from './columns';
import type { Citations } from './reported';
import {
  CONVERGED_TRAIN_TOP1,
  countVerdicts,
  OVERALL_RULE,
  overallVerdict,
  VERDICT_RULE,
  type Verdict,
} from './verdict';

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Items in a sentence: `a, b and c`. */
export const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

/** Each once, in the order of first use. */
export const distinct = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** Every method's runs that the lines show or compare, once. */
function methodsOf(lines: readonly Line[]): { place: Place; runs: MethodRuns }[] {
  const seen = new Map<string, { place: Place; runs: MethodRuns }>();
  for (const { place, shown, comparison } of lines) {
    for (const runs of [...(comparison ? [comparison.control, comparison.treated] : []), shown])
      seen.set(`${place.label}\u0000${runs.label}`, { place, runs });
  }
  return [...seen.values()];
}

const recordsOf = (lines: readonly Line[]): RunRecord[] =>
  distinct(methodsOf(lines).flatMap(({ runs }) => runs.records));

/** Each tested comparison once, also where a table repeats it in another block. */
function claimsOf(lines: readonly Line[]): Line[] {
  const keyOf = ({ place, shown, comparison }: Line): string =>
    [place.label, shown.label, comparison?.treated.label, comparison?.control.label].join('\u0000');
  return [...new Map(lines.filter(({ isClaim }) => isClaim).map((line) => [keyOf(line), line])).values()];
}

const verdictsOf = (claims: readonly Line[]): Verdict[] =>
  claims.map(({ comparison }) => comparison?.verdict ?? 'not run');

/**
 * What the numbers are, of how many runs, at which scale, on what, and what came out. @param against the one method
 * that all differences are to.
 */
export function captionOf(
  plan: ComparisonPlan,
  { scale, notes = [] }: StudyTableOptions,
  against: string | null,
): string {
  const { lines, layout } = plan;
  const records = recordsOf(lines);
  const differences = lines.flatMap(({ comparison }) => (comparison ? [comparison.difference] : []));
  const to =
    layout === 'methods'
      ? ` to ${against ?? 'the method named'}`
      : layout === 'rivals'
        ? ', RIFLE − the method of the row'
        : ', with RIFLE − without';
  const tests = [
    "Student's 95 % interval",
    ...(differences.some(({ bootstrap }) => bootstrap !== null)
      ? ['the BCa bootstrap interval (10,000 resamples)']
      : []),
    ...(differences.some(({ wilcoxon }) => wilcoxon !== null)
      ? ["the two-sided p of Wilcoxon's signed-rank test"]
      : []),
  ];
  const verdicts = verdictsOf(claimsOf(lines));
  return [
    plan.about ?? '',
    `Test top-1 after the last epoch: mean ± sample standard deviation over ${seedsText(records)}.`,
    differences.length === 0
      ? ''
      : `Difference: percentage points${to}, mean over the seeds that both have, with ${list(tests)}.`,
    scale === undefined ? '' : `Scale ${scale}.`,
    ...distinct(records.map(imagesText)),
    records.length === 0 ? '' : `Backbone: ${list(distinct(records.map(({ spec }) => spec.backbone)))}.`,
    ...notes,
    verdicts.length === 0 ? '' : `Verdict: ${countVerdicts(verdicts)}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** `n = 3 seeds (0, 1, 2)`, or `n seeds` when methods differ in them. */
function seedsText(records: readonly RunRecord[]): string {
  const bySeed = new Map<string, number[]>();
  for (const { dataset, spec, method } of records) {
    const key = JSON.stringify([dataset.name, spec.backbone, method]);
    bySeed.set(key, [...(bySeed.get(key) ?? []), spec.seed]);
  }
  const sets = distinct(
    [...bySeed.values()].map((seeds) =>
      distinct(seeds)
        .sort((a, b) => a - b)
        .join(', '),
    ),
  );
  if (sets.length !== 1) return 'n seeds';
  const n = sets[0].split(', ').length;
  return `n = ${n} ${n === 1 ? 'seed' : 'seeds'} (${sets[0]})`;
}

/** `elpv: 4 classes, 240 training and 200 test images (one test image is 0.50 points).` */
function imagesText({ dataset: { name, classes, train, test } }: RunRecord): string {
  return `${name}: ${classes.length} classes, ${train} training and ${test} test images (one test image is ${(100 / test).toFixed(2)} points).`;
}

/** The rule, what is missing, what failed, what is not comparable, and whose values are cited. */
export function notesOf(plan: ComparisonPlan, options: StudyTableOptions, citations: Citations): string[] {
  const { lines } = plan;
  const isClaim = lines.some((line) => line.isClaim);
  return [
    ...(isClaim ? [VERDICT_RULE, ...togetherNotes(plan)] : []),
    ...missingNotes(plan, options),
    ...failureNotes(lines),
    ...pairingNotes(lines),
    ...convergenceNotes(lines),
    ...smallSampleNotes(lines),
    ...citations.notes(),
  ];
}

/** The verdict on each claim that is tested more than once, and what many comparisons do to chance. */
function togetherNotes({ lines, claimOf }: ComparisonPlan): string[] {
  const claims = claimsOf(lines);
  const names = claimOf ? distinct(claims.map(claimOf)) : [];
  const together = names.flatMap((name) => {
    const verdicts = verdictsOf(claims.filter((line) => claimOf!(line) === name));
    return verdicts.length < 2 ? [] : [`${capital(name)}: ${overallVerdict(verdicts)} (${countVerdicts(verdicts)}).`];
  });
  const tested = claims.filter(({ comparison }) => comparison?.difference.interval).length;
  const chance = `This table makes ${tested} comparisons and corrects none for their number: if RIFLE had no effect, about one in 40 intervals would still lie above 0.`;
  return [...(together.length > 0 ? [`${OVERALL_RULE} ${together.join(' ')}`] : []), ...(tested > 3 ? [chance] : [])];
}

/** The command that makes the runs that the table has none of. */
function missingNotes({ lines, command }: ComparisonPlan, { scale }: StudyTableOptions): string[] {
  const missing = methodsOf(lines).filter(({ runs }) => runs.records.length === 0);
  if (missing.length === 0 || command === undefined) return [];
  const datasets = distinct(missing.flatMap(({ place }) => (place.dataset === null ? [] : [place.dataset])));
  const what = distinct(missing.map(({ runs }) => runs.label));
  return [
    `Not run${datasets.length > 0 ? ` on ${list(datasets)}` : ''}: ${list(what)}. To make these runs: \`${command}${scale === undefined ? '' : ` --scale ${scale}`}\`.`,
  ];
}

/** What each failed run said last. */
function failureNotes(lines: readonly Line[]): string[] {
  return methodsOf(lines).flatMap(({ place, runs }) => {
    const failed = failuresOf(runs);
    if (failed.length === 0) return [];
    const each = failed.map(({ spec, failure, id }) => {
      const loss =
        failure?.lastLoss == null ? 'no finite loss before' : `last finite loss ${failure.lastLoss.toPrecision(4)}`;
      return `seed ${spec.seed}${failure ? ` in epoch ${failure.epoch}` : ''} (${loss}; run ${id})`;
    });
    return [`Failed: ${runs.label} on ${place.label}: ${each.join(', ')}. Its other runs are not averaged.`];
  });
}

/** Which runs found no partner: one note for all partners that leave out as many. */
function pairingNotes(lines: readonly Line[]): string[] {
  const manyPlaces = distinct(lines.map(({ place }) => place.label)).length > 1;
  const partners = new Map<string, string[]>();
  for (const { place, comparison } of lines) {
    if (comparison === null || failuresOf(comparison.treated).length + failuresOf(comparison.control).length > 0)
      continue;
    const { treated, control, difference } = comparison;
    const [from, to] = treated.records.length >= control.records.length ? [treated, control] : [control, treated];
    if (to.records.length === 0 || difference.n === from.records.length) continue;
    const key = `${manyPlaces ? `${place.label}, ` : ''}${from.label}: ${difference.n} of ${from.records.length} seeds were also run with`;
    partners.set(key, distinct([...(partners.get(key) ?? []), to.label]));
  }
  return [...partners].map(([key, others]) => `${key} ${list(others)}; only those are paired.`);
}

/** Which methods have runs that ended before they had learnt their training images. */
function convergenceNotes(lines: readonly Line[]): string[] {
  const places = distinct(lines.map(({ place }) => place.label));
  return places.flatMap((label) => {
    const unfinished = methodsOf(lines).flatMap(({ place, runs }) => {
      if (place.label !== label || failuresOf(runs).length > 0) return [];
      const low = runs.records.map((record) => finalTrainTop1(record)).filter((top1) => top1 < CONVERGED_TRAIN_TOP1);
      return low.length === 0
        ? []
        : [`${runs.label} ${low.length} of ${runs.records.length} (lowest ${(100 * Math.min(...low)).toFixed(1)} %)`];
    });
    if (unfinished.length === 0) return [];
    return [
      `Not converged${places.length > 1 ? `, ${label}` : ''}: runs that end with a training top-1 below ${100 * CONVERGED_TRAIN_TOP1} %: ${unfinished.join(', ')}. ` +
        'A difference between unfinished runs tells which learns faster, not which ends higher.',
    ];
  });
}

/** Why the bootstrap interval or the signed-rank test is not given. */
function smallSampleNotes(lines: readonly Line[]): string[] {
  const differences = lines.flatMap(({ comparison }) =>
    comparison && comparison.difference.n > 0 ? [comparison.difference] : [],
  );
  const without = [
    ...(differences.some(({ bootstrap }) => bootstrap === null)
      ? [
          `a bootstrap interval (fewer than ${BOOTSTRAP_LEAST} pairs: it would be about their range, and hold the mean too seldom)`,
        ]
      : []),
    ...(differences.some(({ wilcoxon }) => wilcoxon === null)
      ? [`Wilcoxon's test (fewer than ${WILCOXON_LEAST} differences other than 0: no p below 0.05 is possible)`]
      : []),
  ];
  return without.length === 0 ? [] : [`Too few pairs for ${list(without)}: left out.`];
}
