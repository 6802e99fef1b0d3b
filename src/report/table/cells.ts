// A table as data: its columns, the runs behind its numbers, and the text of one cell.
import { duration } from '../../base/progress';
import { visible } from './markup';

/**
 * A pair that belongs in one cell: `[mean, std]` of a spread (std `null` with one value), or `[low, high]` of an
 * interval.
 */
export type Pair = readonly [number, number | null];

/** A cell's content; `null`: there is no such value. */
export type Cell = string | number | Pair | null;

/** A row by column key. */
export type Row = Record<string, Cell>;

/** A column: its content and how it is shown. */
export interface Column {
  /** Name in rows, CSV and JSON. */
  key: string;
  /** Heading for people. */
  title: string;
  /** Unit shown in the heading, for example `%`. */
  unit?: string;
  /**
   * `spread`: mean and standard deviation; `duration`: seconds. Default `text`. A text in a column of numbers stands as
   * it is: `not run`.
   */
  kind?: 'text' | 'number' | 'spread' | 'interval' | 'duration';
  /** Decimals of numbers. Default 2. */
  digits?: number;
  /** Show + before positive numbers. Default false. */
  signed?: boolean;
  /** Default `left` for text, `right` for numbers. */
  align?: 'left' | 'right';
  /** Rows come in blocks of the same value: it is shown once a block. */
  group?: boolean;
  /** Shown above the table instead when it is the same in all rows. */
  hoist?: boolean;
  /** In HTML its texts are marks of their own, which a style sheet may colour by `data-mark`. */
  mark?: boolean;
  /** In CSV and JSON only. */
  dataOnly?: boolean;
}

/** The runs behind a number. */
export interface CellSource {
  /** The number in words, for example `rifle on elpv`. */
  of: string;
  /** Ids of the runs. */
  runs: readonly string[];
  /** Ids of the runs on the other side of a difference, and the names of both sides. */
  against?: readonly string[];
  sides?: readonly [string, string];
}

/** A table's content. */
export interface TableData {
  /** Its name in files and addresses, for example `t2-regularizers`. Default `table`. */
  id?: string;
  title: string;
  /** One paragraph: what the numbers are. */
  caption: string;
  columns: Column[];
  rows: Row[];
  /** By row, by column key: the runs behind the number there. */
  sources?: Record<string, CellSource>[];
  /** One paragraph each, shown below. */
  notes: string[];
}

/** How a value that does not exist is shown: never as a blank that looks like a zero. */
export const MISSING = '–';

function numberText(value: number, column: Column): string {
  const text = Math.abs(value).toFixed(column.digits ?? 2);
  const sign = value < 0 && Number(text) !== 0 ? '−' : column.signed && Number(text) !== 0 ? '+' : '';
  return sign + text;
}

/** A cell for people; see `visible` for texts with control characters. */
export function cellText(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined) return MISSING;
  if (typeof cell === 'string') return visible(cell);
  if (typeof cell === 'number') return column.kind === 'duration' ? duration(cell) : numberText(cell, column);
  const [first, second] = cell;
  if (column.kind === 'interval')
    return `[${numberText(first, column)}, ${second === null ? MISSING : numberText(second, column)}]`;
  return second === null
    ? numberText(first, column)
    : `${numberText(first, column)} ± ${numberText(second, { ...column, signed: false })}`;
}

/** A column's heading with its unit. */
export function headingText(column: Column): string {
  return column.unit ? `${column.title} (${column.unit})` : column.title;
}

/** On which side a column's cells stand. */
export function alignOf(column: Column): 'left' | 'right' {
  return column.align ?? ((column.kind ?? 'text') === 'text' ? 'left' : 'right');
}

/** A table laid out for people. */
export interface Layout {
  /** Values that are the same in all rows, for example `data set elpv`; one entry a column. */
  common: { column: Column; text: string }[];
  columns: Column[];
  /** Texts by row and column; a group's value only in the first row of its block. */
  rows: string[][];
  /** Whether a block begins at the row. */
  starts: boolean[];
}

/**
 * Columns that say the same everywhere go above the table, repeated group values are left out, data-only columns too.
 */
export function layOut({ columns, rows }: TableData): Layout {
  const shown = columns.filter((column) => !column.dataOnly);
  const isCommon = (column: Column): boolean =>
    column.hoist === true &&
    rows.length > 0 &&
    rows.every((row) => cellText(row[column.key], column) === cellText(rows[0][column.key], column));
  const common = shown.filter(isCommon).map((column) => ({ column, text: cellText(rows[0][column.key], column) }));
  const kept = shown.filter((column) => !isCommon(column));
  const groups = kept.filter((column) => column.group);
  const blockOf = (row: Row, upTo: number): string =>
    groups
      .slice(0, upTo + 1)
      .map((column) => cellText(row[column.key], column))
      .join('\u0000');
  const starts = rows.map(
    (row, i) => i > 0 && groups.length > 0 && blockOf(row, groups.length) !== blockOf(rows[i - 1], groups.length),
  );
  const texts = rows.map((row, i) =>
    kept.map((column) => {
      const at = groups.indexOf(column);
      const repeated = at >= 0 && i > 0 && blockOf(row, at) === blockOf(rows[i - 1], at);
      return repeated ? '' : cellText(row[column.key], column);
    }),
  );
  return { common, columns: kept, rows: texts, starts };
}
