// The one mechanism of all tables that compare methods: a plan of rows becomes a table.
import { summarize } from '../../analysis/statistics/statistics';
import type { Cell, CellSource, Column, Pair, Row } from '../table/cells';
import { Table } from '../table/tabular';
import { failureText } from './comparison';
import type { ComparisonPlan, ComparisonRow, StudyTableOptions } from './comparison-plan';
import { finalTrainTop1, type MethodRuns } from './grouping';
import { captionOf, claimKey, notesOf } from './notes';
import { ALL_DATASETS, pooledRows, type PooledRow } from './pooling';
import { Citations, NOT_AT_HAND, readReported } from './reported';
import { DEFAULT_EFFECT, judge, type Judgement } from './verdict';

/** The table of `plan`. */
export function comparisonTable(plan: ComparisonPlan, options: StudyTableOptions = {}): Table {
  const citations = new Citations(options.reported ?? readReported());
  const { rows, layout, effect = DEFAULT_EFFECT } = plan;
  const judgements = judgeClaims(plan);
  const pooled = pooledRows(plan, effect);
  const cells = [
    ...rows.map((row) => cellsOf(row, layout, citations, judgements.get(claimKey(row)))),
    ...pooled.map((row) => pooledCells(row, plan)),
  ];
  const controls = new Set(rows.flatMap(({ comparison }) => (comparison ? [comparison.control.label] : [])));
  const against = layout === 'methods' && controls.size === 1 ? [...controls][0] : null;
  return new Table({
    id: plan.id,
    title: options.title ?? plan.title,
    caption: captionOf(plan, options, against, judgements),
    columns: columnsOf(plan, cells, against),
    rows: cells,
    sources: [...rows.map((row) => sourcesOf(row, layout)), ...pooled.map(pooledSources)],
    notes: notesOf(plan, options, citations, judgements, pooled.length > 0),
  });
}

/** The judgement of each claim once, also where a table repeats it in another block. */
function judgeClaims({ rows, effect }: ComparisonPlan): Map<string, Judgement> {
  const claims = new Map(
    rows.filter(({ isClaim, comparison }) => isClaim && comparison).map((row) => [claimKey(row), row.comparison!]),
  );
  const judgements = judge([...claims.values()], effect);
  return new Map([...claims.keys()].map((key, i) => [key, judgements[i]]));
}

const top1Of = ({ records }: MethodRuns): Pair | null => {
  const { mean, std } = summarize(records.map((record) => 100 * record.top1));
  return mean === null ? null : [mean, std];
};

/** Mean and spread; in words where there are no runs or one failed. */
const accuracyCell = (runs: MethodRuns): Cell => failureText(runs) ?? top1Of(runs) ?? 'not run';

function cellsOf(
  { condition, section, label, shown, comparison, isClaim, extra }: ComparisonRow,
  layout: ComparisonPlan['layout'],
  citations: Citations,
  judgement: Judgement | undefined,
): Row {
  const failed = failureText(shown);
  const difference = comparison?.difference;
  const sides = comparison && layout === 'pairs' ? [comparison.control, comparison.treated] : [shown];
  return {
    dataset: condition.dataset ?? 'any',
    backbone: condition.backbone ?? 'any',
    settings: condition.settings || null,
    section: section ?? null,
    method: label,
    ...extra,
    n: layout === 'pairs' ? (difference?.n ?? 0) : shown.records.length,
    test: accuracyCell(shown),
    train: failed !== null ? null : summarize(shown.records.map((record) => 100 * finalTrainTop1(record))).mean,
    without: comparison ? accuracyCell(comparison.control) : null,
    with: comparison ? accuracyCell(comparison.treated) : null,
    treated: comparison?.treated.label ?? null,
    control: comparison?.control.label ?? null,
    pairs: difference?.n ?? null,
    difference: difference?.mean ?? null,
    interval: difference?.interval ? [difference.interval.low, difference.interval.high] : null,
    bootstrap: difference?.bootstrap ? [difference.bootstrap.low, difference.bootstrap.high] : null,
    wilcoxon: difference?.wilcoxon?.pValue ?? null,
    p: judgement?.pValue ?? null,
    p_holm: judgement?.adjusted ?? null,
    verdict: isClaim ? (judgement?.verdict ?? 'not run') : null,
    seeds_needed: judgement?.seedsNeeded ?? null,
    detectable: judgement?.detectable ?? null,
    reported: citations.textOf(
      sides.map(({ method }) => method),
      condition,
    ),
    status: failed ?? (shown.records.length === 0 ? 'not run' : 'finished'),
    runs: idsOf(shown).join(' ') || null,
    treated_runs: comparison ? idsOf(comparison.treated).join(' ') || null : null,
    control_runs: comparison ? idsOf(comparison.control).join(' ') || null : null,
  };
}

/** The same cells of a pooled row; no accuracy is pooled, only the difference. */
function pooledCells({ rows, pooled, verdict }: PooledRow, { layout }: ComparisonPlan): Row {
  const only = (values: readonly (string | null)[]): string | null => (new Set(values).size === 1 ? values[0] : null);
  const pairs = rows.reduce((sum, { comparison }) => sum + comparison!.difference.n, 0);
  const sides = rows.map(({ comparison }) => [comparison!.treated.label, comparison!.control.label]);
  return {
    dataset: ALL_DATASETS,
    backbone: only(rows.map(({ condition }) => condition.backbone)) ?? 'several',
    settings: null,
    section: only(rows.map(({ section }) => section ?? null)),
    method: only(rows.map(({ label }) => label)),
    n: layout === 'pairs' ? pairs : null,
    test: null,
    train: null,
    without: null,
    with: null,
    treated: only(sides.map(([treated]) => treated)),
    control: only(sides.map(([, control]) => control)),
    pairs,
    difference: pooled.effect,
    interval: [pooled.interval.low, pooled.interval.high],
    bootstrap: null,
    wilcoxon: null,
    p: pooled.pValue,
    p_holm: null,
    verdict,
    seeds_needed: null,
    detectable: null,
    reported: NOT_AT_HAND,
    status: 'pooled',
    runs: null,
    treated_runs: rows.flatMap(({ comparison }) => idsOf(comparison!.treated)).join(' '),
    control_runs: rows.flatMap(({ comparison }) => idsOf(comparison!.control)).join(' '),
  };
}

