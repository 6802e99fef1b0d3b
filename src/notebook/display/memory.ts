// The memory of a notebook: its tensors, grouped by the cell that made them.
import { notebookHost, type CellTensors } from '../../base/notebook-host';
import { tf } from '../../engine/tensorflow';
import type { MimeBundle } from '../runner/format';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The memory of a process at one moment. */
export class MemoryReport {
  constructor(
    /** Tensors and their bytes by cell; empty outside a notebook. */
    readonly cells: readonly CellTensors[],
    /** All tensors of the process. */
    readonly tensors: number,
    /** Their bytes. */
    readonly bytes: number,
    /** Resident memory of the process, bytes. */
    readonly resident: number,
  ) {}

  /** The display of the report as the value of a cell. */
  [Symbol.for('Jupyter.display')](): MimeBundle {
    const rows = this.rows().map(
      ([cell, count, bytes]) => `<tr><td style="text-align:left">${cell}</td><td>${count}</td><td>${bytes}</td></tr>`,
    );
    const head = '<tr><th style="text-align:left">made in</th><th>tensors</th><th>memory</th></tr>';
    const table = `<table><thead>${head}</thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
    return {
      'text/html': `${table}\n<p>the process: ${megabytes(this.resident)}</p>`,
      'text/plain': String(this),
    };
  }

  /** The report as text. */
  toString(): string {
    return [...this.rows().map((row) => row.join('  ')), `the process: ${megabytes(this.resident)}`].join('\n');
  }

  private rows(): [string, number, string][] {
    const known = this.cells.filter(({ tensors }) => tensors > 0);
    const rest = known.reduce(
      (left, { tensors, bytes }) => ({ tensors: left.tensors - tensors, bytes: left.bytes - bytes }),
      { tensors: this.tensors, bytes: this.bytes },
    );
    return [
      ...known.map(({ cell, tensors, bytes }): [string, number, string] => [
        `cell [${cell}]`,
        tensors,
        megabytes(bytes),
      ]),
      ...(rest.tensors > 0
        ? [['elsewhere', rest.tensors, megabytes(Math.max(0, rest.bytes))] as [string, number, string]]
        : []),
      ['all', this.tensors, megabytes(this.bytes)],
    ];
  }
}

/**
 * The tensors of this process, in a notebook grouped by the cell that made them. When a cell runs again, unused tensors
 * of its earlier run are freed. A restart of the kernel frees all.
 */
export function memory(): MemoryReport {
  const { numTensors, numBytes } = tf.memory();
  return new MemoryReport(notebookHost()?.tensors() ?? [], numTensors, numBytes, process.memoryUsage.rss());
}
