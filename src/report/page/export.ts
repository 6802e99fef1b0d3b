// Results as files: one self-contained HTML report, and tables and figures in the formats of papers and programs.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import type { RunRecord } from '../../runs/store/record';
import { RunStore } from '../../runs/store/store';
import type { Figure } from '../figures/figure';
import { inOrder } from '../comparison/grouping';
import { renderPage } from './page';
import { runsTable } from './provenance';
import { sectionsOf } from './sections';
import { exhibitsFor, requireExhibits, type Exhibit, type FigureSources, type NamedFigure } from './exhibits';
import type { Table } from '../table/tabular';

/** What a report or an export contains. */
export interface ResultsOptions {
  /** What can be shown. Default: the table of all methods, and in `rifle-kit` the registered studies. */
  exhibits?: readonly Exhibit[];
  /** Name of the scale of the runs, for example `mini`; shown beside them, and in the commands for missing runs. */
  scale?: string;
  /** Exhibits by id, for example `t2`, shown with runs or without. Default: those that have runs. */
  studies?: readonly string[];
  /** Sentences for the captions of the tables, for example how hyper-parameters were chosen. */
  notes?: readonly string[];
  /** What figures are drawn from besides records. Default: the rows of layers in `store`, nothing else. */
  sources?: FigureSources;
  /** Where the rows of layers are. Default: the kit's own store. */
  store?: RunStore;
}

/** Options of `writeReport`. */
export interface ReportOptions extends ResultsOptions {
  /** The file to write, `.html`. */
  path: string;
  /** Default `Runs and results`. */
  title?: string;
}

/**
 * Writes one self-contained HTML report of `records`: verdicts, tables and figures of each exhibit, the runs behind
 * each number, and what they were made with. The same records give the same bytes. A failure leaves no partial file.
 * @returns the absolute path of the report.
 * @throws KitError REPORT_NO_RECORDS without records, UNKNOWN_STUDY for an exhibit that does not exist.
 */
export async function writeReport(records: readonly RunRecord[], options: ReportOptions): Promise<string> {
  const { title = 'Runs and results' } = options;
  requireRecords(records, options);
  const html = renderPage({ title, ...(await sectionsOf(records, { ...options, sources: sourcesOf(options) })) });
  const file = path.resolve(options.path);
  await makeAtomically(file, (partial) => fsp.writeFile(partial, html));
  return file;
}

/**
 * Writes every table as CSV, JSON and LaTeX, and every figure as SVG, plotly JSON and the CSV of its numbers, into
 * `folder`.
 * @returns the absolute paths, sorted.
 */
export async function exportAll(
  records: readonly RunRecord[],
  folder: string,
  options: ResultsOptions = {},
): Promise<string[]> {
  const { tables, figures } = shownResults(records, options);
  const files: [string, string][] = tables.flatMap((table): [string, string][] => [
    [`${table.id}.csv`, table.toCsv()],
    [`${table.id}.json`, json(table)],
    [`${table.id}.tex`, table.toLatex()],
  ]);
  for (const { name, figure } of figures) files.push(...(await filesOf(figure, name)));
  return writeAll(files, folder);
}

/** Every table of `exportAll` as CSV, and the numbers of every figure: text by the name of its file. */
export function csvFiles(records: readonly RunRecord[], options: ResultsOptions = {}): Map<string, string> {
  const { tables, figures } = shownResults(records, options);
  return new Map([
    ...tables.map((table): [string, string] => [`${table.id}.csv`, table.toCsv()]),
    ...figures.flatMap(({ name, figure }): [string, string][] =>
      figure.numbers === null ? [] : [[`${name}.csv`, figure.toCsv()]],
    ),
  ]);
}

/** The tables and figures of the exhibits that have runs. */
function shownResults(
  records: readonly RunRecord[],
  options: ResultsOptions,
): { tables: Table[]; figures: NamedFigure[] } {
  requireRecords(records, options);
  const sources = sourcesOf(options);
  const shown = exhibitsFor(records, options.exhibits ?? [], options, sources, options.studies);
  return {
    tables: [...shown.flatMap(({ table }) => table ?? []), runsTable(inOrder(records))],
    figures: shown.flatMap(({ exhibit, records: own }) => exhibit.figures?.(own, sources) ?? []),
  };
}

/**
 * Writes a figure as `<base>.svg`, `<base>.plotly.json` and, the numbers behind it, `<base>.csv`.
 * @returns the paths, as `base` begins them.
 */
export async function exportFigure(figure: Figure, base: string): Promise<string[]> {
  const files = await filesOf(figure, path.basename(base));
  await writeAll(files, path.dirname(base));
  return files.map(([name]) => path.join(path.dirname(base), name)).sort();
}

/** A figure's files: name and text. */
async function filesOf(figure: Figure, name: string): Promise<[string, string][]> {
  const numbers: [string, string][] = figure.numbers ? [[`${name}.csv`, figure.numbers.toCsv()]] : [];
  return [[`${name}.svg`, await figure.toSvg()], [`${name}.plotly.json`, json(figure.toPlotlyJson())], ...numbers];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

async function writeAll(files: readonly [string, string][], folder: string): Promise<string[]> {
  const written: string[] = [];
  for (const [name, text] of files) {
    const file = path.resolve(folder, name);
    await makeAtomically(file, (partial) => fsp.writeFile(partial, text));
    written.push(file);
  }
  return written.sort();
}

/** What figures are drawn from: rows of layers come from the store; a run without such rows has none. */
export function sourcesOf({ sources, store = new RunStore() }: ResultsOptions): FigureSources {
  const layers: FigureSources['layers'] = (id) => {
    try {
      return store.layers(id);
    } catch (error) {
      if (error instanceof KitError) return [];
      throw error;
    }
  };
  return { layers, predictions: (id) => store.predictions(id), ...sources };
}

/** @throws KitError REPORT_NO_RECORDS without records, UNKNOWN_STUDY for an exhibit that does not exist. */
function requireRecords(
  records: readonly RunRecord[],
  { scale = 'smoke', studies = [], exhibits = [] }: ResultsOptions,
): void {
  requireExhibits(exhibits, studies);
  if (records.length === 0)
    throw new KitError('A report or an export needs at least one finished run, found none.', {
      code: 'REPORT_NO_RECORDS',
      fix: `Make some runs: \`npx rifle reproduce --scale ${scale}\`.`,
    });
}