const idsOf = ({ records }: MethodRuns): string[] => records.map(({ id }) => id);

const DIFFERENCE_KEYS = ['difference', 'interval', 'bootstrap', 'wilcoxon', 'p', 'p_holm', 'verdict'];

/** The runs behind each number of a row. */
function sourcesOf(
  { condition, shown, comparison }: ComparisonRow,
  layout: ComparisonPlan['layout'],
): Record<string, CellSource> {
  const sources: Record<string, CellSource> = {};
  const add = (keys: readonly string[], of: string, runs: MethodRuns, against?: MethodRuns): void => {
    if (runs.records.length === 0 || against?.records.length === 0) return;
    for (const key of keys)
      sources[key] = {
        of: `${of}, ${condition.label}`,
        runs: idsOf(runs),
        ...(against ? { against: idsOf(against), sides: [runs.label, against.label] as const } : {}),
      };
  };
  if (layout !== 'pairs') add(['n', 'test', 'train'], shown.label, shown);
  if (comparison === null) return sources;
  const { treated, control } = comparison;
  if (layout === 'pairs') {
    add(['without'], control.label, control);
    add(['with'], treated.label, treated);
  }
  const keys = layout === 'pairs' ? [...DIFFERENCE_KEYS, 'n'] : DIFFERENCE_KEYS;
  add(keys, `${treated.label} − ${control.label}`, treated, control);
  return sources;
}

function pooledSources({ claim, rows }: PooledRow): Record<string, CellSource> {
  const source: CellSource = {
    of: `${claim}, ${ALL_DATASETS}`,
    runs: rows.flatMap(({ comparison }) => [...idsOf(comparison!.treated), ...idsOf(comparison!.control)]),
  };
  return Object.fromEntries(['difference', 'interval', 'p', 'verdict'].map((key) => [key, source]));
}

function columnsOf(plan: ComparisonPlan, rows: readonly Row[], against: string | null): Column[] {
  const { layout, labelTitle, sideTitles = ['Without', 'With'] } = plan;
  const has = (key: string): boolean => rows.some((row) => row[key] !== null && row[key] !== undefined);
  const isPairs = layout === 'pairs';
  const heading = plan.differenceTitle ?? (against === null ? 'Difference' : `Difference to ${against}`);
  const isCorrected = rows.filter(({ p_holm: p }) => p !== null && p !== undefined).length > 1;
  const number = { kind: 'number', digits: 3 } as const;
  return [
    { key: 'dataset', title: 'Data set', group: true, hoist: true },
    { key: 'backbone', title: 'Backbone', group: labelTitle !== null, hoist: labelTitle !== null },
    { key: 'settings', title: 'Settings', group: labelTitle !== null, hoist: true, dataOnly: !has('settings') },
    ...(has('section') ? [{ key: 'section', title: 'What is varied', group: true }] : []),
    ...(labelTitle === null ? [] : [{ key: 'method', title: labelTitle }]),
    ...(plan.extraColumns ?? []),
    { key: 'n', title: isPairs ? 'Pairs' : 'n', kind: 'number', digits: 0 },
    { key: 'test', title: 'Test top-1', unit: '%', kind: 'spread', dataOnly: isPairs },
    { key: 'train', title: 'Train top-1', unit: '%', kind: 'number', dataOnly: isPairs },
    ...(isPairs
      ? ([
          { key: 'without', title: sideTitles[0], unit: '%', kind: 'spread' },
          { key: 'with', title: sideTitles[1], unit: '%', kind: 'spread' },
        ] as const)
      : []),
    { key: 'treated', title: 'Treated', dataOnly: true },
    { key: 'control', title: 'Against', dataOnly: layout !== 'methods' || against !== null || !has('control') },
    { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0, dataOnly: true },
    { key: 'difference', title: heading, kind: 'number', signed: true },
    { key: 'interval', title: '95 % interval', kind: 'interval', signed: true },
    { key: 'bootstrap', title: 'Bootstrap', kind: 'interval', signed: true, dataOnly: !has('bootstrap') },
    { key: 'wilcoxon', title: 'Wilcoxon p', ...number, dataOnly: !has('wilcoxon') },
    { key: 'p', title: 'p', ...number, dataOnly: true },
    { key: 'p_holm', title: 'p (Holm)', ...number, dataOnly: !isCorrected },
    { key: 'verdict', title: 'Verdict', mark: true, dataOnly: !has('verdict') },
    { key: 'seeds_needed', title: 'Seeds to decide', kind: 'number', digits: 0, dataOnly: !has('seeds_needed') },
    { key: 'detectable', title: 'Detectable', kind: 'number', dataOnly: !has('detectable') },
    { key: 'reported', title: 'Reported', unit: '%', align: 'left', hoist: true },
    { key: 'status', title: 'Status', dataOnly: true },
    { key: 'runs', title: 'Runs', dataOnly: true },
    { key: 'treated_runs', title: 'Runs treated', dataOnly: true },
    { key: 'control_runs', title: 'Runs against', dataOnly: true },
  ];
}
