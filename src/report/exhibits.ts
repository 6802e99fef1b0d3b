// What a report shows of each study: its table and figures, and whether there are runs that test it.
import { unknownName } from '../engine/errors';
import type { RunRecord } from '../runs/record';
import { scales } from '../runs/scales';
import { studies } from '../runs/studies';
import type { RunSpec } from '../transfer/spec';
import { ablationsTable, variantsTable } from './ablations';
import { datasetsTable } from './datasets-table';
import { accuracyFigure, lossFigure, type Figure } from './figure';
import { groupRuns, type MethodRuns } from './grouping';
import { commandOf, type StudyTableOptions } from './lines';
import { onTest } from './places';
import { isFineTuning, isRegularized, isRifle, rifleOf, usesTrick } from './selections';
import { architecturesTable, regularizersTable, tricksTable, TRICKS } from './study-tables';
import { methodsTable } from './table';
import type { Table } from './tabular';

/** A figure with its name in files. */
export interface NamedFigure {
  name: string;
  figure: Figure;
}

/** What is shown of a study. */
export interface Exhibit {
  /** The study's name in commands, for example `t2`; `t1` and `methods` have no runs of their own. */
  id: string;
  title: string;
  /** What is claimed, or shown. */
  claim: string;
  /** The command that makes its runs. */
  command: (scale?: string) => string;
  /** Whether its comparisons test one claim together, so that they get one verdict more. */
  isOneClaim: boolean;
  /** Whether `records` hold runs that only this study needs. */
  isPresent: (records: readonly RunRecord[]) => boolean;
  table?: (records: readonly RunRecord[], options: StudyTableOptions) => Table;
  /** @param width px. Default each figure's own. */
  figures?: (records: readonly RunRecord[], options: { width?: number }) => NamedFigure[];
}

const has = (isAbout: (runs: MethodRuns) => boolean) => (records: readonly RunRecord[]): boolean => groupRuns(records).some(({ methods }) => methods.some(isAbout));

/** Runs of RIFLE on L2 that are an ablation, or of a published variant other than the authors'. */
const isAblation = (runs: MethodRuns): boolean => rifleOf(runs)?.preset === 'custom';
const isVariant = (runs: MethodRuns): boolean => rifleOf(runs) !== null && !['authors', 'custom'].includes(rifleOf(runs)!.preset);

function hasTwoBackbones(records: readonly RunRecord[]): boolean {
  const groups = groupRuns(records).filter(({ methods }) => methods.some(isRifle) && methods.some(isFineTuning));
  return groups.some(({ dataset, backbone }) => groups.some((other) => other.dataset === dataset && other.backbone !== backbone));
}

/** Fine-tuning and the authors' RIFLE: what the curves show. A run that failed has no curve to its end. */
const basic = (records: readonly RunRecord[]): RunRecord[] => {
  const kept = groupRuns(records).flatMap(({ methods }) => methods.filter((runs) => isFineTuning(runs) || isRifle(runs)).flatMap((runs) => runs.records));
  return kept.filter(({ status }) => status === 'finished');
};

const curves = (records: readonly RunRecord[], options: { width?: number }): NamedFigure[] => [
  { name: 'accuracy', figure: accuracyFigure(records, options) },
  { name: 'loss', figure: lossFigure(records, options) },
];

/** What the list of studies says of one, and how it is shown. */
function exhibit(id: string, shown: Pick<Exhibit, 'isPresent' | 'table' | 'figures'> & { isOneClaim?: boolean }): Exhibit {
  const { title, claim } = studies.get(id);
  return { id, title, claim, command: (scale) => commandOf(id, scale), isOneClaim: false, ...shown };
}

const ALL: readonly Exhibit[] = [
  {
    id: 't1',
    title: 'Data sets and their splits',
    claim: 'What everything below was measured on.',
    command: () => 'npx rifle data list',
    isOneClaim: false,
    isPresent: (records) => records.length > 0,
    table: datasetsTable,
  },
  exhibit('t2', { isOneClaim: true, isPresent: has(isRegularized), table: regularizersTable }),
  exhibit('t3', { isOneClaim: true, isPresent: has((runs) => TRICKS.some((name) => usesTrick(name)(runs))), table: tricksTable }),
  exhibit('t4', { isOneClaim: true, isPresent: hasTwoBackbones, table: architecturesTable }),
  exhibit('t5', { isPresent: has(isAblation), table: ablationsTable }),
  exhibit('variants', { isPresent: has(isVariant), table: variantsTable }),
  exhibit('f3', { isPresent: (records) => basic(records).length > 0, figures: (records, options) => curves(basic(records), options) }),
];

/** Every run that no study's table holds, beside those that it is compared with. */
const OTHER: Exhibit = {
  id: 'methods',
  title: 'Accuracy of the methods',
  claim: 'Every method that was run, beside its control.',
  command: (scale) => `npx rifle reproduce${scale === undefined ? '' : ` --scale ${scale}`}`,
  isOneClaim: false,
  isPresent: () => true,
  table: methodsTable,
};

/** Everything that a report can show, in its order. */
export const exhibits = (): readonly Exhibit[] => [...ALL.slice(0, 1), OTHER, ...ALL.slice(1)];

/** @throws KitError for an id that nothing has. */
export function requireExhibits(ids: readonly string[]): void {
  const known = exhibits().map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) throw unknownName('study', unknown, known);
}

/** What is shown, with the records that it is about. */
export interface Present {
  exhibit: Exhibit;
  records: RunRecord[];
  table: Table | null;
}

/**
 * What `records` hold runs for, with the tables; the overview `methods` is there where a run stands in no other table. With the name of a
 * scale, the runs that its studies plan get rows also when they are missing.
 * @param only ids that are asked for; each of them is there then. Default: those that there are runs of.
 */
export function present(records: readonly RunRecord[], options: StudyTableOptions = {}, only?: readonly string[]): Present[] {
  const used = onTest(records);
  const wanted = exhibits().filter((each) => (only ? only.includes(each.id) : each !== OTHER && each.isPresent(used)));
  const shown = wanted.map((each): Present => ({ exhibit: each, records: used, table: each.table?.(used, { ...options, planned: options.planned ?? plannedFor(each.id, options.scale) }) ?? null }));
  if (only) return shown;
  const behind = new Set(shown.flatMap(({ exhibit: { id }, table }) => (id === 't1' || table === null ? [] : table.sources.flatMap((row) => Object.values(row).flatMap(({ runs, against = [] }) => [...runs, ...against])))));
  const others = groupRuns(used).filter(({ methods }) => methods.some((runs) => runs.records.some(({ id }) => !behind.has(id))));
  if (others.length === 0) return shown;
  const rest = others.flatMap(({ methods }) => methods.flatMap((runs) => runs.records));
  return [...shown.slice(0, 1), { exhibit: OTHER, records: rest, table: methodsTable(rest, options) }, ...shown.slice(1)];
}

/** The runs of a study at a scale; none for what is no study. */
function plannedFor(id: string, scale: string | undefined): RunSpec[] {
  return scale !== undefined && Object.hasOwn(scales, scale) && studies.list().some(({ name }) => name === id) ? studies.specs(id, { scale }) : [];
}
