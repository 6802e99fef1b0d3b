// Tables as LaTeX.
import { alignOf, headingText, layOut, type TableData } from './cells';
import { escapeLatex, proseLatex } from './markup';

/** A `table` environment with the rules of the package booktabs. */
export function renderLatex(data: TableData): string {
  const { common, columns, rows, starts } = layOut(data);
  const subtitle = common.map(({ column, text }) => `${column.title} ${text}`).join(', ');
  const line = (cells: string[]): string => {
    const text = cells.map(escapeLatex).join(' & ');
    // after the end of a line, [ and * would be arguments of its \\
    return `  ${/^\s*[[*]/.test(text) ? '{}' : ''}${text} \\\\`;
  };
  const caption = [`${data.title}.`, subtitle ? `${subtitle}.` : '', data.caption].filter(Boolean).join(' ');
  return [
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '\\centering',
    `\\caption{${proseLatex(caption)}}`,
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
