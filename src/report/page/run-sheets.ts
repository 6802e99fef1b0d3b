// Behind each number of a report its runs: a click on it opens a sheet that lists them. No script: the sheet is the
// target of a link.
import type { RunRecord } from '../../runs/store/record';
import type { CellSource, TableData } from '../table/cells';
import { finalTrainTop1 } from '../comparison/grouping';
import { escapeHtml } from '../table/markup';

/** The id of a run's row in the table of runs. */
export const runAnchor = (id: string): string => `run-${id}`;

interface Sheet {
  id: string;
  /** The number that the sheet was first asked for: where closing it leads. */
  from: string;
  source: CellSource;
}

/** Collects the numbers of a page's tables that have runs behind them, and makes their sheets. */
export class RunSheets {
  private readonly sheets = new Map<string, Sheet>();
  private readonly records: ReadonlyMap<string, RunRecord>;

  constructor(records: readonly RunRecord[]) {
    this.records = new Map(records.map((record) => [record.id, record]));
  }

  /** A number as a link to the sheet of its runs; numbers of one row with the same runs share a sheet. */
  readonly link = (html: string, { table, row, key }: { table: TableData; row: number; key: string }): string => {
    const source = table.sources![row][key];
    const place = `${table.id ?? 'table'}-${row + 1}`;
    const name = `${place} ${JSON.stringify([source.runs, source.against])}`;
    const number = `${place}-${key}`;
    let sheet = this.sheets.get(name);
    if (sheet === undefined) {
      sheet = { id: `runs-of-${number}`, from: number, source };
      this.sheets.set(name, sheet);
    }
    return `<a class="number" id="${number}" href="#${sheet.id}">${html}</a>`;
  };

  /** All sheets; each shows while it is the target. */
  html(): string {
    return [...this.sheets.values()].map((sheet) => this.sheetHtml(sheet)).join('\n');
  }

  private sheetHtml({ id, from, source }: Sheet): string {
    const { of, runs, against, sides = ['one', 'other'] } = source;
    const body = against === undefined ? this.runsHtml(runs) : this.pairsHtml(runs, against, sides);
    return (
      `<aside class="sheet" id="${id}" aria-label="Runs behind a number"><div class="sheet-head"><b>${escapeHtml(of)}</b>` +
      `<a class="close" href="#${from}">Close</a></div><div class="scroll">${body}</div></aside>`
    );
  }

  /** One row a run. */
  private runsHtml(ids: readonly string[]): string {
    const rows = this.find(ids).map((record) => {
      const { id, spec, epochs, top1, failure } = record;
      const [test, train] = failure
        ? [`failed in epoch ${failure.epoch}`, '–']
        : [percent(top1), percent(finalTrainTop1(record))];
      return `<tr><td>${spec.seed}</td><td>${test}</td><td>${train}</td><td>${epochs.length}</td><td>${linkTo(id)}</td></tr>`;
    });
    return `<table><thead><tr><th scope="col">Seed</th><th scope="col">Test top-1 (%)</th><th scope="col">Train top-1 (%)</th><th scope="col">Epochs</th><th scope="col">Run</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  }

  /** One row a seed, with the difference where both sides finished. */
  private pairsHtml(runs: readonly string[], against: readonly string[], sides: readonly [string, string]): string {
    const [left, right] = [this.find(runs), this.find(against)];
    const seeds = [...new Set([...left, ...right].map(({ spec }) => spec.seed))].sort((a, b) => a - b);
    const side = (record: RunRecord | undefined): string =>
      record === undefined ? 'not run' : `${record.failure ? 'failed' : percent(record.top1)} · ${linkTo(record.id)}`;
    const rows = seeds.map((seed) => {
      const [a, b] = [left, right].map((records) => records.find(({ spec }) => spec.seed === seed));
      const difference = a && b && !a.failure && !b.failure ? signed(100 * a.top1 - 100 * b.top1) : '–';
      return `<tr><td>${seed}</td><td>${side(a)}</td><td>${side(b)}</td><td>${difference}</td></tr>`;
    });
    const head = ['Seed', ...sides.map((name) => `${name} (%)`), 'Difference']
      .map((title) => `<th scope="col">${escapeHtml(title)}</th>`)
      .join('');
    return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
  }

  private find(ids: readonly string[]): RunRecord[] {
    return ids.flatMap((id) => this.records.get(id) ?? []).sort((a, b) => a.spec.seed - b.spec.seed);
  }
}

const linkTo = (id: string): string => `<a href="#${runAnchor(id)}"><code>${escapeHtml(id)}</code></a>`;
const percent = (fraction: number): string => (100 * fraction).toFixed(2);
const signed = (points: number): string => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`;
