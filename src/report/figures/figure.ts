// A figure as a value (plotly data and layout, no clock, no chance), and the figures of training: one line a method, a
// band over its seeds.
import type { RunRecord } from '../../runs/store/record';
import { KitError } from '../../base/errors';
import { drawable } from './drawable';
import { colorOf, seriesStyle } from '../drawing/figure-style';
import { groupRuns, type MethodRuns, type RunGroup } from '../comparison/grouping';
import { drawLinePanels } from '../drawing/line-panels';
import type { Line, LinePanel } from '../drawing/panel';
import { capital } from '../comparison/notes';
import { Table } from '../table/tabular';

/** A plotly figure as plain data. */
export interface PlotlyJson {
  data: readonly Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** What a figure is made of. */
export interface FigureData {
  title: string;
  caption: string;
  data: readonly Record<string, unknown>[];
  layout: { width: number; height: number } & Record<string, unknown>;
  /** The numbers behind it. */
  numbers?: Table;
}

/** A figure: prints itself as SVG, and lives in a notebook as plotly. */
export class Figure {
  readonly title: string;
  /** One paragraph: what is shown, of what, over how many runs. */
  readonly caption: string;
  readonly data: readonly Record<string, unknown>[];
  readonly layout: { width: number; height: number } & Record<string, unknown>;
  /** The numbers behind it, one row a point; `null` of a figure that has none. */
  readonly numbers: Table | null;

  constructor(figure: FigureData) {
    this.title = figure.title;
    this.caption = figure.caption;
    this.data = figure.data;
    this.layout = figure.layout;
    this.numbers = figure.numbers ?? null;
  }

  /** The numbers behind it in full precision. @throws KitError for a figure that has none. */
  toCsv(): string {
    if (this.numbers === null)
      throw new KitError(`The figure "${this.title}" has no table of its numbers.`, {
        code: 'FIGURE_NO_NUMBERS',
        fix: 'Give it a table as `numbers` when it is made.',
      });
    return this.numbers.toCsv();
  }

  /** For `Plotly.newPlot` and for files that plotly's tools read. */
  toPlotlyJson(): PlotlyJson {
    return { data: this.data, layout: this.layout };
  }

  /** The same bytes every time. The first call takes about two seconds: it opens a page with plotly. */
  async toSvg(): Promise<string> {
    const { toSvg } = await import('../drawing/svg.js');
    return toSvg(this);
  }

  toString(): string {
    return `${this.title}\n${this.caption}`;
  }

