// Prints what commands answer: lists for people, fitted to the terminal, and JSON for machines. Everything from outside
// is made visible here: no control character of a name reaches the terminal, but for the colours of our own.
import pc from 'picocolors';
import stringWidth from 'string-width';
import type { KitError } from '../base/errors';
import type { RunRecord } from '../runs/store/record';
import { visible } from '../base/visible';

/** The colours that picocolors writes: the only escape sequences that pass. */
const COLOUR = /(\u001b\[(?:[0-4]|2[2-4]|3\d|9[0-7])m)/;

/** Most characters of a cell, and of a text. */
const [MOST_IN_CELL, MOST_IN_TEXT] = [400, 1_000_000];

/** `text` made visible (see `visible`), with its colours. */
export function visibleText(text: string, most = MOST_IN_TEXT): string {
  const parts = text.split(COLOUR).map((part) => (COLOUR.test(part) ? part : visible(part, most)));
  const closed = parts.length > 1 && !/\u001b\[(?:0|39|22)m$/.test(parts[parts.length - 2]);
  return parts.join('') + (closed ? '\u001b[0m' : '');
}

/** Columns that a text may take: those of the terminal, or COLUMNS, or 80. */
export const terminalWidth = (stream: { columns?: number } = process.stdout): number =>
  stream.columns ?? (Number(process.env.COLUMNS) || 80);

/** Prints `value` as one JSON document. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2);
  process.stdout.write(`${text.replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, escaped)}\n`);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Prints a text of one line or more. */
export function printLine(text = ''): void {
  process.stdout.write(`${visibleText(text)}\n`);
}

/** Prints a warning on stderr. */
export function warn(text: string): void {
  process.stderr.write(`${pc.yellow(visibleText(text, 4000))}\n`);
}

/** Names a run whose record cannot be used and is left out of a list, table or report. */
export const warnLeftOut = (id: string, error: KitError): void => warn(`left out: run ${id}: ${error.message}`);

/** Choices of `printList`. */
export interface ListOptions {
  /** Headings of columns that are left out where the width is short, in this order. Default: none. */
  optional?: readonly string[];
  /** Columns of the terminal. Default: `terminalWidth()`. */
  width?: number;
}

/** Prints `rows` under `head`. Columns that are too wide for the terminal are wrapped. */
export function printList(head: string[], rows: (string | number)[][], options: ListOptions = {}): void {
  process.stdout.write(`${listText(head, rows, options).join('\n')}\n`);
}

/** Spaces between two columns. */
const GAP = 2;

/** The lines of a list; none is wider than the terminal, as long as each column has 4 columns of it. */
export function listText(head: string[], rows: (string | number)[][], options: ListOptions = {}): string[] {
  const { optional = [], width = terminalWidth() } = options;
  const cells = [head.map((title) => pc.bold(title)), ...rows].map((row) => row.map((cell) => cellText(String(cell))));
  let columns = head.map((title, i) => ({
    i,
    title,
    width: Math.max(...cells.map((row) => stringWidth(row[i] ?? ''))),
  }));
  const excess = (): number => columns.reduce((sum, column) => sum + column.width, GAP * (columns.length - 1)) - width;
  const hidden: string[] = [];
  for (const title of optional) {
    if (excess() <= 0) break;
    columns = columns.filter((column) => column.title !== title);
    hidden.push(title);
  }
  narrow(columns, excess());
  const lines = cells.flatMap((row) => {
    const wrapped = columns.map((column) => wrapCell(row[column.i] ?? '', column.width));
    return Array.from({ length: Math.max(1, ...wrapped.map((each) => each.length)) }, (_, k) =>
      columns
        .map((column, c) => padded(wrapped[c][k] ?? '', column.width))
        .join(' '.repeat(GAP))
        .trimEnd(),
    );
  });
  if (hidden.length > 0) lines.push(pc.dim(`(not shown, for want of width: ${hidden.join(', ')}; --json has all)`));
  return lines;
}

/** Takes `excess` columns from the widest, which end up equally wide. */
function narrow(columns: { width: number }[], excess: number): void {
  for (let left = excess; left > 0; left--) {
    const widest = columns.reduce((a, b) => (b.width > a.width ? b : a));
    if (widest.width <= 4) return;
    widest.width--;
  }
}

const cellText = (text: string): string => visibleText(text, MOST_IN_CELL).replace(/\n/g, '\\n').replace(/\t/g, ' ');

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)));

/** A cell in lines of at most `width` columns: broken at spaces, else anywhere. A coloured cell loses its colours. */
function wrapCell(text: string, width: number): string[] {
  if (stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text
    .split(COLOUR)
    .filter((part) => !COLOUR.test(part))
    .join('')
    .split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const letter of word) {
      if (stringWidth(line + letter) > width) {
        lines.push(line);
        line = '';
      }
      line += letter;
    }
  }
  return [...lines, line];
}

/** A number of bytes for people: `17.3 MB`. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** A fraction as a percentage: `83.1 %`. */
export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

/** After which epoch the reported accuracy was measured. */
export const reportedText = ({ bestEpoch, epochs }: Pick<RunRecord, 'bestEpoch' | 'epochs'>): string =>
  bestEpoch === undefined
    ? `after ${epochs.length} epochs`
    : `at epoch ${bestEpoch} of ${epochs.length}, the best on validation images`;
