// The text around a table of results: the caption describes the numbers; the notes give the rule and what is missing.
import type { RunRecord } from '../../runs/store/record';
import { failuresOf } from './comparison';
import type { ComparisonPlan, ComparisonRow, StudyTableOptions } from './comparison-plan';
import type { Condition } from './conditions';
import { finalTrainTop1, type MethodRuns } from './grouping';
import type { RunSpec } from '../../transfer/spec/spec';
import { repetitionOf, repetitionsText, repetitionText } from './repetition';
import type { Citations } from './reported';
import {
  CONVERGED_TRAIN_TOP1,
  countVerdicts,
  DEFAULT_EFFECT,
  overallVerdict,
  powerText,
  verdictRule,
  type Judgement,
  type Verdict,
} from './verdict';

/** The judgements of a table's claims by `claimKey`. */
type Judgements = ReadonlyMap<string, Judgement>;

/** `text` with a capital first letter. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Items in a sentence: `a, b and c`. */
export const list = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

/** Each once, in the order of first use. */
export const distinct = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** The same for rows that test the same claim on the same runs. */
export const claimKey = ({ condition, shown, comparison }: ComparisonRow): string =>
  [condition.label, shown.label, comparison?.treated.label, comparison?.control.label].join('\u0000');

/** All runs that the rows show or compare, each method once a condition. */
function methodsOf(rows: readonly ComparisonRow[]): { condition: Condition; runs: MethodRuns }[] {
  const seen = new Map<string, { condition: Condition; runs: MethodRuns }>();
  for (const { condition, shown, comparison } of rows) {
    for (const runs of [...(comparison ? [comparison.control, comparison.treated] : []), shown])
      seen.set(`${condition.label}\u0000${runs.label}`, { condition, runs });
  }
  return [...seen.values()];
}

const recordsOf = (rows: readonly ComparisonRow[]): RunRecord[] =>
  distinct(methodsOf(rows).flatMap(({ runs }) => runs.records));

/** Each tested claim once. */
const claimsOf = (rows: readonly ComparisonRow[]): ComparisonRow[] => [
  ...new Map(rows.filter(({ isClaim }) => isClaim).map((row) => [claimKey(row), row])).values(),
];

const verdictsOf = (claims: readonly ComparisonRow[], judgements: Judgements): Verdict[] =>
  claims.map((row) => judgements.get(claimKey(row))?.verdict ?? 'not run');

/**
 * What the numbers are, of how many runs, at which scale, on which data, and the verdicts.
 * @param against the one method that all differences are to.
 */
