// Figures of layers: how far each has moved (F1), and how much gradient reaches it (F2), input side first.
import { geometricMean, layersOf, type LayerPosition, type LayerQuantity } from '../../analysis/layers';
import { KitError } from '../../base/errors';
import { bandText, Figure, type CurveOptions } from './figure';
import { GROUP_COLUMNS, LAYER_COLUMNS, lineOf, spreadCells, spreadColumns } from './layer-numbers';
import { claimText, type FigureClaim } from './claims';
import type { LayeredRun } from '../frames/layer-frames';
import {
  commonEpochs,
  counted,
  layeredGroups,
  layerTicks,
  placeOf,
  valueOf,
  type LayeredGroup,
  type LayeredMethod,
} from './layered-groups';
import { drawLinePanels } from '../drawing/line-panels';
import type { Line, LinePanel } from '../drawing/panel';
import { capital } from '../comparison/notes';
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
 * input side first; one line a method, mean over seeds and a band; and below it each method's ratio to the first,
 * geometric mean over the seeds that both have. Convolutions with the head in one panel, batch normalisations in
 * another, for each group of runs.
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
  const captions: { of: string; text: string }[] = [];
  const panels = groups.flatMap(({ group, methods }) => {
    const last = commonEpochs(methods);
    const epoch = options.epoch ?? last;
    captions.push({
      of: `${group.label}, epoch ${epoch}`,
      text: `${counted(methods)}.${epoch === last ? claimText(options.claims?.({ group, methods }) ?? []) : ''}`,
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
          throw new KitError(`Expected rows of epoch ${epoch} of ${method.runs.label}, found none.`, {
            code: 'FIGURE_NO_ROWS',
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
      const ratioAxis = { title: ['ratio to', methods[0].runs.label], scale: 'log' as const, format: '.3g' };
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
  const described = captions.map(({ of, text }) => `${of}: ${text}`).join(' ');
  const caption = `${title}. ${described} ${capital(legend)}.${note}`;
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

/** A method's value over its control's, one for each seed that both have. */
function ratiosBySeed(
  method: LayeredMethod,
  control: LayeredMethod,
  layer: LayerPosition,
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
