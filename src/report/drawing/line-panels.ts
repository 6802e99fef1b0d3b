// Panels of lines: a mean over seeds each, with a band, a label at its end, and dashed marks. What the figures of runs
// are drawn with.
import { logTicks, QUIET_AXIS, tickStep, type Ticks } from './axes';
import { FONT, INK, translucent } from './figure-style';
import { textWidth, wrapText } from './text-metrics';

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
  title: string;
  scale: 'linear' | 'log';
  /** d3's format of numbers at the pointer, for example `.1f`. */
  format: string;
  /** Largest value that there can be. */
  ceiling?: number;
}

/** All panels and what they share. */
export interface LinePanels {
  title: string;
  /** Under the title, wrapped. */
  subtitle: string;
  panels: readonly LinePanel[];
  columns: number;
  /** Pixels. */
  width: number;
  panelHeight: number;
  /** `shared`: all panels have the same range. Default false. */
  y: YAxis & { shared?: boolean };
}

/** A drawing in plotly's terms. */
export interface PlotlyDrawing {
  data: Record<string, unknown>[];
  layout: { width: number; height: number } & Record<string, unknown>;
}

/**
 * Letters of the fonts that stand in where there is no Arial are up to so much wider: neither a label beside a line nor
 * a heading must be cut.
 */
const WIDER = 1.2;

/**
 * Room around and between panels, px; `decades` is on the left of a logarithmic axis, whose numbers are long, `close`
 * between panels with one axis.
 */
export const ROOM = { top: 58, line: 17, bottom: 48, left: 58, decades: 70, across: 62, down: 44, close: 14 };

/** Title and the text under it, broken to lines, and the room above the plot that they take, px. */
export interface Heading {
  title: string[];
  subtitle: string[];
  height: number;
}

/** The heading of a figure `width` pixels wide whose plot begins `left` pixels from its edge. */
export function headingOf(title: string, subtitle: string, width: number, left: number): Heading {
  const lines = {
    title: wrapText(title, 1.07 * WIDER * TITLE.size, width - left - 8),
    subtitle: wrapText(subtitle, WIDER * 12, width - left - 8),
  };
  return {
    ...lines,
    height: ROOM.top + (lines.title.length - 1) * TITLE.line + (lines.subtitle.length - 1) * ROOM.line,
  };
}

const TITLE = { size: 16, line: 21 };

/**
 * Plotly's layout of everything but the panels: size, fonts, title, and the text under it. `top` is the room above the
 * plot.
 */
