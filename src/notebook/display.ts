// Shows values in a notebook under the tslab kernel: a table as HTML, a figure as plotly and SVG at once, a frame at its full width.
import util from 'node:util';
import { escapeHtml } from '../report/markup';
import type { MimeBundle } from './format';

/** Sends a bundle to the cell that runs; with `id`, the same display again is an update in its place. */
export type Publish = (bundle: MimeBundle, display?: { id: string; update: boolean }) => void;

type WriteDisplayData = (data: { data: MimeBundle; metadata: object; transient: object }, update: boolean) => void;

/** The kernel's way to publish; `null` outside a kernel. tslab's public `display` sends one form only, so its writer is taken from the module that runs. */
export function kernelPublish(): Publish | null {
  if (!('__tslab__' in globalThis)) return null;
  for (const [file, loaded] of Object.entries(require.cache)) {
    const write = /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file) ? (loaded?.exports as { lastWriteDisplayData?: WriteDisplayData | null }).lastWriteDisplayData : null;
    if (write) return (bundle, display) => write({ data: bundle, metadata: {}, transient: display ? { display_id: display.id } : {} }, display?.update ?? false);
  }
  return null;
}

/** Options of `show`. */
export interface ShowOptions {
  /** Rows of a DataFrame that are shown; the rest is counted. Default 20. */
  rows?: number;
}

/**
 * Shows `value` in the notebook's cell; outside a notebook, prints it. Await it: a figure takes a moment to draw.
 * What has a method `Symbol.for('Jupyter.display')` (Table, Figure, Picture) is shown by it, a danfo DataFrame as a table, anything else as
 * `util.inspect` prints it.
 */
export async function show(value: unknown, options: ShowOptions = {}): Promise<void> {
  const publish = kernelPublish();
  if (publish) publish(await bundleOf(value, options));
  else console.log(textOf(value, options));
}

/** The forms of `value` by media type; always with `text/plain`. */
export async function bundleOf(value: unknown, options: ShowOptions = {}): Promise<MimeBundle> {
  const display = Symbol.for('Jupyter.display');
  if (typeof value === 'object' && value !== null && display in value) {
    const bundle = await (value as Record<symbol, () => MimeBundle | Promise<MimeBundle>>)[display]();
    return { 'text/plain': util.inspect(value), ...bundle };
  }
  if (isFrame(value)) return { 'text/html': frameHtml(value, options.rows), 'text/plain': frameText(value, options.rows) };
  return { 'text/plain': typeof value === 'string' ? value : util.inspect(value) };
}

function textOf(value: unknown, options: ShowOptions): string {
  if (isFrame(value)) return frameText(value, options.rows);
  return typeof value === 'string' ? value : util.inspect(value);
}

/** What is needed of a danfo DataFrame; danfo itself is not loaded for it. */
interface Frame {
  columns: string[];
  values: unknown[][];
  index: (string | number)[];
  shape: [number, number];
}

function isFrame(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && 'columns' in value && 'values' in value && 'index' in value && value.constructor.name === 'DataFrame';
}

/** Numbers to five significant digits; whole numbers as they are. */
function cellOf(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) || !Number.isFinite(value) ? String(value) : String(Number(value.toPrecision(5)));
  return value === null || value === undefined ? '–' : String(value);
}

function sizeOf({ shape: [rows, columns] }: Frame, shown: number): string {
  return `${rows} ${rows === 1 ? 'row' : 'rows'} × ${columns} columns${shown < rows ? `, the first ${shown} shown` : ''}`;
}

function frameHtml(frame: Frame, limit = 20): string {
  const shown = frame.values.slice(0, limit);
  const isNumber = frame.columns.map((_, i) => shown.length > 0 && shown.every((row) => typeof row[i] === 'number'));
  const align = isNumber.map((number) => ` style="white-space:nowrap;text-align:${number ? 'right' : 'left'}"`);
  const head = frame.columns.map((column, i) => `<th${align[i]}>${escapeHtml(column)}</th>`).join('');
  const body = shown.map((row, r) => `<tr><th>${escapeHtml(String(frame.index[r]))}</th>${row.map((value, i) => `<td${align[i]}>${escapeHtml(cellOf(value))}</td>`).join('')}</tr>`);
  return `<div style="overflow-x:auto"><table><thead><tr><th></th>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>\n<p>${sizeOf(frame, shown.length)}</p>`;
}

function frameText(frame: Frame, limit = 20): string {
  const rows = frame.values.slice(0, limit).map((row, r) => [String(frame.index[r]), ...row.map(cellOf)]);
  const table = [['', ...frame.columns], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) => row.map((text, i) => text.padStart(widths[i])).join('  '));
  return `${lines.join('\n')}\n${sizeOf(frame, rows.length)}`;
}
