// Tables as HTML.
import { alignOf, cellText, headingText, layOut, MISSING, type Column, type Row, type TableData } from './cells';
import { html, htmlLines, proseHtml, trusted, type Html } from './markup';

/** Options of a table in HTML. */
export interface HtmlOptions {
  /** Whether the title stands above. Default true. */
  title?: boolean;
  /** Makes a link of a number that has runs behind it. Default: no links. */
  link?: (content: Html, at: { table: TableData; row: number; key: string }) => Html;
  /** The id of a row's element. Default: none. */
  rowId?: (row: Row) => string;
  /**
   * Each cell also holds its heading and what a block says only once, for a style sheet that shows rows as cards on a
   * phone. Default false.
   */
  cards?: boolean;
}

/** Text whose ± stays on one line with its numbers. */
const unbroken = (text: string): Html => trusted(html`${text}`.toString().replace(/ ± /g, '&nbsp;±&nbsp;'));
const heading = (column: Column): Html => trusted(html`${headingText(column)}`.toString().replace(/-/g, '&#8209;'));

/** The table as an HTML `<table>` whose look does not need a style sheet. */
export function renderHtml(data: TableData, options: HtmlOptions = {}): Html {
  const { common, columns, rows, starts } = layOut(data);
  const { link = (content) => content, rowId, cards = false } = options;
  const align = columns.map((column) => html` style="text-align:${alignOf(column)}"`);
  const contentOf = (text: string, { key, mark }: Column, row: number): Html => {
    const content = unbroken(text);
    const isLinked = text !== MISSING && data.sources?.[row]?.[key] !== undefined;
    const linked = isLinked ? link(content, { table: data, row, key }) : content;
    return mark && text !== MISSING ? html`<span class="mark" data-mark="${text}">${linked}</span>` : linked;
  };
  const cardOf = (text: string, column: Column, row: number): { attributes: Html; content: Html } => ({
    attributes: html`${text === MISSING && html` class="none"`} data-heading="${headingText(column)}"`,
    content:
      text === '' && column.group === true
        ? html`<span class="repeated">${cellText(data.rows[row][column.key], column)}</span>`
        : html`<span>${contentOf(text, column, row)}</span>`,
  });
  const body = rows.map((row, r) => {
    const cells = row.map((text, i) => {
      const card = cards ? cardOf(text, columns[i], r) : null;
      return html`<td${align[i]}${card?.attributes}>${card?.content ?? contentOf(text, columns[i], r)}</td>`;
    });
    const id = rowId && html` id="${rowId(data.rows[r])}"`;
    return html`<tr${id}${starts[r] && html` class="block"`}>${cells}</tr>`;
  });
  const subtitle = common.map(
    ({ column, text }, i) => html`${i > 0 && ' · '}${column.title.toLowerCase()} <b>${text}</b>`,
  );
  const head = columns.map((column, i) => html`<th scope="col"${align[i]}>${heading(column)}</th>`);
  return htmlLines([
    html`<div class="rifle-table${cards && ' cards'}">`,
    ...(options.title === false ? [] : [html`<p><b>${data.title}</b></p>`]),
    ...(subtitle.length > 0 ? [html`<p>${subtitle}</p>`] : []),
    html`<div style="overflow-x:auto">`,
    html`<table><thead><tr>${head}</tr></thead>`,
    html`<tbody>\n${htmlLines(body)}\n</tbody></table>`,
    html`</div>`,
    html`<p>${proseHtml(data.caption)}</p>`,
    ...(data.notes.length > 0 ? [html`<ul>${data.notes.map((note) => html`<li>${proseHtml(note)}</li>`)}</ul>`] : []),
    html`</div>`,
  ]);
}
