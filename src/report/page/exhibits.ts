// What a report shows of each study: its table and figures, and whether there are runs that test it.
import { unknownName } from '../../base/errors';
import type { LowLevelRow } from '../../analysis/low-level';
import type { CkaRow } from '../../analysis/representations';
import type { LayerRow, RunRecord } from '../../runs/store/record';
import { scales } from '../../studies/scales';
import { studies } from '../../studies/studies';
import type { RunSpec } from '../../transfer/spec';
import { ablationsTable, variantsTable } from '../tables/ablations';
import { choiceTable } from '../tables/choice-table';
import { datasetsTable } from '../tables/datasets-table';
import { accuracyFigure, lossFigure, type Figure } from '../figures/figure';
import { gradientHeatmap } from '../figures/gradient-heatmap';
import { groupRuns, type MethodRuns } from '../comparison/grouping';
import { gradientDepthFigure, layerDistanceFigure } from '../figures/layer-figures';
import type { LayeredRun } from '../frames/layer-frames';
import { commandOf, type StudyTableOptions } from '../comparison/rows';
import { onTest } from '../comparison/columns';
import { recoveryTable } from '../tables/recovery-table';
import { isFineTuning, isRegularized, isRifle, rifleOf, usesTrick } from '../comparison/selections';
import { ckaFigure, lowLevelFigure } from '../figures/stage-figures';
import { architecturesTable, regularizersTable, tricksTable, TRICKS } from '../tables/study-tables';
import { methodsTable } from '../tables/methods-table';
import type { Table } from '../table/tabular';

/** A figure with its name in files. */
export interface NamedFigure {
  name: string;
  figure: Figure;
}

/** What lies outside of records and figures are drawn from. */
export interface FigureSources {
  /** Rows of the layers of a run; empty where there are none. Default: none. */
  layers?: (id: string) => readonly LayerRow[];
  /**
   * Rows of `lowLevelFeatures` and of `ckaByStage`: they take minutes, so that whoever wants their figures computes
   * them.
   */
  lowLevel?: readonly LowLevelRow[];
  cka?: readonly CkaRow[];
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
  /** Whether there are runs that only this study needs, and what else it is drawn from. */
  isPresent: (records: readonly RunRecord[], sources: FigureSources) => boolean;
  table?: (records: readonly RunRecord[], options: StudyTableOptions) => Table;
  /** @param options.width px. Default each figure's own. */
  figures?: (records: readonly RunRecord[], options: FigureSources & { width?: number }) => NamedFigure[];
}

const has =
  (isAbout: (runs: MethodRuns) => boolean) =>
  (records: readonly RunRecord[]): boolean =>
    groupRuns(onTest(records)).some(({ methods }) => methods.some(isAbout));

/** Runs of RIFLE on L2 that are an ablation, or of a published variant other than the authors'. */
const isAblation = (runs: MethodRuns): boolean => rifleOf(runs)?.preset === 'custom';
const isVariant = (runs: MethodRuns): boolean =>
  rifleOf(runs) !== null && !['authors', 'custom'].includes(rifleOf(runs)!.preset);

function hasTwoBackbones(records: readonly RunRecord[]): boolean {
  const groups = groupRuns(onTest(records)).filter(
    ({ methods }) => methods.some(isRifle) && methods.some(isFineTuning),
  );
  return groups.some(({ dataset, backbone }) =>
    groups.some((other) => other.dataset === dataset && other.backbone !== backbone),
  );
}

/** Fine-tuning and the authors' RIFLE: what the figures show. */
const basic = (records: readonly RunRecord[]): RunRecord[] =>
  groupRuns(onTest(records)).flatMap(({ methods }) =>
    methods.filter((runs) => isFineTuning(runs) || isRifle(runs)).flatMap((runs) => runs.records),
  );

/**
 * Of each data set the fine-tuning and RIFLE runs on the backbone and under the settings for which there are most
 * epochs.
 */
function mainGroups(records: readonly RunRecord[]): RunRecord[][] {
  const main = new Map<string, { runs: RunRecord[]; epochs: number }>();
  for (const { dataset, methods } of groupRuns(basic(records))) {
    const runs = methods.flatMap((method) => method.records);
    const epochs = runs.reduce((sum, run) => sum + run.epochs.length, 0);
    if (epochs > (main.get(dataset)?.epochs ?? 0)) main.set(dataset, { runs, epochs });
  }
  return [...main.values()].map(({ runs }) => runs);
}

/**
 * The runs whose layers and stages are looked into: fine-tuning and RIFLE on the data set, backbone and settings for
 * which there are most epochs.
 */
export const mainRuns = (records: readonly RunRecord[]): RunRecord[] =>
  mainGroups(records).sort(
    (a, b) =>
      b.reduce((sum, { epochs }) => sum + epochs.length, 0) - a.reduce((sum, { epochs }) => sum + epochs.length, 0),
  )[0] ?? [];