export function captionOf(
  plan: ComparisonPlan,
  { scale, notes = [] }: StudyTableOptions,
  against: string | null,
  judgements: Judgements,
): string {
  const { rows, layout } = plan;
  const records = recordsOf(rows);
  const differences = rows.flatMap(({ comparison }) => (comparison ? [comparison.difference] : []));
  const to =
    plan.differenceText ?? (layout === 'methods' ? `to ${against ?? 'the method named'}` : 'treated − control');
  const tests = [
    "Student's 95 % interval",
    ...(differences.some(({ bootstrap }) => bootstrap !== null)
      ? ['the BCa bootstrap interval (10,000 resamples)']
      : []),
    ...(differences.some(({ wilcoxon }) => wilcoxon !== null)
      ? ["the two-sided p of Wilcoxon's signed-rank test"]
      : []),
  ];
  const verdicts = verdictsOf(claimsOf(rows), judgements);
  return [
    plan.about ?? '',
    `Test top-1 after the last epoch: mean ± sample standard deviation over ${seedsText(records)}.`,
    differences.length === 0
      ? ''
      : `Difference (${to}): percentage points, mean over the seeds that both have, with ${list(tests)}.`,
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
  const ofMethod = new Map<string, RunSpec[]>();
  for (const { dataset, spec, method } of records) {
    const key = JSON.stringify([dataset.name, spec.backbone, method]);
    ofMethod.set(key, [...(ofMethod.get(key) ?? []), spec]);
  }
  const sets = distinct([...ofMethod.values()].map(repetitionsText));
  const hasFolds = records.some(({ spec }) => spec.fold != null);
  if (sets.length !== 1) return hasFolds ? 'n folds and seeds' : 'n seeds';
  const n = distinct([...ofMethod.values()][0].map(repetitionOf)).length;
  if (hasFolds) return `n = ${n} runs (${sets[0]})`;
  return `n = ${n} ${n === 1 ? 'seed' : 'seeds'} (${sets[0]})`;
}

/** `elpv: 4 classes, 240 training and 200 test images (one test image is 0.50 points).` */
function imagesText({ dataset: { name, classes, train, test } }: RunRecord): string {
  const images = `${train} training and ${test} test images (one test image is ${(100 / test).toFixed(2)} points)`;
  return `${name}: ${classes.length} classes, ${images}.`;
}

/** The rule, what is missing, what failed, what has not converged, and the sources of cited values. */
export function notesOf(
  plan: ComparisonPlan,
  options: StudyTableOptions,
  citations: Citations,
  judgements: Judgements,
  isPooled: boolean,
): string[] {
  const { rows } = plan;
  return [
    ...(rows.some(({ isClaim }) => isClaim) ? ruleNotes(plan, judgements) : []),
    ...(isPooled ? [POOLED_TEXT] : []),
    ...missingNotes(plan, options),
    ...failureNotes(rows),
    ...pairingNotes(rows),
    ...convergenceNotes(rows),
    ...foldNotes(rows),
    ...citations.notes(),
  ];
}

/** What folds mean for the intervals. */
const foldNotes = (rows: readonly ComparisonRow[]): string[] =>
  methodsOf(rows).some(({ runs }) => runs.records.some(({ spec }) => spec.fold != null))
    ? [
        'Folds share training images: their differences are not independent, and the intervals are too narrow ' +
          '(Bengio and Grandvalet, JMLR 5, 2004).',
      ]
    : [];

const POOLED_TEXT =
  'All data sets: random effects (Paule and Mandel), interval of Hartung and Knapp; judged by that interval alone.';

/** The rule, and one verdict for each claim that several rows test. */
function ruleNotes({ rows, claimOf, effect = DEFAULT_EFFECT }: ComparisonPlan, judgements: Judgements): string[] {
  const claims = claimsOf(rows);
  const all = [...judgements.values()];
  const tested = all.filter(({ adjusted }) => adjusted !== null).length;
  const isOpen = all.some(({ seedsNeeded }) => seedsNeeded !== null);
  const together = distinct(claimOf ? claims.map(claimOf) : []).flatMap((name) => {
    const verdicts = verdictsOf(
      claims.filter((row) => claimOf!(row) === name),
      judgements,
    );
    return verdicts.length < 2 ? [] : [`${capital(name)}: ${overallVerdict(verdicts)} (${countVerdicts(verdicts)}).`];
  });
  return [
    [verdictRule(effect, tested), ...(isOpen ? [powerText(effect)] : [])].join(' '),
    ...(together.length > 0 ? [`Together: ${together.join(' ')}`] : []),
  ];
}

/** The command that makes the runs that the table has none of. */
function missingNotes({ rows, command }: ComparisonPlan, { scale }: StudyTableOptions): string[] {
  const missing = methodsOf(rows).filter(({ runs }) => runs.records.length === 0);
  if (missing.length === 0 || command === undefined) return [];
  const datasets = distinct(missing.flatMap(({ condition: { dataset } }) => (dataset === null ? [] : [dataset])));
  const where = datasets.length > 0 ? ` on ${list(datasets)}` : '';
  const labels = list(distinct(missing.map(({ runs }) => runs.label)));
  const at = scale === undefined ? '' : ` --scale ${scale}`;
  return [`Not run${where}: ${labels}. To make these runs: \`${command}${at}\`.`];
}

/** When each failed run failed, and its last loss. */
function failureNotes(rows: readonly ComparisonRow[]): string[] {
  return methodsOf(rows).flatMap(({ condition, runs }) => {
    const failed = failuresOf(runs);
    if (failed.length === 0) return [];
    const each = failed.map(({ spec, failure, id }) => {
      const loss =
        failure?.lastLoss == null ? 'no finite loss before' : `last finite loss ${failure.lastLoss.toPrecision(4)}`;
      const seed = spec.fold == null ? `seed ${spec.seed}` : repetitionText(spec);
      return `${seed}${failure ? ` in epoch ${failure.epoch}` : ''} (${loss}; run ${id})`;
    });
    return [`Failed: ${runs.label} on ${condition.label}: ${each.join(', ')}. Its other runs are not averaged.`];
  });
}

/** Which seeds have no partner: one note for all partners that leave out as many. */
function pairingNotes(rows: readonly ComparisonRow[]): string[] {
  const isSeveral = distinct(rows.map(({ condition }) => condition.label)).length > 1;
  const partners = new Map<string, string[]>();
  for (const { condition, comparison } of rows) {
    if (comparison === null || comparison.failed) continue;
    const { treated, control, difference } = comparison;
    const [from, to] = treated.records.length >= control.records.length ? [treated, control] : [control, treated];
    if (to.records.length === 0 || difference.n === from.records.length) continue;
    const where = isSeveral ? `${condition.label}, ` : '';
    const key = `${where}${from.label}: ${difference.n} of ${from.records.length} seeds were also run with`;
    partners.set(key, distinct([...(partners.get(key) ?? []), to.label]));
  }
  return [...partners].map(([key, others]) => `${key} ${list(others)}; only those are paired.`);
}

/** Which methods have runs that ended before they fitted their training images. */
function convergenceNotes(rows: readonly ComparisonRow[]): string[] {
  const labels = distinct(rows.map(({ condition }) => condition.label));
  return labels.flatMap((label) => {
    const unfinished = methodsOf(rows).flatMap(({ condition, runs }) => {
      if (condition.label !== label || failuresOf(runs).length > 0) return [];
      const low = runs.records.map((record) => finalTrainTop1(record)).filter((top1) => top1 < CONVERGED_TRAIN_TOP1);
      const lowest = `lowest ${(100 * Math.min(...low)).toFixed(1)} %`;
      return low.length === 0 ? [] : [`${runs.label} ${low.length} of ${runs.records.length} (${lowest})`];
    });
    if (unfinished.length === 0) return [];
    return [
      `Not converged${labels.length > 1 ? `, ${label}` : ''}: these runs end with a training top-1 below ` +
        `${100 * CONVERGED_TRAIN_TOP1} %: ${unfinished.join(', ')}. Their differences compare speed of training, ` +
        'not final accuracy.',
    ];
  });
}
