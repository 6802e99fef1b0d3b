// Figures of layers: how far each has moved (F1), and how much gradient reaches it (F2), input side first.
import { geometricMean, layersOf, type LayerPlace, type LayerQuantity } from '../../analysis/layers';
import { KitError } from '../../base/errors';
import { bandText, Figure, resetsOf, spreadOf, type CurveOptions } from './figure';
import { claimText, type FigureClaim } from './claims';
import { colorOf, seriesStyle } from '../drawing/figure-style';
import type { MethodRuns } from '../comparison/grouping';
import type { LayeredRun } from '../frames/layer-frames';
import {
  commonEpochs,
  counted,
  depthParts,
  layeredGroups,
  layerTicks,
  onlyGroup,
  placeOf,
  valueOf,
  type LayeredGroup,
  type LayeredMethod,
} from './layered-groups';
import { drawLinePanels, type Line, type LinePanel } from '../drawing/line-panels';
import { Table } from '../table/tabular';

/** Options of the figures over layers. */
export interface LayerFigureOptions extends CurveOptions {
  /** Which epoch, 1-based. Default the last that all runs of a group have. */
  epoch?: number;
  /** The kinds of layers that are shown: one panel each. Default both. */
  kinds?: readonly ('kernel' | 'norm')[];
  /** Claims whose verdicts stand in the caption, of the last epoch. Default none. */
  claims?: (group: LayeredGroup) => FigureClaim[];
}

interface LayerMeasure {
  quantity: LayerQuantity;
  name: string;
  axis: string;
}

/**
 * F1. How far each layer is from its pretrained weights, |w - w0| / |w0|, after the last epoch or another: every layer,
 * input side first; one line a
 * method, mean over seeds and a band; and below it each method's ratio to the first, geometric mean over the seeds that
 * both have. Convolutions with the head in
 * one panel, batch normalisations in another, for each group of runs.
 * @throws KitError when there are no runs or rows, or none of the epoch.
 */
export function layerDistanceFigure(runs: readonly LayeredRun[], options: LayerFigureOptions = {}): Figure {
  return overLayers(
    runs,
    {
      quantity: 'weightDistance',
      name: 'Distance from the pretrained weights, layer by layer',
      axis: '|w − w₀| / |w₀|',
    },
    options,
  );
}

/** F2, by layer at one epoch: mean gradient norm of each layer in the epoch, in the form of `layerDistanceFigure`. */
export function layerGradientFigure(runs: readonly LayeredRun[], options: LayerFigureOptions = {}): Figure {
  return overLayers(
    runs,
    { quantity: 'gradientNorm', name: 'Gradient norm, layer by layer', axis: 'gradient norm' },
    options,
  );
}

const KIND_TITLES = { kernel: 'convolutions and the head', norm: 'batch normalisations' };

