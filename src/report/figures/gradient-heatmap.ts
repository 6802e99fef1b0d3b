// F2 as a map: the gradient norm of every layer in every epoch, a panel for each method on one scale, and each method
// against its control.
import { geometricMean, layerRatios, layersOf, type LayerPlace } from '../../analysis/layers';
import { KitError } from '../../base/errors';
import type { LayerRow } from '../../runs/store/record';
import { logTicks, QUIET_AXIS, tickStep } from '../drawing/axes';
import { Figure, resetsOf } from './figure';
import { claimText, type FigureClaim } from './claims';
import { DIVERGING, INK, SEQUENTIAL } from '../drawing/figure-style';
import type { HeatmapTrace } from '../drawing/heat-cells';
import type { LayeredRun } from '../frames/layer-frames';
import { GROUP_COLUMNS, LAYER_COLUMNS } from './layer-figures';
import {
  commonEpochs,
  counted,
  layerTicks,
  onlyGroup,
  placeOf,
  shortName,
  type LayeredGroup,
  type LayeredMethod,
} from './layered-groups';
import { frameOf, headingOf } from '../drawing/line-panels';
import { Table } from '../table/tabular';
import { textWidth } from '../drawing/text-metrics';

/** Options of `gradientHeatmap`. */
export interface GradientHeatmapOptions {
  title?: string;
  /** Width of the figure in pixels. Default 760. */
  width?: number;
  /** Layers that are shown. Default `kernel` and `head`. */
  kinds?: readonly LayerRow['kind'][];
  /** Claims whose verdicts stand in the caption. Default none. */
  claims?: (group: LayeredGroup) => FigureClaim[];
  /** Whether each method is also shown divided by the first, its control. Default true. */
  ratios?: boolean;
}

interface Panel {
  title: string;
  z: (number | null)[][];
  kind: 'norm' | 'ratio';
  resets: number[];
}

/**
 * The gradient norm of each layer (rows, input side first) in each epoch (columns): a panel for each method, geometric
 * mean over seeds, all on one
 * logarithmic scale of colours; and beside each but the first its ratio to the first, geometric mean over the seeds
 * that both have. Lines mark where
 * the head is re-initialised. The numbers behind it are those of the panels.
 * @throws KitError when there are no runs or rows, or they are of more than one group.
 */
export function gradientHeatmap(runs: readonly LayeredRun[], options: GradientHeatmapOptions = {}): Figure {
  const {
    title = 'Gradient norm of every layer over training',
    width = 760,
    kinds = ['kernel', 'head'],
    ratios = true,
    claims,
  } = options;
  const { group, methods, note } = onlyGroup(runs);
  const layers = layersOf(methods.flatMap((method) => method.layers)).filter(({ kind }) => kinds.includes(kind));
  if (layers.length === 0)
    throw new KitError(`These runs have no layers of the kind ${kinds.join(' or ')}.`, {
      fix: 'Choose among kernel, norm and head.',
    });
  const epochs = Array.from({ length: commonEpochs(methods) }, (_, i) => i + 1);
  const norms = methods.map((method) => normsOf(method, layers, epochs));
  const [control] = methods;
  const against = methods.map((method, i) => (ratios && i > 0 ? ratiosOf(method, control, layers, epochs) : null));
  const panels = methods.flatMap((method, i): Panel[] => {
    const resets = resetsOf(method.runs.records).filter((epoch) => epoch < epochs.length);
    const own: Panel = { title: method.runs.label, kind: 'norm', resets, z: mapCells(norms[i], Math.log10) };
    const ratio = against[i];
    return ratio === null
      ? [own]
      : [
          own,
          {
            title: `${method.runs.label} / ${control.runs.label}`,
            kind: 'ratio',
            resets,
            z: mapCells(ratio, Math.log2),
          },
        ];
  });
  const caption =
    `${title}. ${group.label}: ${counted(methods)}. Rows: ${layers.length} layers, input side at the top. Geometric mean over seeds; one scale for all methods.` +
    `${panels.some(({ kind }) => kind === 'ratio') ? ' Ratios: over the seeds that both methods have; the hundredth of them that is furthest from 1 has the colours of the ends.' : ''}${panels.some(({ resets }) => resets.length > 0) ? ' Dashed: the head is re-initialised.' : ''}${claimText(claims?.({ group, methods }) ?? [])}${note}`;
  const rows = methods.flatMap((method, i) => {
    const resets = resetsOf(method.runs.records);
    return layers.flatMap(({ layer, place, kind }, l) =>
      epochs.map((epoch, e) => ({
        ...placeOf(group),
        method: method.runs.label,
        layer,
        place,
        kind,
        epoch,
        n: method.layers.length,
        norm: norms[i][l][e],
        ratio: against[i]?.[l][e] ?? null,
        reset: resets.includes(epoch) ? 'yes' : 'no',
      })),
    );
  });
  const numbers = new Table({
    title,
    caption,
    columns: [
      ...GROUP_COLUMNS,
      ...LAYER_COLUMNS,
      { key: 'n', title: 'n', kind: 'number', digits: 0 },
      { key: 'norm', title: 'Gradient norm', kind: 'number', digits: 6 },
      { key: 'ratio', title: `Ratio to ${control.runs.label}`, kind: 'number', digits: 3 },
      { key: 'reset', title: 'Head re-initialised after it' },
    ],
    rows,
    notes: [],
  });
  return new Figure({
    title,
    caption,
    ...drawPanels({ title, subtitle: subtitleOf(group.label, panels), width, panels, layers, epochs }),
    numbers,
  });
}

