// A table as a value that prints itself: on a terminal, in a notebook, to HTML, CSV, JSON and LaTeX.
import type { CellSource, Column, Row, TableData } from './cells';
import { renderCsv, renderHtml, renderLatex, renderText, type HtmlOptions } from './render';

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

/** A table: data first, looks second. */
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

  /** For a terminal of `width` columns; default: that of standard output, or 120. */
  toText(width: number = process.stdout.columns ?? 120): string {
    return renderText(this, width);
  }

  /** A `<table>` with title, caption and notes. */
  toHtml(options: HtmlOptions = {}): string {
    return renderHtml(this, options);
  }

  /** All columns in full precision; a spread is two columns, `_mean` and `_std`, an interval `_low` and `_high`. */
  toCsv(): string {
    return renderCsv(this);
  }

  /** With the package booktabs. */
  toLatex(): string {
    return renderLatex(this);
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
