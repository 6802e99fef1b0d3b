// A danfo frame or series for a notebook: every column, the first rows, and how many there are.
import { html, htmlLines } from '../../report/table/markup';
import type { MimeBundle } from '../runner/format';

/** The used part of a danfo DataFrame or Series. danfo is not loaded. */
export interface Frame {
  columns: string[];
  values: unknown[][];
  index: (string | number)[];
  /** Rows of the whole frame, when `values` holds only the first. Default: those of `values`. */
  rows?: number;
}

/** Default number of rows. */
const ROWS = 20;

/** `value` as a frame; a series is a frame of one column. `null` for anything else. */
export function asFrame(value: unknown): Frame | null {
  if (typeof value !== 'object' || value === null || !('columns' in value && 'values' in value && 'index' in value))
    return null;
  const frame = value as unknown as Frame & { values: unknown[] };
  if (value.constructor.name === 'DataFrame') return frame;
  return value.constructor.name === 'Series'
    ? { columns: frame.columns, index: frame.index, values: frame.values.map((each) => [each]) }
    : null;
}

/** The frame as HTML and as text, its first `rows` rows (default 20). */
export function frameBundle(frame: Frame, rows?: number): MimeBundle {
  return { 'text/html': frameHtml(frame, rows), 'text/plain': frameText(frame, rows) };
}

/** Numbers with five significant digits, integers with all. */
function cellOf(value: unknown): string {
  if (typeof value === 'number')
    return Number.isInteger(value) || !Number.isFinite(value) ? String(value) : String(Number(value.toPrecision(5)));
  return value === null || value === undefined ? '–' : String(value);
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

function sizeOf({ values, columns, rows = values.length }: Frame, shown: number): string {
  const size = `${counted(rows, 'row')} × ${counted(columns.length, 'column')}`;
  return shown < rows ? `${size}, the first ${shown} shown` : size;
}

function frameHtml(frame: Frame, limit = ROWS): string {
  const shown = frame.values.slice(0, limit);
  const isNumber = frame.columns.map((_, i) => shown.length > 0 && shown.every((row) => typeof row[i] === 'number'));
  const styles = isNumber.map((number) => `white-space:nowrap;text-align:${number ? 'right' : 'left'}`);
  const head = frame.columns.map((column, i) => html`<th style="${styles[i]}">${column}</th>`);
  const rows = shown.map((row, r) => {
    const cells = row.map((value, i) => html`<td style="${styles[i]}">${cellOf(value)}</td>`);
    return html`<tr><th>${frame.index[r]}</th>${cells}</tr>`;
  });
  return htmlLines([
    html`<div style="overflow-x:auto"><table><thead><tr><th></th>${head}</tr></thead><tbody>`,
    ...rows,
    html`</tbody></table></div>`,
    html`<p>${sizeOf(frame, shown.length)}</p>`,
  ]).toString();
}

/** The frame as text, its first `limit` rows. */
export function frameText(frame: Frame, limit = ROWS): string {
  const rows = frame.values.slice(0, limit).map((row, r) => [String(frame.index[r]), ...row.map(cellOf)]);
  const table = [['', ...frame.columns.map(String)], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) => row.map((text, i) => text.padStart(widths[i])).join('  '));
  return `${lines.join('\n')}\n${sizeOf(frame, rows.length)}`;
}
