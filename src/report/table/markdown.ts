// Tables as Markdown, for pages in a repository.
import { alignOf, headingText, layOut, type TableData } from './cells';

/** A text that Markdown shows as it is, in a cell. */
const escaped = (text: string): string => text.replace(/[\\|<>*_`[\]]/g, '\\$&').replace(/\s+/g, ' ');

/** The table with a heading row, without title, caption and notes. Values that all rows share are left out. */
export function renderMarkdown(data: TableData): string {
  const { columns, rows } = layOut(data);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map((column) => escaped(headingText(column)))),
    line(columns.map((column) => (alignOf(column) === 'right' ? '---:' : '---'))),
    ...rows.map((cells) => line(cells.map(escaped))),
  ].join('\n');
}