  /** What `console.log(figure)` prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Figure: ${this.toString()}`;
  }

  /** What a notebook shows when a figure is a cell's value, by the convention of Jupyter's JavaScript kernels. */
  async [Symbol.for('Jupyter.display')](): Promise<Record<string, unknown>> {
    return {
      'application/vnd.plotly.v1+json': this.toPlotlyJson(),
      'image/svg+xml': await this.toSvg(),
      'text/plain': this.toString(),
    };
  }
}

/** Options of the figures over epochs. */
export interface CurveOptions {
  title?: string;
  /**
   * What the band spans over the seeds: lowest to highest, or one sample standard deviation to each side. Default
   * `range`.
   */
  band?: 'range' | 'std' | 'none';
  /** Width of the figure in pixels. Default 760. */
  width?: number;
}

/**
 * Test top-1 (percent) after each epoch: the mean over seeds of each method, a band, and dashed lines where the head is
 * re-initialised.
 */
export function accuracyFigure(records: readonly RunRecord[], options: CurveOptions = {}): Figure {
  return curvesFigure(
    records,
    {
      name: 'Test accuracy per epoch',
      axis: 'test top-1 (%)',
      of: (row) => 100 * row.top1,
      digits: 1,
      ceiling: 100,
    },
    options,
  );
}

/** Training loss (cross entropy, natural log) of each epoch, in the same form. */
export function lossFigure(records: readonly RunRecord[], options: CurveOptions = {}): Figure {
  return curvesFigure(
    records,
    {
      name: 'Training loss per epoch',
      axis: 'training cross entropy (nats)',
      of: (row) => row.trainCrossEntropy,
      digits: 3,
    },
    options,
  );
}

interface Quantity {
  name: string;
  axis: string;
  of: (row: RunRecord['epochs'][number]) => number;
  digits: number;
  /** Largest value that there can be. */
  ceiling?: number;
}

interface Curve {
  runs: MethodRuns;
  line: Line;
}

function curvesFigure(
  records: readonly RunRecord[],
  quantity: Quantity,
  { title = quantity.name, band = 'range', width = 760 }: CurveOptions,
): Figure {
  const { groups, note } = drawable(groupRuns(records));
  const curves = groups.map((group) =>
    group.methods.map((runs, i) => curveOf(runs, group.methods.slice(0, i), quantity, band)),
  );
  const legend = [
    bandText(band),
    ...(groups.some(({ methods }) => methods.some((method) => resetsOf(method.records).length > 0))
      ? ['dashed: the head is re-initialised']
      : []),
  ].join('; ');
  const drawing = drawLinePanels({
    title,
    subtitle: groups.length === 1 ? `${groups[0].label} · ${legend}` : legend,
    panels: groups.map(({ label }, i) => panelOf(curves[i], groups.length > 1 ? label : null)),
    columns: groups.length > 1 && width >= 600 ? 2 : 1,
    width,
    panelHeight: groups.length === 1 && width >= 600 ? 300 : 210,
    y: { title: quantity.axis, scale: 'linear', format: `.${quantity.digits}f`, ceiling: quantity.ceiling },
  });
  const caption = `${title}. ${groups.map(captionOf).join(' ')} ${capital(legend)}.${note}`;
  return new Figure({
    title,
    caption,
    ...drawing,
    numbers: numbersOf(groups, curves, { title, caption, axis: quantity.axis }),
  });
}

/** What lines and bands are, for a legend. */
export function bandText(band: CurveOptions['band']): string {
  return band === 'none'
    ? 'lines: mean over seeds'
    : `lines: mean over seeds, bands: ${band === 'std' ? '± one standard deviation' : 'lowest to highest'}`;
}

function panelOf(curves: readonly Curve[], title: string | null): LinePanel {
  const last = Math.max(1, ...curves.map(({ line }) => line.x.at(-1) ?? 0));
  const marks = curves.flatMap(({ runs, line }) =>
    resetsOf(runs.records).map((epoch) => ({ x: epoch + 0.5, color: line.color })),
  );
  return {
    title,
    lines: curves.map(({ line }) => line),
    marks,
    x: { title: 'epoch', range: [0.5, last + 0.5], places: last },
  };
}

/**
 * Epochs after which some of the runs re-initialise the head; half an epoch later is where they are marked. A reset
 * after the last epoch changes nothing that is shown.
 */
export function resetsOf(records: readonly RunRecord[]): number[] {
  const resets = new Set(records.flatMap((record) => record.resets.filter((epoch) => epoch < record.epochs.length)));
  return [...resets].sort((a, b) => a - b);
}

function numbersOf(
  groups: readonly RunGroup[],
  curves: readonly Curve[][],
  { title, caption, axis }: { title: string; caption: string; axis: string },
): Table {
  return new Table({
    title,
    caption,
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'settings', title: 'Settings', group: true, hoist: true },
      { key: 'method', title: 'Method', group: true },
      { key: 'epoch', title: 'Epoch', kind: 'number', digits: 0 },
      { key: 'n', title: 'n', kind: 'number', digits: 0 },
      { key: 'mean', title: `Mean ${axis}`, kind: 'number', digits: 3 },
      { key: 'low', title: 'Low end of the band', kind: 'number', digits: 3 },
      { key: 'high', title: 'High end', kind: 'number', digits: 3 },
      { key: 'reset', title: 'Head re-initialised after it' },
    ],
    rows: groups.flatMap(({ dataset, backbone, settings }, g) =>
      curves[g].flatMap(({ runs, line }) => {
        const resets = resetsOf(runs.records);
        return line.x.map((epoch, i) => ({
          dataset,
          backbone,
          settings: settings || null,
          method: runs.label,
          epoch,
          n: runs.records.length,
          mean: line.mean[i],
          low: line.low[i],
          high: line.high[i],
          reset: resets.includes(epoch) ? 'yes' : 'no',
        }));
      }),
    ),
    notes: [],
  });
}

function captionOf(group: RunGroup): string {
  return `${group.label}: ${group.methods.map(({ label, records }) => `${label} n = ${records.length}`).join(', ')}.`;
}

/** Mean and band at every epoch that all seeds have, and at which all have the quantity. */
function curveOf(
  runs: MethodRuns,
  before: readonly MethodRuns[],
  quantity: Quantity,
  band: CurveOptions['band'],
): Curve {
  const length = Math.min(...runs.records.map(({ epochs }) => epochs.length));
  const epochs = Array.from({ length }, (_, i) => i + 1).filter((epoch) =>
    runs.records.every((record) => !Number.isNaN(quantity.of(record.epochs[epoch - 1]))),
  );
  const values = epochs.map((epoch) => runs.records.map((record) => quantity.of(record.epochs[epoch - 1])));
  const spread = spreadOf(values, band);
  const line = {
    name: `${runs.label} (n = ${runs.records.length})`,
    label: `${runs.label} ${spread.mean.at(-1)!.toFixed(quantity.digits)}`,
    color: colorOf(runs.method, runs.colour),
    style: seriesStyle(before.filter(({ method }) => method === runs.method).length),
    x: epochs,
    ...spread,
    band: band !== 'none' && runs.records.length > 1,
  };
  return { runs, line };
}

/** Mean and ends of the band of the values at each place. */
export function spreadOf(
  values: readonly (readonly number[])[],
  band: CurveOptions['band'],
): { mean: number[]; low: number[]; high: number[] } {
  const mean = values.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
  const std = values.map((row, i) =>
    row.length < 2 ? 0 : Math.sqrt(row.reduce((sum, value) => sum + (value - mean[i]) ** 2, 0) / (row.length - 1)),
  );
  return {
    mean,
    low: values.map((row, i) => (band === 'std' ? mean[i] - std[i] : Math.min(...row))),
    high: values.map((row, i) => (band === 'std' ? mean[i] + std[i] : Math.max(...row))),
  };
}
