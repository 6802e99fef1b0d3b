// Tables as text for a terminal.
import Table3 from 'cli-table3';
import stringWidth from 'string-width';
import { alignOf, cellText, headingText, layOut, type Column, type TableData } from './cells';
import { visible } from './markup';

/** No borders. */
const NO_RULES = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right']
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat('middle')
    .map((name) => [name, '']),
);

/** `text` broken between words to lines of at most `width` characters. */
function wrap(text: string, width: number, indent = ''): string {
  const table = new Table3({
    chars: NO_RULES,
    style: { 'padding-left': 0, 'padding-right': 0 },
    colWidths: [width - indent.length],
    wordWrap: true,
  });
  table.push([text]);
  return table
    .toString()
    .split('\n')
    .map((line) => (indent + line).trimEnd())
    .join('\n');
}

/** A heading broken between words to about the width of the column's cells. */
function foldHeading(heading: string, cellWidth: number): string {
  const words = heading.split(' ');
  const width = Math.max(cellWidth, ...words.map((word) => word.length));
  const lines: string[] = [];
  for (const word of words) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

/**
 * The table for a terminal.
 * @param width columns of the terminal; a table that does not fit is written as one block of lines a row. Default 100.
 */
export function renderText(data: TableData, width = 100): string {
  const { common, columns } = layOut(data);
  const subtitle = common.map(({ column, text }) => `${column.title.toLowerCase()} ${text}`).join(' · ');
  const tries = [() => lined(data, 2), () => lined(data, 1), () => blocked(data, 2), () => blocked(data, 1)];
  const body = tries.map((make) => make()).find((text) => text.indexOf('\n') <= width) ?? stacked(data, columns, width);
  const measure = Math.min(width, 100);
  return [
    visible(data.title),
    ...(subtitle ? [subtitle] : []),
    body,
    wrap(visible(data.caption), measure),
    ...data.notes.map((note) => wrap(visible(note), measure, '  ')),
  ].join('\n');
}

/** Rows as lines, `gap` spaces between columns. */
function lined(data: TableData, gap: number): string {
  const { columns, rows, starts } = layOut(data);
  const lines = linesOf(columns, rows, gap);
  const rule = '─'.repeat(lines.width);
  return [rule, ...lines.head, rule, ...lines.body.flatMap((line, i) => (starts[i] ? ['', line] : [line])), rule].join(
    '\n',
  );
}

/** Rows as lines, with the groups' values above each block instead of in columns. */
function blocked(data: TableData, gap: number): string {
  const { columns } = layOut(data);
  const groups = columns.filter((column) => column.group);
  if (groups.length === 0) return lined(data, gap);
  const kept = columns.filter((column) => !column.group);
  const titles = data.rows.map((row) =>
    groups
      .filter((column) => (row[column.key] ?? null) !== null)
      .map((column) => cellText(row[column.key], column))
      .join(' · '),
  );
  const lines = linesOf(
    kept,
    data.rows.map((row) => kept.map((column) => cellText(row[column.key], column))),
    gap,
  );
  const rule = '─'.repeat(Math.max(lines.width, ...titles.map((title) => title.length)));
  const body = lines.body.flatMap((line, i) =>
    titles[i] === titles[i - 1] ? [line] : [...(i > 0 ? [''] : []), titles[i], line],
  );
  return [rule, ...lines.head, rule, ...body, rule].join('\n');
}

/**
 * Heading and rows, one line each but for folded headings. (Not by cli-table3: what it takes grows with the square of
 * the rows, seconds for a thousand.)
 */
function linesOf(columns: Column[], rows: string[][], gap: number): { head: string[]; body: string[]; width: number } {
  const headings = columns.map((column, i) =>
    foldHeading(
      headingText(column),
      rows.reduce((most, row) => Math.max(most, row[i].length), 0),
    ).split('\n'),
  );
  const widths = headings.map((lines, i) =>
    rows.reduce((most, row) => Math.max(most, columnsOf(row[i])), Math.max(...lines.map(columnsOf))),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((text, i) => {
      const room = ' '.repeat(widths[i] - columnsOf(text));
      return alignOf(columns[i]) === 'left' ? text + room : room + text;
    });
    return padded.join(' '.repeat(gap)).trimEnd();
  };
  const head = Array.from({ length: Math.max(...headings.map((lines) => lines.length)) }, (_, k) =>
    line(headings.map((lines) => lines[k] ?? '')),
  );
  const body = rows.map(line);
  return { head, body, width: [...head, ...body].reduce((most, text) => Math.max(most, text.length), 0) };
}

/** Columns of a terminal that a text takes; plain letters need no table of widths. */
const columnsOf = (text: string): number => (/^[ -~±–−]*$/.test(text) ? text.length : stringWidth(text));

/** One block a row, `heading  text`, for narrow terminals. */
function stacked(data: TableData, columns: Column[], width: number): string {
  const pad = Math.max(...columns.map((column) => headingText(column).length));
  const blocks = data.rows.map((row) =>
    columns.map((column) => `${headingText(column).padEnd(pad)}  ${cellText(row[column.key], column)}`),
  );
  const rule = '─'.repeat(Math.min(width, Math.max(...blocks.flat().map((line) => line.length))));
  return [rule, blocks.map((lines) => lines.join('\n')).join(`\n${rule}\n`), rule].join('\n');
}
