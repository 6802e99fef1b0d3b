// Tables as CSV.
import type { Cell, Column, TableData } from './cells';

/** A value of one column of a CSV. */
export type CsvValue = string | number | null;

/** Columns of a CSV: a pair becomes two. */
function csvColumns({ key, kind }: Column): { name: string; of: (cell: Cell | undefined) => CsvValue }[] {
  const part = (i: 0 | 1) => (cell: Cell | undefined) =>
    Array.isArray(cell) ? (cell as [number, number | null])[i] : null;
  const pair = (first: string, second: string) => [
    { name: `${key}_${first}`, of: part(0) },
    { name: `${key}_${second}`, of: part(1) },
  ];
  if (kind === 'spread') return pair('mean', 'std');
  if (kind === 'interval') return pair('low', 'high');
  const single = (cell: Cell | undefined): CsvValue =>
    cell === undefined || Array.isArray(cell) ? null : (cell as CsvValue);
  return [{ name: key, of: single }];
}

/** Rows in full precision by name of column: all columns, a spread or an interval as two. */
export function recordsOf({ columns, rows }: TableData): Record<string, CsvValue>[] {
  const parts = columns.flatMap((column) => csvColumns(column).map((part) => ({ ...part, key: column.key })));
  return rows.map((row) => Object.fromEntries(parts.map(({ name, of, key }) => [name, of(row[key])])));
}

/**
 * A value as a cell of a CSV. A text that a spreadsheet would run as a formula (it begins with =, +, -, @, a tab or a
 * line break), or that begins with an apostrophe, gets an apostrophe in front. To read such a text back, remove one
 * leading apostrophe. Numbers stay as they are.
 */
function csvCell(value: CsvValue): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value.replace(/^(?=[=+\-@\t\r\n'])/, "'") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** All columns and full precision, RFC 4180, with the rule of `csvCell`; a value that does not exist is empty. */
export function renderCsv(data: TableData): string {
  const names = data.columns.flatMap((column) => csvColumns(column).map(({ name }) => name));
  const records = recordsOf(data);
  const lines = [names.map(csvCell), ...records.map((record) => names.map((name) => csvCell(record[name])))];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}
