// Tables as text for a terminal, HTML, CSV and LaTeX.
import Table3 from 'cli-table3';
import stringWidth from 'string-width';
import {
  alignOf,
  cellText,
  headingText,
  layOut,
  MISSING,
  type Cell,
  type Column,
  type Row,
  type TableData,
} from './cells';
import { escapeHtml, escapeLatex, proseHtml, proseLatex } from './markup';

/** No lines but those that we draw: above, below and under the heading, as in print. */
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
    data.title,
    ...(subtitle ? [subtitle] : []),
    body,
    wrap(data.caption, measure),
    ...data.notes.map((note) => wrap(note, measure, '  ')),
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
      .map((column) => row[column.key] ?? null)
      .filter((cell) => cell !== null)
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

/** Columns of a terminal that a text takes; letters of the table's own are told from others quickly. */
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

/** Choices of a table in HTML. */
export interface HtmlOptions {
  /** Whether the title stands above. Default true. */
  title?: boolean;
  /** Makes a link of a number that has runs behind it. Default: no links. */
  link?: (html: string, at: { table: TableData; row: number; key: string }) => string;
  /** The id of a row's element. Default: none. */
  rowId?: (row: Row) => string;
  /**
   * Each cell also holds its heading and what a block says only once, for a style sheet that shows rows as cards on a
   * phone. Default false.
   */
  cards?: boolean;
}

/** The table as an HTML `<table>` whose look does not need a style sheet. */
export function renderHtml(data: TableData, options: HtmlOptions = {}): string {
  const { common, columns, rows, starts } = layOut(data);
  const { link = (html) => html, rowId, cards = false } = options;
  const align = columns.map((column) => ` style="text-align:${alignOf(column)}"`);
  const head = columns
    .map((column, i) => `<th scope="col"${align[i]}>${escapeHtml(headingText(column)).replace(/-/g, '&#8209;')}</th>`)
    .join('');
  const cellHtml = (text: string, { key, mark }: Column, row: number): string => {
    const html = escapeHtml(text).replace(/ ± /g, '&nbsp;±&nbsp;');
    const linked =
      text === MISSING || data.sources?.[row]?.[key] === undefined ? html : link(html, { table: data, row, key });
    return mark && text !== MISSING ? `<span class="mark" data-mark="${escapeHtml(text)}">${linked}</span>` : linked;
  };
  const cardCell = (text: string, column: Column, row: number): string => {
    const isRepeated = text === '' && column.group === true;
    const html = isRepeated
      ? `<span class="repeated">${escapeHtml(cellText(data.rows[row][column.key], column))}</span>`
      : `<span>${cellHtml(text, column, row)}</span>`;
    return `${text === MISSING ? ' class="none"' : ''} data-heading="${escapeHtml(headingText(column))}">${html}`;
  };
  const body = rows.map((row, r) => {
    const cells = row
      .map(
        (text, i) =>
          `<td${align[i]}${cards ? cardCell(text, columns[i], r) : `>${cellHtml(text, columns[i], r)}`}</td>`,
      )
      .join('');
    return `<tr${rowId ? ` id="${escapeHtml(rowId(data.rows[r]))}"` : ''}${starts[r] ? ' class="block"' : ''}>${cells}</tr>`;
  });
  const subtitle = common
    .map(({ column, text }) => `${escapeHtml(column.title.toLowerCase())} <b>${escapeHtml(text)}</b>`)
    .join(' · ');
  return [
    `<div class="rifle-table${cards ? ' cards' : ''}">`,
    ...(options.title === false ? [] : [`<p><b>${escapeHtml(data.title)}</b></p>`]),
    ...(subtitle ? [`<p>${subtitle}</p>`] : []),
    '<div style="overflow-x:auto">',
    `<table><thead><tr>${head}</tr></thead>`,
    `<tbody>\n${body.join('\n')}\n</tbody></table>`,
    '</div>',
    `<p>${proseHtml(data.caption)}</p>`,
    ...(data.notes.length > 0 ? [`<ul>${data.notes.map((note) => `<li>${proseHtml(note)}</li>`).join('')}</ul>`] : []),
    '</div>',
  ].join('\n');
}

/** Columns of a CSV: a pair becomes two. */
function csvColumns(column: Column): { name: string; of: (cell: Cell | undefined) => string | number | null }[] {
  const part = (i: 0 | 1) => (cell: Cell | undefined) =>
    Array.isArray(cell) ? (cell as [number, number | null])[i] : null;
  if (column.kind === 'spread')
    return [
      { name: `${column.key}_mean`, of: part(0) },
      { name: `${column.key}_std`, of: part(1) },
    ];
  if (column.kind === 'interval')
    return [
      { name: `${column.key}_low`, of: part(0) },
      { name: `${column.key}_high`, of: part(1) },
    ];
  return [
    {
      name: column.key,
      of: (cell) => (cell === undefined || Array.isArray(cell) ? null : (cell as string | number | null)),
    },
  ];
}

/** All columns and full precision, RFC 4180; a value that does not exist is empty. */
export function renderCsv(data: TableData): string {
  const quote = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  const columns = data.columns.flatMap((column) => csvColumns(column).map((part) => ({ ...part, key: column.key })));
  const lines = [
    columns.map(({ name }) => quote(name)),
    ...data.rows.map((row) => columns.map(({ of, key }) => quote(of(row[key])))),
  ];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

/** A `table` environment with the rules of the package booktabs. */
export function renderLatex(data: TableData): string {
  const { common, columns, rows, starts } = layOut(data);
  const subtitle = common.map(({ column, text }) => `${column.title} ${text}`).join(', ');
  const line = (cells: string[]): string => `  ${cells.map((text) => escapeLatex(text)).join(' & ')} \\\\`;
  return [
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '\\centering',
    `\\caption{${proseLatex([`${data.title}.`, subtitle ? `${subtitle}.` : '', data.caption].filter(Boolean).join(' '))}}`,
    `\\begin{tabular}{${columns.map((column) => alignOf(column)[0]).join('')}}`,
    '  \\toprule',
    line(columns.map(headingText)),
    '  \\midrule',
    ...rows.flatMap((row, i) => [...(starts[i] ? ['  \\midrule'] : []), line(row)]),
    '  \\bottomrule',
    '\\end{tabular}',
    ...data.notes.map((note) => `\\par\\footnotesize ${proseLatex(note)}`),
    '\\end{table}',
    '',
  ].join('\n');
}