const subtitleOf = (label: string, panels: readonly Panel[]): string =>
  `${label} · geometric mean over seeds${panels.some(({ resets }) => resets.length > 0) ? '; dashed: the head is re-initialised' : ''}`;

/** Geometric mean over seeds, [layers][epochs]. */
function normsOf(
  { layers: runs }: LayeredMethod,
  layers: readonly LayerPlace[],
  epochs: readonly number[],
): (number | null)[][] {
  const values = new Map<string, number[]>();
  for (const { layers: rows } of runs) {
    for (const { place, epoch, gradientNorm } of rows) {
      const key = `${place}/${epoch}`;
      const known = values.get(key);
      if (known) known.push(gradientNorm);
      else values.set(key, [gradientNorm]);
    }
  }
  return layers.map(({ place }) => epochs.map((epoch) => geometricMean(values.get(`${place}/${epoch}`) ?? [])));
}

function ratiosOf(
  method: LayeredMethod,
  control: LayeredMethod,
  layers: readonly LayerPlace[],
  epochs: readonly number[],
): (number | null)[][] {
  const found = new Map(
    layerRatios(method.layers, control.layers, 'gradientNorm').map((row) => [`${row.place}/${row.epoch}`, row.ratio]),
  );
  return layers.map(({ place }) => epochs.map((epoch) => found.get(`${place}/${epoch}`) ?? null));
}

const mapCells = (
  cells: readonly (readonly (number | null)[])[],
  change: (value: number) => number,
): (number | null)[][] => cells.map((row) => row.map((value) => (value === null ? null : change(value))));

/** Panels in rows of three (one on a narrow figure), names of layers at the left, colour bars below. */
function drawPanels(figure: {
  title: string;
  subtitle: string;
  width: number;
  panels: readonly Panel[];
  layers: readonly LayerPlace[];
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
  const { annotations, ...frame } = frameOf(heading, {
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
      ticktext: ticks.texts,
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
      text: `<b>${panel.title}</b>`,
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
      name: panel.title,
      x: epochs,
      y: layers.map((_, at) => at),
      z: panel.z,
      zmin,
      zmax,
      colorscale,
      showscale: isFirst,
      xaxis,
      yaxis,
      customdata: layers.map(({ layer }) => epochs.map(() => layer)),
      hovertemplate: `%{customdata}, epoch %{x}<br>${panel.kind === 'norm' ? 'log₁₀ norm' : 'log₂ ratio'} %{z:.2f}<extra></extra>`,
      ...(isFirst ? { colorbar } : {}),
    };
  });
  return { data, layout };
}

interface Scale {
  zmin: number;
  zmax: number;
  colorscale: HeatmapTrace['colorscale'];
  bar: object;
}

const valuesOf = (panels: readonly Panel[], kind: Panel['kind']): number[] =>
  panels
    .filter((panel) => panel.kind === kind)
    .flatMap(({ z }) => z.flat().filter((value): value is number => value !== null));

/** From the smallest to the largest gradient of all methods. */
function normScale(panels: readonly Panel[]): Scale {
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
function ratioScale(panels: readonly Panel[]): Scale {
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
