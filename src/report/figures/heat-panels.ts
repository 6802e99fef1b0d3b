// Panels of a map: layers by epochs, with names of layers at the left and colour bars below.
import type { LayerPosition } from '../../analysis/layers';
import { logTicks, QUIET_AXIS, tickStep } from '../drawing/axes';
import { DIVERGING, INK, SEQUENTIAL } from '../drawing/figure-style';
import { figureLayout, headingOf } from '../drawing/heading';
import type { HeatmapTrace } from '../drawing/heat-cells';
import { boldLines, plotText } from '../drawing/plot-text';
import { textWidth } from '../drawing/text-metrics';
import { layerTicks, shortName } from './layered-groups';

/** One map: the logarithms of norms or of ratios. */
export interface HeatPanel {
  title: string;
  /** By layer and epoch; `null` where there is no value. */
  z: (number | null)[][];
  kind: 'norm' | 'ratio';
  resets: number[];
}

const HOVER = { norm: 'log₁₀ norm', ratio: 'log₂ ratio' };

/** Panels in rows of three (one on a narrow figure), names of layers at the left, colour bars below. */
export function drawHeatPanels(figure: {
  title: string;
  subtitle: string;
  width: number;
  panels: readonly HeatPanel[];
  layers: readonly LayerPosition[];
  epochs: readonly number[];
}): { data: Record<string, unknown>[]; layout: { width: number; height: number } & Record<string, unknown> } {
  const { title, subtitle, width, panels, layers, epochs } = figure;
  const columns = Math.min(panels.length, width >= 600 ? 3 : 1);
  const rows = Math.ceil(panels.length / columns);
  const left = 42 + Math.max(...layers.map(({ layer }) => textWidth(shortName(layer), 10)));
  const hasRatio = panels.some(({ kind }) => kind === 'ratio');
  const stacked = hasRatio && columns === 1; // the second colour bar under the first
  const [right, across, down, bars] = [16, 14, 58, stacked ? 160 : 104];
  const panelWidth = (width - left - right - (columns - 1) * across) / columns;
  const panelHeight = Math.max(90, layers.length * Math.min(14, Math.max(4, 560 / layers.length)));
  const heading = headingOf(title, subtitle, width, left);
  const top = heading.height + 26;
  const [plotWidth, plotHeight] = [width - left - right, rows * panelHeight + (rows - 1) * down];
  const { annotations, ...frame } = figureLayout(heading, {
    width,
    height: top + plotHeight + bars,
    top,
    right,
    bottom: bars,
    left,
  });
  const layout: Record<string, unknown> & { shapes: object[]; annotations: object[]; width: number; height: number } = {
    ...frame,
    hovermode: 'closest',
    shapes: [],
    annotations,
  };
  const scales = { norm: normScale(panels), ratio: ratioScale(panels) };
  const ticks = layerTicks(layers, panelHeight);
  const data = panels.map((panel, i): HeatmapTrace => {
    const suffix = i === 0 ? '' : String(i + 1);
    const [xaxis, yaxis] = [`x${suffix}`, `y${suffix}`];
    const [x0, y0] = [(i % columns) * (panelWidth + across), Math.floor(i / columns) * (panelHeight + down)];
    const step = Math.max(1, tickStep(epochs.length, panelWidth / 36));
    layout[`xaxis${suffix}`] = {
      ...QUIET_AXIS,
      domain: [x0 / plotWidth, (x0 + panelWidth) / plotWidth],
      anchor: yaxis,
      range: [0.5, epochs.length + 0.5],
      dtick: step,
      tick0: 0,
      showgrid: false,
      title: { text: 'epoch', standoff: 6, font: { size: 12 } },
    };
    layout[`yaxis${suffix}`] = {
      ...QUIET_AXIS,
      domain: [1 - (y0 + panelHeight) / plotHeight, 1 - y0 / plotHeight],
      anchor: xaxis,
      range: [layers.length - 0.5, -0.5],
      showgrid: false,
      tickmode: 'array',
      tickvals: ticks.values,
      ticktext: ticks.texts.map(plotText),
      tickfont: { size: ticks.size },
      ticklen: 3,
      showticklabels: i % columns === 0,
      ...(i % columns === 0
        ? { title: { text: 'layer, input side at the top', standoff: 6, font: { size: 12 } } }
        : {}),
    };
    layout.annotations.push({
      xref: `${xaxis} domain`,
      yref: `${yaxis} domain`,
      x: 0,
      y: 1,
      xanchor: 'left',
      yanchor: 'bottom',
      yshift: 5,
      showarrow: false,
      text: boldLines([panel.title]),
      font: { size: 12, color: INK.text },
    });
    for (const epoch of panel.resets) {
      const line = {
        type: 'line',
        xref: xaxis,
        yref: `${yaxis} domain`,
        x0: epoch + 0.5,
        x1: epoch + 0.5,
        y0: 0,
        y1: 1,
        layer: 'above',
      };
      layout.shapes.push(
        { ...line, line: { color: INK.paper, width: 2.5 } },
        { ...line, line: { color: INK.text, width: 1.25, dash: '5px,4px' } },
      );
    }
    const isFirst = panels.findIndex(({ kind }) => kind === panel.kind) === i;
    const { zmin, zmax, colorscale, bar } = scales[panel.kind];
    const place = panel.kind === 'norm' || stacked ? { x: 0, xanchor: 'left' } : { x: 1, xanchor: 'right' };
    const length = hasRatio && !stacked ? Math.min(290, plotWidth / 2 - 20) : Math.min(380, plotWidth);
    const below = panel.kind === 'ratio' && stacked ? 106 : 50;
    const colorbar = {
      ...bar,
      ...place,
      orientation: 'h',
      y: -below / plotHeight,
      yanchor: 'top',
      len: length,
      lenmode: 'pixels',
      thickness: 10,
      outlinewidth: 0,
      xpad: 0,
      ypad: 0,
      ticks: 'outside',
      ticklen: 3,
      tickcolor: INK.axis,
      tickfont: { size: 11 },
    };
    return {
      type: 'heatmap',
      name: plotText(panel.title),
      x: epochs,
      y: layers.map((_, at) => at),
      z: panel.z,
      zmin,
      zmax,
      colorscale,
      showscale: isFirst,
      xaxis,
      yaxis,
      customdata: layers.map(({ layer }) => epochs.map(() => plotText(layer))),
      hovertemplate: `%{customdata}, epoch %{x}<br>${HOVER[panel.kind]} %{z:.2f}<extra></extra>`,
      ...(isFirst ? { colorbar } : {}),
    };
  });
  return { data, layout };
}