/** The main runs of each data set with their layers, without those that have none. */
function layered(records: readonly RunRecord[], { layers = () => [] }: FigureSources): LayeredRun[][] {
  const groups = mainGroups(records).map((runs) =>
    runs.map((record) => ({ record, layers: layers(record.id) })).filter((run) => run.layers.length > 0),
  );
  return groups.filter((group) => group.some(({ record }) => record.status === 'finished'));
}

/** `name` in files of what is drawn of several data sets: the first has it alone. */
const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}-${i + 1}`);

/** What the list of studies says of one, and how it is shown. */
function exhibit(
  id: string,
  shown: Pick<Exhibit, 'isPresent' | 'table' | 'figures'> & { isOneClaim?: boolean },
): Exhibit {
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
    isPresent: (records) => onTest(records).length > 0,
    table: datasetsTable,
  },
  exhibit('t2', { isOneClaim: true, isPresent: has(isRegularized), table: regularizersTable }),
  exhibit('t3', {
    isOneClaim: true,
    isPresent: has((runs) => TRICKS.some((name) => usesTrick(name)(runs))),
    table: tricksTable,
  }),
  exhibit('choice', {
    isPresent: (records) => records.some(({ spec }) => spec.evaluateOn === 'validation'),
    table: choiceTable,
  }),
  exhibit('t4', { isOneClaim: true, isPresent: hasTwoBackbones, table: architecturesTable }),
  exhibit('t5', { isPresent: has(isAblation), table: ablationsTable }),
  exhibit('variants', { isPresent: has(isVariant), table: variantsTable }),
  exhibit('f1', {
    isPresent: (records, sources) => layered(records, sources).length > 0,
    figures: (records, options) =>
      layered(records, options).map((runs, i) => ({
        name: numbered('layer-distance', i),
        figure: layerDistanceFigure(runs, options),
      })),
  }),
  exhibit('f2', {
    isPresent: (records, sources) => layered(records, sources).length > 0,
    figures: (records, options) =>
      layered(records, options).flatMap((runs, i) => [
        { name: numbered('gradient-depth', i), figure: gradientDepthFigure(runs, options) },
        { name: numbered('gradient-map', i), figure: gradientHeatmap(runs, options) },
      ]),
  }),
  exhibit('f3', {
    isPresent: (records) => basic(records).some(({ status }) => status === 'finished'),
    table: (records) => recoveryTable(basic(records)),
    figures: (records, options) => [
      { name: 'accuracy', figure: accuracyFigure(basic(records), options) },
      { name: 'loss', figure: lossFigure(basic(records), options) },
    ],
  }),
  exhibit('f4', {
    isPresent: (_, { lowLevel = [] }) => lowLevel.length > 0,
    figures: (_, { lowLevel = [], ...options }) =>
      lowLevel.length === 0 ? [] : [{ name: 'low-level', figure: lowLevelFigure(lowLevel, options) }],
  }),
  exhibit('f5', {
    isPresent: (_, { cka = [] }) => cka.length > 0,
    figures: (_, { cka = [], ...options }) =>
      cka.length === 0 ? [] : [{ name: 'cka', figure: ckaFigure(cka, options) }],
  }),
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
 * What `records` hold runs for, with the tables; the overview `methods` is there where a run stands in no other table.
 * With the name of a
 * scale, the runs that its studies plan get rows also when they are missing.
 * @param sources what figures are drawn from besides.
 * @param only ids that are asked for; each of them is there then. Default: those that there are runs of.
 */
export function present(
  records: readonly RunRecord[],
  options: StudyTableOptions = {},
  sources: FigureSources = {},
  only?: readonly string[],
): Present[] {
  const wanted = exhibits().filter((each) =>
    only ? only.includes(each.id) : each !== OTHER && each.isPresent(records, sources),
  );
  const shown = wanted.map((each): Present => ({
    exhibit: each,
    records: [...records],
    table:
      each.table?.(records, { ...options, planned: options.planned ?? plannedFor(each.id, options.scale) }) ?? null,
  }));
  if (only) return shown;
  const behind = new Set(
    shown.flatMap(({ exhibit: { id }, table }) =>
      id === 't1' || table === null
        ? []
        : table.sources.flatMap((row) => Object.values(row).flatMap(({ runs, against = [] }) => [...runs, ...against])),
    ),
  );
  const others = groupRuns(onTest(records)).filter(({ methods }) =>
    methods.some((runs) => runs.records.some(({ id }) => !behind.has(id))),
  );
  if (others.length === 0) return shown;
  const rest = others.flatMap(({ methods }) => methods.flatMap((runs) => runs.records));
  const overview: Present = { exhibit: OTHER, records: rest, table: methodsTable(rest, options) };
  const order = exhibits().map(({ id }) => id);
  return [...shown, overview].sort((a, b) => order.indexOf(a.exhibit.id) - order.indexOf(b.exhibit.id));
}

/** The runs of a study at a scale; none for what is no study. */
function plannedFor(id: string, scale: string | undefined): RunSpec[] {
  return scale !== undefined && Object.hasOwn(scales, scale) && studies.list().some(({ name }) => name === id)
    ? studies.specs(id, { scale })
    : [];
}
