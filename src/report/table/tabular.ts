// A table as a value: rows and columns, and how they print on a terminal, in a notebook, as HTML, CSV and LaTeX.
import type { CellSource, Column, Row, TableData } from './cells';
import { recordsOf, renderCsv, type CsvValue } from './csv';
import { renderHtml, type HtmlOptions } from './html-table';
import { renderLatex } from './latex';
import { renderMarkdown } from './markdown';
import { renderText } from './text';

/** A table's columns with their units and its rows in full precision, for JSON. */
export interface TableJson {
  id: string;
  title: string;
  caption: string;
  columns: { key: string; title: string; unit: string | null; kind: string }[];
  rows: Row[];
  /** By row, by column key: the runs behind the number there. */
  sources: Record<string, CellSource>[];
  notes: string[];
}

/** A table: its data, and its forms for people and programs. */
export class Table implements TableData {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly columns: Column[];
  readonly rows: Row[];
  readonly sources: Record<string, CellSource>[];
  readonly notes: string[];

  constructor(data: TableData) {
    this.id = data.id ?? 'table';
    this.title = data.title;
    this.caption = data.caption;
    this.columns = data.columns;
    this.rows = data.rows;
    this.sources = data.sources ?? [];
    this.notes = data.notes;
  }

  /** For a terminal of `width` columns. Default: the width of standard output, or 120. */
  toText(width: number = process.stdout.columns ?? 120): string {
    return renderText(this, width);
  }

  /** A `<table>` with title, caption and notes. */
  toHtml(options: HtmlOptions = {}): string {
    return renderHtml(this, options).toString();
  }

  /**
   * Rows in full precision for other programs, for example `d3` or a danfo frame: all columns, a spread as two, `_mean`
   * and `_std`, an interval as `_low` and `_high`.
   */
  toRecords(): Record<string, CsvValue>[] {
    return recordsOf(this);
  }

  /**
   * The records as CSV. A text that a spreadsheet would take for a formula (it begins with =, +, -, @, a tab or a line
   * break) or that begins with an apostrophe gets an apostrophe in front; remove one to read it back.
   */
  toCsv(): string {
    return renderCsv(this);
  }

  /** With the package booktabs. */
  toLatex(): string {
    return renderLatex(this);
  }

  /** As a Markdown table: its columns and rows alone. */
  toMarkdown(): string {
    return renderMarkdown(this);
  }

  /** Plain data; `JSON.stringify(table)` uses it. */
  toJson(): TableJson {
    const columns = this.columns.map(({ key, title, unit, kind }) => ({
      key,
      title,
      unit: unit ?? null,
      kind: kind ?? 'text',
    }));
    return {
      id: this.id,
      title: this.title,
      caption: this.caption,
      columns,
      rows: this.rows,
      sources: this.sources,
      notes: this.notes,
    };
  }

  toJSON(): TableJson {
    return this.toJson();
  }

  toString(): string {
    return this.toText(120);
  }

  /** What `console.log(table)` prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toText();
  }

  /** What a notebook shows when a table is a cell's value, by the convention of Jupyter's JavaScript kernels. */
  [Symbol.for('Jupyter.display')](): Record<string, unknown> {
    return { 'text/html': this.toHtml(), 'text/plain': this.toText(120) };
  }
}
