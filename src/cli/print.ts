// What commands print on stdout: lists for people, JSON for machines.
import Table from 'cli-table3';
import pc from 'picocolors';

/** Prints `value` as one JSON document. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints a line. */
export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints `rows` under `head`, without lines between them. */
export function printList(head: string[], rows: (string | number)[][]): void {
  const table = new Table({
    head: head.map((title) => pc.bold(title)),
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: ' ',
    },
  });
  table.push(...rows);
  printLine(table.toString());
}

/** A number of bytes for people: `17.3 MB`. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** A fraction as a percentage: `83.1 %`. */
export const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
