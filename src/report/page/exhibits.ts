// What a report shows: for each exhibit its table and figures, and whether some runs need it.
import { unknownName } from '../../base/errors';
import type { LowLevelRow } from '../../analysis/low-level';
import type { CkaRow } from '../../analysis/representations';
import type { RunPredictions } from '../../runs/store/predictions';
import type { LayerRow, RunRecord } from '../../runs/store/record';
import type { RunSpec } from '../../transfer/spec/spec';
import { onTest } from '../comparison/conditions';
import type { StudyTableOptions } from '../comparison/comparison-plan';
import { groupRuns } from '../comparison/grouping';
import { accuracyFigure, type Figure } from '../figures/figure';
import type { Table } from '../table/tabular';
import { methodsTable } from '../tables/methods-table';

/** A figure with its name in files. */
export interface NamedFigure {
  name: string;
  figure: Figure;
}

/** What figures are drawn from besides records. */
export interface FigureSources {
  /** Rows of the layers of a run; empty where there are none. Default: none. */
  layers?: (id: string) => readonly LayerRow[];
  /** Kept predictions of a run; null where there are none. Default: none. */
  predictions?: (id: string) => Promise<RunPredictions | null>;
  /** Rows of `lowLevelFeatures`, which take minutes. Default none: no figure of them. */
  lowLevel?: readonly LowLevelRow[];
  /** Rows of `ckaByStage`, likewise. */
  cka?: readonly CkaRow[];
}

/** A section of a report: a claim with its table and figures. */
export interface Exhibit {
  /** Its name in commands and addresses, for example `t2`. */
  id: string;
  /** A short name before its title, for example `T2`. */
  label?: string;
  title: string;
  /** The claim, or what is shown. */
  claim: string;
  /** The command that makes its runs. */
  command: (scale?: string) => string;
  /** Whether its comparisons test one claim together, so that they get one verdict more. */
  isOneClaim: boolean;
  /** Whether it stands before all others and is about runs of all of them, as a table of data sets. */
  isBackground: boolean;
  /** Whether some runs need it to be shown. */
  isPresent: (records: readonly RunRecord[], sources: FigureSources) => boolean;
  /** The runs that it plans at a scale. */
  planned: (scale: string) => RunSpec[];
  table?: (records: readonly RunRecord[], options: StudyTableOptions) => Table;
  /** @param options.width px. Default each figure's own. */
  figures?: (records: readonly RunRecord[], options: FigureSources & { width?: number }) => NamedFigure[];
}

/** Every run that no other table holds, with the runs that it is compared with. */
const OVERVIEW: Exhibit = {
  id: 'methods',
  title: 'Accuracy of the methods',
  claim: 'Every method that was run, with its control.',
  command: (scale) => `npx rifle reproduce${scale === undefined ? '' : ` --scale ${scale}`}`,
  isOneClaim: false,
  isBackground: false,
  isPresent: () => false,
  planned: () => [],
  table: methodsTable,
  // The kit's own methods are in the figures of its studies.
  figures: (records, { width }) =>
    records.some(({ status, guestMethod }) => status === 'finished' && guestMethod !== undefined)
      ? [{ name: 'methods-accuracy', figure: accuracyFigure(records, { width }) }]
      : [],
};

/** `exhibits` in their order in a report: background, the overview `methods`, the others. */
export const inReportOrder = (exhibits: readonly Exhibit[]): Exhibit[] => [
  ...exhibits.filter(({ isBackground }) => isBackground),
  OVERVIEW,
  ...exhibits.filter(({ isBackground }) => !isBackground),
];

/** @throws KitError UNKNOWN_STUDY for an id that no exhibit has. */
export function requireExhibits(exhibits: readonly Exhibit[], ids: readonly string[]): void {
  const known = inReportOrder(exhibits).map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) throw unknownName('study', unknown, known);
}

/** An exhibit with the records that it is about. */
export interface Shown {
  exhibit: Exhibit;
  records: RunRecord[];
  table: Table | null;
}

/**
 * The exhibits that `records` have runs for, with their tables; the overview `methods` when a run stands in no other
 * table. With the name of a scale, the runs that the exhibits plan there get rows also when they are missing.
 * @param exhibits all that there are, for example those of the registered studies.
 * @param sources what figures are drawn from besides.
 * @param only ids of exhibits to show, with runs or without. Default: those that have runs.
 */
export function exhibitsFor(
  records: readonly RunRecord[],
  exhibits: readonly Exhibit[],
  options: StudyTableOptions = {},
  sources: FigureSources = {},
  only?: readonly string[],
): Shown[] {
  const ordered = inReportOrder(exhibits);
  const wanted = ordered.filter((each) =>
    only ? only.includes(each.id) : each !== OVERVIEW && each.isPresent(records, sources),
  );
  const plannedFor = (exhibit: Exhibit): RunSpec[] =>
    options.scale === undefined ? [] : exhibit.planned(options.scale);
  const shown = wanted.map((exhibit): Shown => ({
    exhibit,
    records: [...records],
    table:
      exhibit.table?.(records, {
        ...options,
        layers: sources.layers,
        planned: options.planned ?? plannedFor(exhibit),
      }) ?? null,
  }));
  if (only) return shown;
  const tested = shown.filter(({ exhibit }) => !exhibit.isBackground).flatMap(({ table }) => table?.sources ?? []);
  const behind = new Set(
    tested.flatMap((row) => Object.values(row).flatMap(({ runs, against = [] }) => [...runs, ...against])),
  );
  const others = groupRuns(onTest(records)).filter(({ methods }) =>
    methods.some((runs) => runs.records.some(({ id }) => !behind.has(id))),
  );
  if (others.length === 0) return shown;
  const rest = others.flatMap(({ methods }) => methods.flatMap((runs) => runs.records));
  const overview: Shown = { exhibit: OVERVIEW, records: rest, table: methodsTable(rest, options) };
  return [...shown, overview].sort((a, b) => ordered.indexOf(a.exhibit) - ordered.indexOf(b.exhibit));
}