function overLayers(
  runs: readonly LayeredRun[],
  measure: LayerMeasure,
  { title = measure.name, band = 'range', width = 760, kinds = ['kernel', 'norm'], ...options }: LayerFigureOptions,
): Figure {
  const { groups, note } = layeredGroups(runs);
  const rows: Record<string, string | number | null>[] = [];
  const captions: { of: string; said: string }[] = [];
  const panels = groups.flatMap(({ group, methods }) => {
    const last = commonEpochs(methods);
    const epoch = options.epoch ?? last;
    captions.push({
      of: `${group.label}, epoch ${epoch}`,
      said: `${counted(methods)}.${epoch === last && options.claims ? claimText(options.claims({ group, methods })) : ''}`,
    });
    return kinds.flatMap((kind): LinePanel[] => {
      const layers = layersOf(methods.flatMap((method) => method.layers)).filter(
        (layer) => layer.kind === kind || (kind === 'kernel' && layer.kind === 'head'),
      );
      if (layers.length === 0) return [];
      const places = layers.map((_, at) => at);
      const ratioTo = (method: LayeredMethod): number[][] =>
        layers.map((layer) => ratiosBySeed(method, methods[0], layer, epoch, measure.quantity));
      const lines = methods.map((method, i) => {
        const values = layers.map((layer) =>
          method.layers.flatMap((run) => valueOf(run, layer, epoch, measure.quantity)),
        );
        if (values.some((row) => row.length === 0))
          throw new KitError(`There are no rows of epoch ${epoch} of ${method.runs.label}.`, {
            fix: 'Choose an epoch that all runs have.',
          });
        const line = lineOf(method.runs, methods.slice(0, i), places, values, band);
        const ratios = i === 0 ? null : ratioTo(method).map(geometricMean);
        layers.forEach(({ layer, place, kind: own }, at) =>
          rows.push({
            ...placeOf(group),
            method: method.runs.label,
            layer,
            place,
            kind: own,
            epoch,
            n: values[at].length,
            ...spreadCells(line, at),
            ratio: ratios?.[at] ?? null,
          }),
        );
        return line;
      });
      const heading = [
        ...(groups.length > 1 ? [group.label] : []),
        `${KIND_TITLES[kind]} (${layers.length} layers)`,
      ].join(' · ');
      const x = {
        title: 'layer, input side first',
        range: [-0.6, layers.length - 0.4] as [number, number],
        places: layers.length,
        ticks: layerTicks(layers, width - 170),
      };
      const ratios = methods.slice(1).map((method, i): Line => {
        const values = ratioTo(method);
        const spread = {
          mean: values.map((row) => geometricMean(row) ?? NaN),
          low: values.map((row) => Math.min(...row)),
          high: values.map((row) => Math.max(...row)),
        };
        return {
          ...lineOf(method.runs, methods.slice(0, i + 1), places, values, band),
          ...spread,
          label: methods.length > 2 ? method.runs.label : '',
        };
      });
      if (ratios.length === 0) return [{ title: heading, lines, marks: [], x }];
      const ratioAxis = { title: `ratio to<br>${methods[0].runs.label}`, scale: 'log' as const, format: '.3g' };
      return [
        { title: heading, lines, marks: [], x: { ...x, bare: true } },
        { title: null, lines: ratios, marks: [], x, y: ratioAxis, height: 96, level: 1 },
      ];
    });
  });
  const legend = bandText(band);
  const single = groups.length === 1 ? `${captions[0].of} · ${legend}` : legend;
  const drawing = drawLinePanels({
    title,
    subtitle: single,
    panels,
    columns: 1,
    width,
    panelHeight: 220,
    y: { title: measure.axis, scale: 'log', format: '.3g' },
  });
  const caption = `${title}. ${captions.map(({ of, said }) => `${of}: ${said}`).join(' ')} ${legend[0].toUpperCase()}${legend.slice(1)}.${note}`;
  const numbers = new Table({
    title,
    caption,
    columns: [
      ...GROUP_COLUMNS,
      ...LAYER_COLUMNS,
      ...spreadColumns(measure.axis),
      { key: 'ratio', title: 'Ratio to the first method', kind: 'number', digits: 3 },
    ],
    rows,
    notes: [],
  });
  return new Figure({ title, caption, ...drawing, numbers });
}

/** Options of the figures of gradients over training. */
export interface DepthFigureOptions extends CurveOptions {
  /** Into how many parts of about as many layers the convolutions are put. Default 3. */
  parts?: number;
  /** Claims whose verdicts stand in the caption. Default none. */
  claims?: (group: LayeredGroup) => FigureClaim[];
}

/**
 * F2, over training: the gradient norm in each epoch, of the convolutions in parts by their place and of the head, a
 * panel each on one scale; dashed
 * where the head is re-initialised. Of a part's layers the geometric mean is taken, then mean and band over seeds.
 * @throws KitError when there are no runs or rows, or they are of more than one group.
 */
