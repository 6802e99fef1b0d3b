// A figure as a value (plotly data and layout, no clock, no chance), and the figures of training: one line a method, a band over its seeds.
import type { RunRecord } from '../runs/record';
import { colorOf, FONT, INK, seriesStyle, translucent } from './figure-style';
import { groupRuns, type MethodRuns, type RunGroup } from './grouping';
import { textWidth, wrapText } from './text-metrics';

/** A plotly figure as plain data. */
export interface PlotlyJson {
  data: readonly Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/** A figure: prints itself as SVG, and lives in a notebook as plotly. */
export class Figure {
  readonly title: string;
  /** One paragraph: what is shown, of what, over how many runs. */
  readonly caption: string;
  readonly data: readonly Record<string, unknown>[];
  readonly layout: { width: number; height: number } & Record<string, unknown>;

  constructor(figure: { title: string; caption: string; data: readonly Record<string, unknown>[]; layout: { width: number; height: number } & Record<string, unknown> }) {
    this.title = figure.title;
    this.caption = figure.caption;
    this.data = figure.data;
    this.layout = figure.layout;
  }

  /** For `Plotly.newPlot` and for files that plotly's tools read. */
  toPlotlyJson(): PlotlyJson {
    return { data: this.data, layout: this.layout };
  }

  /** The same bytes every time. The first call takes about two seconds: it opens a page with plotly. */
  async toSvg(): Promise<string> {
    const { toSvg } = await import('./svg.js');
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
    return { 'application/vnd.plotly.v1+json': this.toPlotlyJson(), 'image/svg+xml': await this.toSvg(), 'text/plain': this.toString() };
  }
}

/** Options of the figures over epochs. */
export interface CurveOptions {
  title?: string;
  /** What the band spans over the seeds: lowest to highest, or one sample standard deviation to each side. Default `range`. */
  band?: 'range' | 'std' | 'none';
  /** Width of the figure in pixels. Default 760. */
  width?: number;
}

/** Test top-1 (percent) after each epoch: the mean over seeds of each method, a band, and dashed lines where the head is re-initialised. */
export function accuracyFigure(records: readonly RunRecord[], options: CurveOptions = {}): Figure {
  return curvesFigure(records, { name: 'Test accuracy per epoch', axis: 'test top-1 (%)', of: (row) => 100 * row.testTop1, digits: 1, ceiling: 100 }, options);
}

/** Training loss (cross entropy, natural log) of each epoch, in the same form. */
export function lossFigure(records: readonly RunRecord[], options: CurveOptions = {}): Figure {
  return curvesFigure(records, { name: 'Training loss per epoch', axis: 'training cross entropy (nats)', of: (row) => row.trainCrossEntropy, digits: 3 }, options);
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
  color: string;
  style: { dash: string; symbol: string };
  epochs: number[];
  mean: number[];
  low: number[];
  high: number[];
}

/** Room around and between panels, px. */
const ROOM = { top: 58, line: 17, bottom: 48, left: 58, across: 62, down: 44 };

function curvesFigure(records: readonly RunRecord[], quantity: Quantity, { title = quantity.name, band = 'range', width = 760 }: CurveOptions): Figure {
  const groups = groupRuns(records);
  const columns = groups.length > 1 && width >= 600 ? 2 : 1;
  const lines = Math.max(1, Math.ceil(groups.length / columns));
  const curves = groups.map((group) => group.methods.map((runs, i) => curveOf(runs, group.methods.slice(0, i), quantity, band)));
  const labels = curves.flat().map((curve) => labelOf(curve, quantity));
  const right = 14 + Math.max(40, ...labels.map((label) => textWidth(label, 12, true)));
  const legend = [
    band === 'none' ? 'lines: mean over seeds' : `lines: mean over seeds, bands: ${band === 'range' ? 'lowest to highest' : '± one standard deviation'}`,
    ...(records.some(({ resets, epochs }) => resets.some((epoch) => epoch < epochs.length)) ? ['dashed: the head is re-initialised'] : []),
  ].join('; ');
  const subtitle = wrapText(groups.length === 1 ? `${groups[0].label} · ${legend}` : legend, 12, width - ROOM.left - 8);
  const panelWidth = (width - ROOM.left - columns * right - (columns - 1) * ROOM.across) / columns;
  const panelTitles = groups.length > 1 ? groups.map(({ label }) => wrapText(label, 12, panelWidth + right - 8)) : [];
  const titled = groups.length > 1 ? 13 + ROOM.line * Math.max(...panelTitles.map((text) => text.length)) : 0;
  const top = ROOM.top + (subtitle.length - 1) * ROOM.line + titled;
  const panelHeight = groups.length === 1 && width >= 600 ? 300 : 210;
  const step = { x: panelWidth + right + ROOM.across, y: panelHeight + ROOM.down + titled };
  const [plotWidth, plotHeight] = [width - ROOM.left - right, lines * panelHeight + (lines - 1) * (ROOM.down + titled)];
  const height = top + plotHeight + ROOM.bottom;
  const data: Record<string, unknown>[] = [];
  // Not plotly's own subtitle: that has room for one line.
  const under = { text: subtitle.join('<br>'), align: 'left', showarrow: false, xref: 'paper', yref: 'paper', x: 0, y: 1, xanchor: 'left', yanchor: 'top', xshift: -1, yshift: top - 32 };
  const layout: PanelLayout = { shapes: [], annotations: [{ ...under, font: { size: 12, color: INK.soft } }] };
  groups.forEach((_, i) => {
    const [x0, y0] = [(i % columns) * step.x, Math.floor(i / columns) * step.y];
    const panel: Panel = {
      suffix: i === 0 ? '' : String(i + 1),
      domainX: [x0 / plotWidth, (x0 + panelWidth) / plotWidth],
      domainY: [1 - (y0 + panelHeight) / plotHeight, 1 - y0 / plotHeight],
      width: panelWidth,
      height: panelHeight,
      title: groups.length > 1 ? panelTitles[i].join('<br>') : null,
    };
    drawPanel(panel, curves[i], quantity, band, data, layout);
  });
  return new Figure({
    title,
    caption: `${title}. ${groups.map(captionOf).join(' ')} ${legend[0].toUpperCase()}${legend.slice(1)}.`,
    data,
    layout: {
      width,
      height,
      margin: { l: ROOM.left, r: right, t: top, b: ROOM.bottom },
      font: { family: FONT, size: 12, color: INK.text },
      title: {
        text: `<b>${title}</b>`,
        font: { size: 16 },
        x: 0,
        xref: 'paper',
        xanchor: 'left',
        y: 1 - 14 / height,
        yanchor: 'top',
      },
      showlegend: false,
      paper_bgcolor: INK.paper,
      plot_bgcolor: INK.paper,
      hovermode: 'x unified',
      ...layout,
    },
  });
}

function captionOf(group: RunGroup): string {
  return `${group.label}: ${group.methods.map(({ label, records }) => `${label} n = ${records.length}`).join(', ')}.`;
}

function labelOf({ runs, mean }: Curve, { digits }: Quantity): string {
  return `${runs.label} ${mean[mean.length - 1].toFixed(digits)}`;
}

/** Mean and band at every epoch that all seeds have. */
function curveOf(runs: MethodRuns, before: readonly MethodRuns[], quantity: Quantity, band: CurveOptions['band']): Curve {
  const length = Math.min(...runs.records.map(({ epochs }) => epochs.length));
  const epochs = Array.from({ length }, (_, i) => i + 1);
  const values = epochs.map((_, i) => runs.records.map((record) => quantity.of(record.epochs[i])));
  const mean = values.map((row) => row.reduce((sum, value) => sum + value, 0) / row.length);
  const std = values.map((row, i) => (row.length < 2 ? 0 : Math.sqrt(row.reduce((sum, value) => sum + (value - mean[i]) ** 2, 0) / (row.length - 1))));
  return {
    runs,
    color: colorOf(runs.method),
    style: seriesStyle(before.filter(({ method }) => method === runs.method).length),
    epochs,
    mean,
    low: values.map((row, i) => (band === 'std' ? mean[i] - std[i] : Math.min(...row))),
    high: values.map((row, i) => (band === 'std' ? mean[i] + std[i] : Math.max(...row))),
  };
}

type PanelLayout = Record<string, unknown> & { shapes: object[]; annotations: object[] };

interface Panel {
  /** Of plotly's axis names: `x`, `x2`, ... */
  suffix: string;
  domainX: [number, number];
  domainY: [number, number];
  width: number;
  height: number;
  title: string | null;
}

function drawPanel(panel: Panel, curves: readonly Curve[], quantity: Quantity, band: CurveOptions['band'], data: object[], layout: PanelLayout): void {
  const axes = { xaxis: `x${panel.suffix}`, yaxis: `y${panel.suffix}` };
  const last = Math.max(1, ...curves.map(({ epochs }) => epochs.length));
  const range = rangeOf(curves, quantity);
  if (band !== 'none') for (const curve of curves) if (curve.runs.records.length > 1) data.push(...bandTraces(curve, axes));
  for (const curve of curves) {
    data.push({
      type: 'scatter',
      mode: last > 60 ? 'lines' : 'lines+markers',
      name: `${curve.runs.label} (n = ${curve.runs.records.length})`,
      x: curve.epochs,
      y: curve.mean,
      line: { color: curve.color, width: 2.25, dash: curve.style.dash },
      marker: { color: curve.color, size: last > 25 ? 4 : 6, symbol: curve.style.symbol },
      hovertemplate: `%{y:.${quantity.digits}f}`,
      ...axes,
    });
    // A reset after the last epoch changes nothing that is shown.
    const resets = new Set(curve.runs.records.flatMap((record) => record.resets.filter((epoch) => epoch < record.epochs.length)));
    for (const epoch of [...resets].sort((a, b) => a - b)) {
      const x = epoch + 0.5; // between the epoch that was evaluated before it and the one trained after it
      layout.shapes.push({ type: 'line', xref: axes.xaxis, yref: `${axes.yaxis} domain`, x0: x, x1: x, y0: 0, y1: 1, layer: 'below', line: { color: curve.color, width: 1.25, dash: '5px,4px' } });
    }
  }
  for (const { curve, y } of spreadLabels(curves, range, panel.height)) {
    layout.annotations.push({
      xref: `${axes.xaxis} domain`, yref: `${axes.yaxis} domain`, x: 1, y, xanchor: 'left', yanchor: 'middle', xshift: 6, showarrow: false,
      text: `<b>${labelOf(curve, quantity)}</b>`, font: { color: curve.color, size: 12 },
    });
  }
  if (panel.title !== null) {
    layout.annotations.push({
      xref: `${axes.xaxis} domain`, yref: `${axes.yaxis} domain`, x: 0, y: 1, xanchor: 'left', yanchor: 'bottom', yshift: 8, showarrow: false,
      text: panel.title, align: 'left', font: { color: INK.text, size: 12 },
    });
  }
  const grid = { gridcolor: INK.grid, linecolor: INK.axis, zeroline: false, ticks: 'outside', ticklen: 4, tickcolor: INK.axis, automargin: false };
  layout[`xaxis${panel.suffix}`] = { ...grid, domain: panel.domainX, anchor: axes.yaxis, title: { text: 'epoch', standoff: 8, font: { size: 12 } }, range: [0.5, last + 0.5], dtick: Math.max(1, tickStep(last, panel.width / 36)), tick0: 0, showgrid: false, showline: true };
  layout[`yaxis${panel.suffix}`] = { ...grid, domain: panel.domainY, anchor: axes.xaxis, title: { text: quantity.axis, standoff: 8, font: { size: 12 } }, range, dtick: tickStep(range[1] - range[0], panel.height / 34), tick0: 0, hoverformat: `.${quantity.digits}f` };
}

function bandTraces(curve: Curve, axes: { xaxis: string; yaxis: string }): object[] {
  const edge = { type: 'scatter', mode: 'lines', x: curve.epochs, line: { width: 0, color: curve.color }, hoverinfo: 'skip', ...axes };
  return [
    { ...edge, name: `${curve.runs.label}, low`, y: curve.low },
    { ...edge, name: `${curve.runs.label}, high`, y: curve.high, fill: 'tonexty', fillcolor: translucent(curve.color) },
  ];
}

/** From a little below the lowest to a little above the highest value. */
function rangeOf(curves: readonly Curve[], { ceiling = Infinity }: Quantity): [number, number] {
  const [low, high] = [Math.min(...curves.flatMap((curve) => curve.low)), Math.max(...curves.flatMap((curve) => curve.high))];
  const room = Math.max(0.06 * (high - low), 1e-3 * Math.max(1, Math.abs(high)));
  return [low - room, high + room > ceiling ? ceiling + room / 2 : high + room];
}

/** Heights (fractions of the panel) of the labels at the lines' ends: at the last mean, moved apart where they would overlap. */
function spreadLabels(curves: readonly Curve[], [low, high]: [number, number], height: number): { curve: Curve; y: number }[] {
  const least = 15 / height;
  const labels = curves.map((curve) => ({ curve, y: (curve.mean[curve.mean.length - 1] - low) / (high - low) })).sort((a, b) => a.y - b.y);
  for (let round = 0; round < 100; round++) {
    for (let i = 1; i < labels.length; i++) {
      const overlap = least - (labels[i].y - labels[i - 1].y);
      if (overlap <= 1e-9) continue;
      labels[i - 1].y -= overlap / 2;
      labels[i].y += overlap / 2;
    }
    for (const label of labels) label.y = Math.min(1, Math.max(0, label.y));
  }
  return labels;
}

/** The smallest step of 1, 2 or 5 times a power of ten that gives at most `most` ticks over `length`. */
function tickStep(length: number, most: number): number {
  const power = 10 ** Math.floor(Math.log10(length / most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => length / step <= most) ?? 10 * power;
}