export function frameOf(
  heading: Heading,
  {
    width,
    height,
    top,
    right,
    bottom,
    left,
  }: { width: number; height: number; top: number; right: number; bottom: number; left: number },
): Record<string, unknown> & { width: number; height: number; annotations: object[] } {
  // Not plotly's own subtitle, which has room for one line; nor its title when that has more than one, whose lines not
  // all viewers keep apart.
  const note = (lines: readonly string[], from: number): Record<string, unknown> => ({
    text: lines.join('<br>'),
    align: 'left',
    showarrow: false,
    xref: 'paper',
    yref: 'paper',
    x: 0,
    y: 1,
    xanchor: 'left',
    yanchor: 'top',
    xshift: -1,
    yshift: top - from,
  });
  const long = heading.title.length > 1;
  const text = `<b>${heading.title.join('<br>')}</b>`;
  return {
    width,
    height,
    margin: { l: left, r: right, t: top, b: bottom },
    font: { family: FONT, size: 12, color: INK.text },
    title: {
      text: long ? '' : text,
      font: { size: TITLE.size },
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
    annotations: [
      { ...note(heading.subtitle, 32 + (heading.title.length - 1) * TITLE.line), font: { size: 12, color: INK.soft } },
      ...(long ? [{ ...note(heading.title, 8), text, font: { size: TITLE.size, color: INK.text } }] : []),
    ],
  };
}

/** Draws the panels, row by row. */
export function drawLinePanels({ title, subtitle, panels, columns, width, panelHeight, y }: LinePanels): PlotlyDrawing {
  const left = [y, ...panels.map((panel) => panel.y)].some((axis) => axis?.scale === 'log') ? ROOM.decades : ROOM.left;
  const across = ROOM.across + left - ROOM.left;
  const right =
    14 + Math.max(40, ...panels.flatMap(({ lines }) => lines).map(({ label }) => WIDER * textWidth(label, 12, true)));
  const heading = headingOf(title, subtitle, width, left);
  const panelWidth = (width - left - columns * right - (columns - 1) * across) / columns;
  const titles = panels.map((panel) => (panel.title === null ? [] : wrapText(panel.title, 12, panelWidth + right - 8)));
  const titled = 13 + ROOM.line * Math.max(0, ...titles.map((text) => text.length));
  // From top to bottom: each row has its titles above it, and hangs as deep as the deepest tick text in it.
  const rows = Array.from({ length: Math.max(1, Math.ceil(panels.length / columns)) }, (_, row) => {
    const own = panels.slice(row * columns, (row + 1) * columns);
    return {
      titled: own.some((panel) => panel.title !== null) ? titled : 0,
      height: Math.max(0, ...own.map((panel) => panel.height ?? panelHeight)) || panelHeight,
      below:
        own.length > 0 && own.every(({ x }) => x.bare) ? ROOM.close : ROOM.down + Math.max(0, ...own.map(hangingOf)),
    };
  });
  const tops = rows.map((_, row) =>
    rows.slice(0, row).reduce((sum, { height, below }, i) => sum + height + below + rows[i + 1].titled, 0),
  );
  const last = rows.length - 1;
  const [plotWidth, plotHeight] = [width - left - right, tops[last] + rows[last].height];
  const top = heading.height + rows[0].titled;
  const bottom = ROOM.bottom - ROOM.down + rows[last].below;
  const data: Record<string, unknown>[] = [];
  const { annotations, ...frame } = frameOf(heading, {
    width,
    height: top + plotHeight + bottom,
    top,
    right,
    bottom,
    left,
  });
  const layout = { ...frame, shapes: [] as object[], annotations };
  const common = y.shared
    ? rangeOf(
        panels.flatMap(({ lines }) => lines),
        y,
      )
    : null;
  panels.forEach((panel, i) => {
    const height = panel.height ?? panelHeight;
    const [x0, y0] = [(i % columns) * (panelWidth + right + across), tops[Math.floor(i / columns)]];
    const place: Place = {
      suffix: i === 0 ? '' : String(i + 1),
      domainX: [x0 / plotWidth, (x0 + panelWidth) / plotWidth],
      domainY: [1 - (y0 + height) / plotHeight, 1 - y0 / plotHeight],
      width: panelWidth,
      height,
      title: titles[i].join('<br>'),
    };
    const axis = panel.y ?? y;
    drawPanel(panel, place, common ?? rangeOf(panel.lines, axis), axis, data, layout);
  });
  return { data, layout };
}

/** How much deeper than one line of text a panel's tick texts hang, px. */
function hangingOf({ x: { ticks, bare } }: LinePanel): number {
  if (!ticks?.vertical || bare) return 0;
  return Math.max(0, ...ticks.texts.map((text) => textWidth(text, ticks.size ?? 12))) - 10;
}

interface Place {
  /** Of plotly's axis names: `x`, `x2`, ... */
  suffix: string;
  domainX: [number, number];
  domainY: [number, number];
  width: number;
  height: number;
  title: string;
}

function drawPanel(
  { lines, marks, level, x }: LinePanel,
  place: Place,
  range: [number, number],
  y: YAxis,
  data: object[],
  layout: Record<string, unknown> & { shapes: object[]; annotations: object[] },
): void {
  const axes = { xaxis: `x${place.suffix}`, yaxis: `y${place.suffix}` };
  const shown = (values: readonly number[]): (number | null)[] =>
    values.map((value) => (Number.isFinite(scaled(value, y)) ? value : null));
  for (const line of lines) if (line.band) data.push(...bandTraces(line, shown, axes));
  for (const line of lines) {
    data.push({
      type: 'scatter',
      mode: x.places > 60 ? 'lines' : 'lines+markers',
      name: line.name,
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
    place.height,
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
      text: `<b>${line.label}</b>`,
      font: { color: line.color, size: 12 },
    });
  }
  if (place.title !== '') {
    layout.annotations.push({
      xref: `${axes.xaxis} domain`,
      yref: `${axes.yaxis} domain`,
      x: 0,
      y: 1,
      xanchor: 'left',
      yanchor: 'bottom',
      yshift: 8,
      showarrow: false,
      text: place.title,
      align: 'left',
      font: { color: INK.text, size: 12 },
    });
  }
  layout[`xaxis${place.suffix}`] = {
    ...QUIET_AXIS,
    domain: place.domainX,
    anchor: axes.yaxis,
    title: { text: x.bare ? '' : x.title, standoff: 8, font: { size: 12 } },
    range: x.range,
    ...ticksOfX(x, place),
    showgrid: false,
    showline: true,
  };
  layout[`yaxis${place.suffix}`] = {
    ...QUIET_AXIS,
    domain: place.domainY,
    anchor: axes.xaxis,
    title: { text: y.title, standoff: 8, font: { size: 12 } },
    range,
    ...ticksOfY(range, y, place),
    hoverformat: y.format,
  };
}

function ticksOfX({ range, ticks, bare }: LinePanel['x'], { width }: Place): object {
  if (bare) return { tickmode: 'array', tickvals: ticks?.values ?? [], showticklabels: false };
  if (ticks === undefined) return { dtick: Math.max(1, tickStep(range[1] - 0.5, width / 36)), tick0: 0 };
  return {
    tickmode: 'array',
    tickvals: ticks.values,
    ticktext: ticks.texts,
    tickangle: ticks.vertical ? -90 : 0,
    tickfont: { size: ticks.size ?? 12 },
  };
}

function ticksOfY(range: [number, number], { scale }: YAxis, { height }: Place): object {
  if (scale === 'linear') return { dtick: tickStep(range[1] - range[0], height / 34), tick0: 0 };
  const { values, texts } = logTicks(10 ** range[0], 10 ** range[1], height / 24);
  return { type: 'log', tickmode: 'array', tickvals: values, ticktext: texts };
}

function bandTraces(
  line: Line,
  shown: (values: readonly number[]) => (number | null)[],
  axes: { xaxis: string; yaxis: string },
): object[] {
  const name = line.name.replace(/ \(n = \d+\)$/, '');
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
function rangeOf(lines: readonly Line[], y: YAxis): [number, number] {
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
