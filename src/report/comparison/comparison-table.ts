// The one mechanism of all tables that compare methods: lines (what stands in a row, what it is compared with) become a
// table.
import { summarize } from '../../analysis/statistics/statistics';
import type { Cell, CellSource, Column, Pair, Row } from '../table/cells';
import { failureText } from './comparison';
import { finalTrainTop1, type MethodRuns } from './grouping';
import type { ComparisonPlan, Line, StudyTableOptions } from './rows';
import { captionOf, notesOf } from './notes';
import { Citations, readReported } from './reported';
import { Table } from '../table/tabular';

/** The table of `plan`. */
export function comparisonTable(plan: ComparisonPlan, options: StudyTableOptions = {}): Table {
  const citations = new Citations(options.reported ?? readReported());
  const { lines, layout } = plan;
  const rows = lines.map((line) => rowOf(line, layout, citations));
  const controls = new Set(lines.flatMap(({ comparison }) => (comparison ? [comparison.control.label] : [])));
  const against = layout === 'methods' && controls.size === 1 ? [...controls][0] : null;
  return new Table({
    id: plan.id,
    title: options.title ?? plan.title,
    caption: captionOf(plan, options, against),
    columns: columnsOf(plan, rows, against),
    rows,
    sources: lines.map((line) => sourcesOf(line, layout)),
    notes: notesOf(plan, options, citations),
  });
}

const top1Of = ({ records }: MethodRuns): Pair | null => {
  const { mean, std } = summarize(records.map((record) => 100 * record.top1));
  return mean === null ? null : [mean, std];
};

/** Mean and spread; in words where there are no runs or one failed. */
const accuracyCell = (runs: MethodRuns): Cell => failureText(runs) ?? top1Of(runs) ?? 'not run';

function rowOf(
  { place, section, label, shown, comparison, isClaim, extra }: Line,
  layout: ComparisonPlan['layout'],
  citations: Citations,
): Row {
  const failed = failureText(shown);
  const difference = comparison?.difference;
  const sides = comparison && layout === 'pairs' ? [comparison.control, comparison.treated] : [shown];
  return {
    dataset: place.dataset ?? 'any',
    backbone: place.backbone ?? 'any',
    settings: place.settings || null,
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
    verdict: isClaim ? (comparison?.verdict ?? 'not run') : null,
    reported: citations.textOf(
      sides.map(({ method }) => method),
      place,
    ),
    status: failed ?? (shown.records.length === 0 ? 'not run' : 'finished'),
    runs: idsOf(shown).join(' ') || null,
    treated_runs: comparison ? idsOf(comparison.treated).join(' ') || null : null,
    control_runs: comparison ? idsOf(comparison.control).join(' ') || null : null,
  };
}

const idsOf = ({ records }: MethodRuns): string[] => records.map(({ id }) => id);

/** The runs behind each number of a row. */
function sourcesOf({ place, shown, comparison }: Line, layout: ComparisonPlan['layout']): Record<string, CellSource> {
  const sources: Record<string, CellSource> = {};
  const add = (keys: readonly string[], of: string, runs: MethodRuns, against?: MethodRuns): void => {
    if (runs.records.length === 0 || against?.records.length === 0) return;
    for (const key of keys)
      sources[key] = {
        of: `${of}, ${place.label}`,
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
  add(
    ['difference', 'interval', 'bootstrap', 'wilcoxon', 'verdict', ...(layout === 'pairs' ? ['n'] : [])],
    `${treated.label} − ${control.label}`,
    treated,
    control,
  );
  return sources;
}

function columnsOf(plan: ComparisonPlan, rows: readonly Row[], against: string | null): Column[] {
  const { layout, labelTitle } = plan;
  const has = (key: string): boolean => rows.some((row) => row[key] !== null);
  const isPairs = layout === 'pairs';
  const heading = plan.differenceTitle ?? (against === null ? 'Difference' : `Difference to ${against}`);
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
          { key: 'without', title: 'Without RIFLE', unit: '%', kind: 'spread' },
          { key: 'with', title: 'With RIFLE', unit: '%', kind: 'spread' },
        ] as const)
      : []),
    { key: 'treated', title: 'Treated', dataOnly: true },
    { key: 'control', title: 'Against', dataOnly: layout !== 'methods' || against !== null || !has('control') },
    { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0, dataOnly: true },
    { key: 'difference', title: heading, kind: 'number', signed: true },
    { key: 'interval', title: '95 % interval', kind: 'interval', signed: true },
    { key: 'bootstrap', title: 'Bootstrap', kind: 'interval', signed: true, dataOnly: !has('bootstrap') },
    { key: 'wilcoxon', title: 'Wilcoxon p', kind: 'number', digits: 3, dataOnly: !has('wilcoxon') },
    { key: 'verdict', title: 'Verdict', mark: true, dataOnly: !has('verdict') },
    { key: 'reported', title: 'Reported', unit: '%', align: 'left', hoist: true },
    { key: 'status', title: 'Status', dataOnly: true },
    { key: 'runs', title: 'Runs', dataOnly: true },
    { key: 'treated_runs', title: 'Runs treated', dataOnly: true },
    { key: 'control_runs', title: 'Runs against', dataOnly: true },
  ];
}
