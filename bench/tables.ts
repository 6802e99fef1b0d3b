// Tables of the benchmarks: one content, for a terminal and for a document.
import Table from 'cli-table3';
import type { Spread } from './quantiles';

/** A table's head and its rows, in text. */
export interface TableContent {
  head: string[];
  rows: string[][];
}

/** For a terminal. */
export function terminalTable({ head, rows }: TableContent): string {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}

/** For a document. */
export function markdownTable({ head, rows }: TableContent): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

/** "1.23 [1.20, 1.25]": a median with its quartiles. */
export const spreadText = ({ median, quartiles: [low, high] }: Spread, digits = 2): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

/** Seconds as a person says them. */
export const secondsText = (seconds: number): string =>
  seconds < 90 ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} s` : `${(seconds / 60).toFixed(0)} min`;
