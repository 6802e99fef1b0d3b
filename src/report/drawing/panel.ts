// One panel of lines in plotly's terms: its lines with bands, their labels, its marks and its axes.
import { logTicks, QUIET_AXIS, tickStep, type Ticks } from './axes';
import { INK, translucent } from './figure-style';
import { boldLines, plotLines, plotText } from './plot-text';
import { textWidth } from './text-metrics';

/** One line. */
export interface Line {
  /** For those who point at it. */
  name: string;
  /** Stands at its end, in its colour. */
  label: string;
  color: string;
  style: { dash: string; symbol: string };
  x: readonly number[];
  mean: readonly number[];
  /** Ends of the band, which is drawn when `band` is true; the axis has room for them anyway. */
  low: readonly number[];
  high: readonly number[];
  band: boolean;
}

/** A panel. */
export interface LinePanel {
  /** Above it; `null` when the figure says it already. */
  title: string | null;
  lines: readonly Line[];
  /** Dashed lines from bottom to top. */
  marks: readonly { x: number; color: string }[];
  x: {
    title: string;
    range: [number, number];
    /** Places of data on the axis: how large markers may be. */
    places: number;
    /** Default: whole numbers at round steps. `vertical` texts are read from below. */
    ticks?: Ticks & { vertical?: boolean; size?: number };
    /** Without texts and title: the panel below has the same axis, and stands close. Default false. */
    bare?: boolean;
  };
  /** In place of the figure's. */
  y?: YAxis;
  height?: number;
  /** A thin line from left to right. */
  level?: number;
}

/** A vertical axis. */
export interface YAxis {
  /** One line, or several. */
  title: string | readonly string[];
  scale: 'linear' | 'log';
  /** d3's format of numbers at the pointer, for example `.1f`. */
  format: string;
  /** Largest value that there can be. */
  ceiling?: number;
}

/** How much deeper than one line of text a panel's tick texts hang, px. */
export function hangingOf({ x: { ticks, bare } }: LinePanel): number {
  if (!ticks?.vertical || bare) return 0;
  return Math.max(0, ...ticks.texts.map((text) => textWidth(text, ticks.size ?? 12))) - 10;
}

/** Where a panel stands. */
export interface PanelPosition {
  /** Of plotly's axis names: `x`, `x2`, ... */
  suffix: string;
  domainX: [number, number];
  domainY: [number, number];
  width: number;
  height: number;
  title: string;
}

/** Adds a panel to the data and the layout of a drawing. */
export function drawPanel(
  { lines, marks, level, x }: LinePanel,
  position: PanelPosition,
  range: [number, number],
  y: YAxis,
  data: object[],
  layout: Record<string, unknown> & { shapes: object[]; annotations: object[] },
): void {
  const axes = { xaxis: `x${position.suffix}`, yaxis: `y${position.suffix}` };
  const shown = (values: readonly number[]): (number | null)[] =>
    values.map((value) => (Number.isFinite(scaled(value, y)) ? value : null));
  for (const line of lines) if (line.band) data.push(...bandTraces(line, shown, axes));
  for (const line of lines) {
    data.push({
      type: 'scatter',
      mode: x.places > 60 ? 'lines' : 'lines+markers',
      name: plotText(line.name),
      x: line.x,
      y: shown(line.mean),
      line: { color: line.color, width: 2.25, dash: line.style.dash },
      marker: { color: line.color, size: x.places > 25 ? 4 : 6, symbol: line.style.symbol },
      hovertemplate: `%{y:${y.format}}`,
      ...axes,
    });
  }
  if (level !== undefined)
    layout.shapes.push({
      type: 'line',
      xref: `${axes.xaxis} domain`,
      yref: axes.yaxis,
      x0: 0,
      x1: 1,
      y0: level,
      y1: level,
      layer: 'below',
      line: { color: INK.axis, width: 1 },
    });
  for (const { x: at, color } of marks) {
    layout.shapes.push({
      type: 'line',
      xref: axes.xaxis,
      yref: `${axes.yaxis} domain`,
      x0: at,
      x1: at,
      y0: 0,
      y1: 1,
      layer: 'below',
      line: { color, width: 1.25, dash: '5px,4px' },
    });
  }
  for (const { line, at } of spreadLabels(
    lines.filter(({ label }) => label !== ''),
    range,
    y,
    position.height,
  )) {
    layout.annotations.push({
      xref: `${axes.xaxis} domain`,
      yref: `${axes.yaxis} domain`,
      x: 1,
      y: at,
      xanchor: 'left',
      yanchor: 'middle',
      xshift: 6,
      showarrow: false,
      text: boldLines([line.label]),
      font: { color: line.color, size: 12 },
    });
  }
  if (position.title !== '') {
    layout.annotations.push({
      xref: `${axes.xaxis} domain`,
      yref: `${axes.yaxis} domain`,
      x: 0,
      y: 1,
      xanchor: 'left',
      yanchor: 'bottom',
      yshift: 8,
      showarrow: false,
      text: position.title,
      align: 'left',
      font: { color: INK.text, size: 12 },
    });
  }
  layout[`xaxis${position.suffix}`] = {
    ...QUIET_AXIS,
    domain: position.domainX,
    anchor: axes.yaxis,
    title: { text: x.bare ? '' : plotText(x.title), standoff: 8, font: { size: 12 } },
    range: x.range,
    ...ticksOfX(x, position),
    showgrid: false,
    showline: true,
  };
  layout[`yaxis${position.suffix}`] = {
    ...QUIET_AXIS,
    domain: position.domainY,
    anchor: axes.xaxis,
    title: { text: plotLines([y.title].flat()), standoff: 8, font: { size: 12 } },
    range,
    ...ticksOfY(range, y, position),
    hoverformat: y.format,
  };
}

