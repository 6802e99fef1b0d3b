// Results as files: one HTML report that needs nothing else, and tables and figures in the forms that papers and programs want.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { makeAtomically } from '../data/atomic';
import { KitError } from '../engine/errors';
import type { RunRecord } from '../runs/record';
import { accuracyFigure, lossFigure, type Figure } from './figure';
import { groupRuns } from './grouping';
import { escapeHtml } from './markup';
import { renderPage } from './page';
import { environmentsHtml, runsTable, settingsHtml } from './provenance';
import { compareMethods, methodsTable, type Comparison, type Table } from './table';
import { VERDICT_RULE } from './verdict';

/** Options of `writeReport`. */
export interface ReportOptions {
  /** The file to write, `.html`. */
  path: string;
  /** Default `RIFLE: runs and results`. */
  title?: string;
  /** Name of the scale at which the runs were made, for example `mini`; shown in the report. */
  scale?: string;
}

/** Width of figures for phones, px: their text stays at 12 px there. */
const NARROW = 380;

/**
 * Writes one self-contained HTML report of `records`: verdicts, table, figures, and what they were made with. The same records give
 * the same bytes. The file appears whole or not at all.
 * @returns the absolute path of the report.
 * @throws KitError without records, or when the file cannot be written.
 */
export async function writeReport(records: readonly RunRecord[], options: ReportOptions): Promise<string> {
  const { title = 'RIFLE: runs and results', scale } = options;
  if (records.length === 0) throw new KitError('A report needs at least one finished run, found none.', { fix: 'Make some: `npx rifle reproduce --scale smoke`.' });
  const groups = groupRuns(records);
  const ordered = groups.flatMap(({ methods }) => methods.flatMap((method) => method.records));
  const figures = await Promise.all([accuracyFigure, lossFigure].map((figure, i) => figureHtml(figure(records), figure(records, { width: NARROW }), i + 1)));
  const verdicts = groups.flatMap((group) => compareMethods(group).filter(({ verdict }) => verdict !== null).map((comparison) => `<li>${verdictHtml(group.label, comparison)}</li>`));
  const about = `${ordered.length} runs on ${list(groups.map(({ dataset }) => dataset))} with ${list(groups.map(({ backbone }) => backbone))}${scale === undefined ? '' : `, at scale ${scale}`}.`;
  const html = renderPage({
    title,
    lead: `<div class="lead"><p>${escapeHtml(about)}</p><ul>${verdicts.join('')}</ul></div>`,
    sections: [
      { id: 'table', title: 'Accuracy of the methods', html: methodsTable(records).toHtml({ title: false }) },
      { id: 'figures', title: 'Training, epoch by epoch', html: figures.join('\n') },
      { id: 'runs', title: 'Runs', html: runsTable(ordered).toHtml({ title: false }) },
      { id: 'settings', title: 'Settings, data and weights', html: settingsHtml(groups) },
      { id: 'environment', title: 'Environment', html: environmentsHtml(ordered) },
    ],
  });
  const file = path.resolve(options.path);
  await makeAtomically(file, (partial) => fsp.writeFile(partial, html));
  return file;
}

/** The names of `exportAll`'s files, without extension. */
export const EXPORTS = { table: 'methods', runs: 'runs', accuracy: 'accuracy', loss: 'loss' } as const;

/**
 * Writes the tables as CSV, JSON and LaTeX and the figures as SVG and plotly JSON into `folder`.
 * @returns the absolute paths, sorted.
 */
export async function exportAll(records: readonly RunRecord[], folder: string): Promise<string[]> {
  if (records.length === 0) throw new KitError('There is nothing to export: expected at least one finished run, found none.');
  const ordered = groupRuns(records).flatMap(({ methods }) => methods.flatMap((method) => method.records));
  const tables: [string, Table][] = [
    [EXPORTS.table, methodsTable(records)],
    [EXPORTS.runs, runsTable(ordered)],
  ];
  const figures: [string, Figure][] = [
    [EXPORTS.accuracy, accuracyFigure(records)],
    [EXPORTS.loss, lossFigure(records)],
  ];
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const files: [string, string][] = [
    ...tables.flatMap(([name, table]): [string, string][] => [[`${name}.csv`, table.toCsv()], [`${name}.json`, json(table)], [`${name}.tex`, table.toLatex()]]),
    ...figures.map(([name, figure]): [string, string] => [`${name}.plotly.json`, json(figure.toPlotlyJson())]),
  ];
  for (const [name, figure] of figures) files.push([`${name}.svg`, await figure.toSvg()]);
  const written: string[] = [];
  for (const [name, text] of files) {
    const file = path.resolve(folder, name);
    await makeAtomically(file, (partial) => fsp.writeFile(partial, text));
    written.push(file);
  }
  return written.sort();
}

async function figureHtml(wide: Figure, narrow: Figure, number: number): Promise<string> {
  const [large, small] = [await wide.toSvg(), await narrow.toSvg()];
  return `<figure><div class="wide">${large}</div><div class="narrow">${small}</div><figcaption><b>Figure ${number}.</b> ${escapeHtml(wide.caption)}</figcaption></figure>`;
}

/** One sentence: what, where, over how many seeds, by how much, and the verdict by its rule. */
function verdictHtml(where: string, { label, control, difference: { n, mean, interval }, verdict }: Comparison): string {
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  const how =
    mean === null
      ? 'no pair of runs'
      : `${signed(mean)} percentage points over ${n} paired ${n === 1 ? 'seed' : 'seeds'}${interval ? `, 95 % interval [${signed(interval.low)}, ${signed(interval.high)}]` : ', too few for an interval'}`;
  return `${escapeHtml(where)}: <b>${escapeHtml(label)}</b> against ${escapeHtml(control ?? 'none')}: ${how}: <span class="verdict" title="${escapeHtml(VERDICT_RULE)}">${verdict}</span>.`;
}

function list(names: readonly string[]): string {
  return [...new Set(names)].join(' and ');
}