export function gradientDepthFigure(
  runs: readonly LayeredRun[],
  {
    title = 'Gradient norm over training, by depth',
    band = 'range',
    width = 760,
    parts = 3,
    claims,
  }: DepthFigureOptions = {},
): Figure {
  const { group, methods, note } = onlyGroup(runs);
  const depths = depthParts(methods, parts);
  const rows: Record<string, string | number | null>[] = [];
  const panels = depths.map(({ name, layers: own }): LinePanel => {
    const lines = methods.map((method, i) => {
      const epochs = Math.min(...method.runs.records.map((record) => record.epochs.length));
      const x = Array.from({ length: epochs }, (_, epoch) => epoch + 1);
      const values = x.map((epoch) =>
        method.layers.map(
          (run) => geometricMean(own.flatMap((layer) => valueOf(run, layer, epoch, 'gradientNorm'))) ?? NaN,
        ),
      );
      const line = lineOf(method.runs, methods.slice(0, i), x, values, band);
      const resets = resetsOf(method.runs.records);
      x.forEach((epoch, at) =>
        rows.push({
          ...placeOf(group),
          method: method.runs.label,
          part: name,
          epoch,
          n: values[at].length,
          ...spreadCells(line, at),
          reset: resets.includes(epoch) ? 'yes' : 'no',
        }),
      );
      return line;
    });
    const last = Math.max(...lines.map(({ x }) => x.length));
    const marks = methods.flatMap((method, i) =>
      resetsOf(method.runs.records).map((epoch) => ({ x: epoch + 0.5, color: lines[i].color })),
    );
    return { title: name, lines, marks, x: { title: 'epoch', range: [0.5, last + 0.5], places: last } };
  });
  const hasResets = panels.some(({ marks }) => marks.length > 0);
  const legend = `${bandText(band)}${hasResets ? '; dashed: the head is re-initialised' : ''}`;
  const columns = width >= 600 ? 2 : 1;
  const drawing = drawLinePanels({
    title,
    subtitle: `${group.label} · ${legend}`,
    panels,
    columns,
    width,
    panelHeight: 190,
    y: { title: 'gradient norm', scale: 'log', format: '.3g', shared: true },
  });
  const caption = `${title}. ${group.label}: ${counted(methods)}. Geometric mean over the layers of a part. ${legend[0].toUpperCase()}${legend.slice(1)}.${claimText(claims?.({ group, methods }) ?? [])}${note}`;
  const columnsOfPart = [
    { key: 'part', title: 'Part', group: true },
    { key: 'epoch', title: 'Epoch', kind: 'number' as const, digits: 0 },
  ];
  const numbers = new Table({
    title,
    caption,
    columns: [
      ...GROUP_COLUMNS,
      ...columnsOfPart,
      ...spreadColumns('gradient norm'),
      { key: 'reset', title: 'Head re-initialised after it' },
    ],
    rows,
    notes: [],
  });
  return new Figure({ title, caption, ...drawing, numbers });
}

/** Columns of the numbers behind a figure of layers. */
export const GROUP_COLUMNS = [
  { key: 'dataset', title: 'Data set', group: true, hoist: true },
  { key: 'backbone', title: 'Backbone', group: true, hoist: true },
  { key: 'settings', title: 'Settings', group: true, hoist: true },
  { key: 'method', title: 'Method', group: true },
];

export const LAYER_COLUMNS = [
  { key: 'layer', title: 'Layer' },
  { key: 'place', title: 'Place', kind: 'number' as const, digits: 0 },
  { key: 'kind', title: 'Kind' },
  { key: 'epoch', title: 'Epoch', kind: 'number' as const, digits: 0 },
];

/** Mean and band of a line at a place as cells: what is not a number does not exist. */
function spreadCells({ mean, low, high }: Line, at: number): Record<'mean' | 'low' | 'high', number | null> {
  const cell = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return { mean: cell(mean[at]), low: cell(low[at]), high: cell(high[at]) };
}

const spreadColumns = (axis: string) => [
  { key: 'n', title: 'n', kind: 'number' as const, digits: 0 },
  { key: 'mean', title: `Mean ${axis}`, kind: 'number' as const, digits: 6 },
  { key: 'low', title: 'Low end of the band', kind: 'number' as const, digits: 6 },
  { key: 'high', title: 'High end', kind: 'number' as const, digits: 6 },
];

/** A method's value over its control's, one for each seed that both have. */
function ratiosBySeed(
  method: LayeredMethod,
  control: LayeredMethod,
  layer: LayerPlace,
  epoch: number,
  quantity: LayerQuantity,
): number[] {
  const controls = new Map(control.layers.map((run) => [run.seed, run]));
  return method.layers.flatMap((run) => {
    const other = controls.get(run.seed);
    const [[value], [base]] = [
      valueOf(run, layer, epoch, quantity),
      other === undefined ? [] : valueOf(other, layer, epoch, quantity),
    ];
    return value === undefined || base === undefined ? [] : [value / base];
  });
}

function lineOf(
  runs: MethodRuns,
  before: readonly LayeredMethod[],
  x: number[],
  values: readonly (readonly number[])[],
  band: CurveOptions['band'],
): Line {
  const variant = before.filter(({ runs: { method } }) => method === runs.method).length;
  return {
    name: `${runs.label} (n = ${runs.records.length})`,
    label: runs.label,
    color: colorOf(runs.method),
    style: seriesStyle(variant),
    x,
    ...spreadOf(values, band),
    band: band !== 'none' && runs.records.length > 1,
  };
}