function ticksOfX({ range, ticks, bare }: LinePanel['x'], { width }: PanelPosition): object {
  if (bare) return { tickmode: 'array', tickvals: ticks?.values ?? [], showticklabels: false };
  if (ticks === undefined) return { dtick: Math.max(1, tickStep(range[1] - 0.5, width / 36)), tick0: 0 };
  return {
    tickmode: 'array',
    tickvals: ticks.values,
    ticktext: ticks.texts.map(plotText),
    tickangle: ticks.vertical ? -90 : 0,
    tickfont: { size: ticks.size ?? 12 },
  };
}

function ticksOfY(range: [number, number], { scale }: YAxis, { height }: PanelPosition): object {
  if (scale === 'linear') return { dtick: tickStep(range[1] - range[0], height / 34), tick0: 0 };
  const { values, texts } = logTicks(10 ** range[0], 10 ** range[1], height / 24);
  return { type: 'log', tickmode: 'array', tickvals: values, ticktext: texts };
}

function bandTraces(
  line: Line,
  shown: (values: readonly number[]) => (number | null)[],
  axes: { xaxis: string; yaxis: string },
): object[] {
  const name = plotText(line.name.replace(/ \(n = \d+\)$/, ''));
  const edge = {
    type: 'scatter',
    mode: 'lines',
    x: line.x,
    line: { width: 0, color: line.color },
    hoverinfo: 'skip',
    ...axes,
  };
  return [
    { ...edge, name: `${name}, low`, y: shown(line.low) },
    { ...edge, name: `${name}, high`, y: shown(line.high), fill: 'tonexty', fillcolor: translucent(line.color) },
  ];
}

/** A value on the axis: of a logarithmic one its exponent of ten. */
const scaled = (value: number, { scale }: YAxis): number => (scale === 'log' ? Math.log10(value) : value);

/** From a little below the lowest to a little above the highest value, on the axis. */
export function rangeOf(lines: readonly Line[], y: YAxis): [number, number] {
  const values = lines
    .flatMap(({ low, high }) => [...low, ...high])
    .map((value) => scaled(value, y))
    .filter(Number.isFinite);
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.06 * (high - low), y.scale === 'log' ? 0.02 : 1e-3 * Math.max(1, Math.abs(high)));
  const ceiling = y.ceiling ?? Infinity;
  return [low - room, high + room > ceiling ? ceiling + room / 2 : high + room];
}

/**
 * Heights (fractions of the panel) of the labels at the lines' ends: at the last mean, moved apart where they would
 * overlap.
 */
function spreadLabels(
  lines: readonly Line[],
  [low, high]: [number, number],
  y: YAxis,
  height: number,
): { line: Line; at: number }[] {
  const least = 15 / height;
  const end = ({ mean }: Line): number =>
    scaled(mean.filter((value) => Number.isFinite(scaled(value, y))).at(-1) ?? NaN, y);
  const labels = lines
    .map((line) => ({ line, at: (end(line) - low) / (high - low) }))
    .filter(({ at }) => Number.isFinite(at))
    .sort((a, b) => a.at - b.at);
  for (let round = 0; round < 100; round++) {
    for (let i = 1; i < labels.length; i++) {
      const overlap = least - (labels[i].at - labels[i - 1].at);
      if (overlap <= 1e-9) continue;
      labels[i - 1].at -= overlap / 2;
      labels[i].at += overlap / 2;
    }
    for (const label of labels) label.at = Math.min(1, Math.max(0, label.at));
  }
  return labels;
}
