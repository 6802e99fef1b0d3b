// The runs behind each number of a report: a click on it opens a sheet that lists them. The sheet is the target of a
// link, so that no script is needed.
import type { RunRecord } from '../../runs/store/record';
import { finalTrainTop1 } from '../comparison/grouping';
import { repetitionOf, repetitionText } from '../comparison/repetition';
import type { CellSource, TableData } from '../table/cells';
import { html, htmlLines, type Html } from '../table/markup';

/** The id of a run's row in the table of runs. */
export const runAnchor = (id: string): string => `run-${id}`;

interface Sheet {
  id: string;
  /** The number that the sheet was first made for: where closing it leads. */
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
  readonly link = (content: Html, { table, row, key }: { table: TableData; row: number; key: string }): Html => {
    const source = table.sources![row][key];
    const rowName = `${table.id ?? 'table'}-${row + 1}`;
    const name = `${rowName} ${JSON.stringify([source.runs, source.against])}`;
    const number = `${rowName}-${key}`;
    let sheet = this.sheets.get(name);
    if (sheet === undefined) {
      sheet = { id: `runs-of-${number}`, from: number, source };
      this.sheets.set(name, sheet);
    }
    return html`<a class="number" id="${number}" href="#${sheet.id}">${content}</a>`;
  };

  /** All sheets; each shows while it is the target. */
  html(): Html {
    return htmlLines([...this.sheets.values()].map((sheet) => this.sheetHtml(sheet)));
  }

  private sheetHtml({ id, from, source }: Sheet): Html {
    const { of, runs, against, sides = ['one', 'other'] } = source;
    const body = against === undefined ? this.runsHtml(runs) : this.pairsHtml(runs, against, sides);
    const close = html`<a class="close" href="#${from}">Close</a>`;
    const head = html`<div class="sheet-head"><b>${of}</b>${close}</div>`;
    const content = html`${head}<div class="scroll">${body}</div>`;
    return html`<aside class="sheet" id="${id}" aria-label="Runs behind a number">${content}</aside>`;
  }

  /** One row a run. */
  private runsHtml(ids: readonly string[]): Html {
    const rows = this.find(ids).map((record) => {
      const { id, spec, epochs, top1, failure } = record;
      const [test, train] = failure
        ? [`failed in epoch ${failure.epoch}`, '–']
        : [percent(top1), percent(finalTrainTop1(record))];
      return [repetitionText(spec), test, train, epochs.length, linkTo(id)];
    });
    return tableHtml(['Seed', 'Test top-1 (%)', 'Train top-1 (%)', 'Epochs', 'Run'], rows);
  }

  /** One row a seed, with the difference where both sides finished. */
  private pairsHtml(runs: readonly string[], against: readonly string[], sides: readonly [string, string]): Html {
    const [left, right] = [this.find(runs), this.find(against)];
    const all = new Map([...left, ...right].map(({ spec }) => [repetitionOf(spec), repetitionText(spec)]));
    const sideOf = (record: RunRecord | undefined): string | Html =>
      record === undefined
        ? 'not run'
        : html`${record.failure ? 'failed' : percent(record.top1)} · ${linkTo(record.id)}`;
    const rows = [...all]
      .sort(([a], [b]) => a - b)
      .map(([repetition, text]) => {
        const [a, b] = [left, right].map((records) => records.find(({ spec }) => repetitionOf(spec) === repetition));
        const difference = a && b && !a.failure && !b.failure ? signed(100 * a.top1 - 100 * b.top1) : '–';
        return [text, sideOf(a), sideOf(b), difference];
      });
    return tableHtml(['Seed', ...sides.map((name) => `${name} (%)`), 'Difference'], rows);
  }

  private find(ids: readonly string[]): RunRecord[] {
    return ids.flatMap((id) => this.records.get(id) ?? []).sort((a, b) => repetitionOf(a.spec) - repetitionOf(b.spec));
  }
}

function tableHtml(headings: readonly string[], rows: readonly (readonly (string | number | Html)[])[]): Html {
  const head = headings.map((title) => html`<th scope="col">${title}</th>`);
  const body = rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`);
  return html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

const linkTo = (id: string): Html => html`<a href="#${runAnchor(id)}"><code>${id}</code></a>`;
const percent = (fraction: number): string => (100 * fraction).toFixed(2);
const signed = (points: number): string => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`;