interface ColorScale {
  zmin: number;
  zmax: number;
  colorscale: HeatmapTrace['colorscale'];
  bar: object;
}

const valuesOf = (panels: readonly HeatPanel[], kind: HeatPanel['kind']): number[] =>
  panels
    .filter((panel) => panel.kind === kind)
    .flatMap(({ z }) => z.flat().filter((value): value is number => value !== null));

/** From the smallest to the largest gradient of all methods. */
function normScale(panels: readonly HeatPanel[]): ColorScale {
  const values = valuesOf(panels, 'norm');
  const [zmin, zmax] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const { values: at, texts } = logTicks(10 ** zmin, 10 ** zmax, 8);
  return {
    zmin,
    zmax: zmax > zmin ? zmax : zmin + 1,
    colorscale: SEQUENTIAL,
    bar: {
      tickvals: at.map(Math.log10),
      ticktext: texts,
      title: { text: 'gradient norm', side: 'top', font: { size: 12 } },
    },
  };
}

/** As far below the same as above it; the hundredth part that is furthest out has the colours of the ends. */
function ratioScale(panels: readonly HeatPanel[]): ColorScale {
  const sizes = valuesOf(panels, 'ratio')
    .map(Math.abs)
    .sort((a, b) => a - b);
  const reach = Math.max(1, sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 1);
  const step = Math.max(1, Math.ceil(reach / 3));
  const at = Array.from({ length: 2 * Math.floor(reach / step) + 1 }, (_, i) => (i - Math.floor(reach / step)) * step);
  const texts = at.map((power) => (power < 0 ? `× 1/${2 ** -power}` : `× ${2 ** power}`));
  return {
    zmin: -reach,
    zmax: reach,
    colorscale: DIVERGING,
    bar: { tickvals: at, ticktext: texts, title: { text: 'ratio', side: 'top', font: { size: 12 } } },
  };
}
