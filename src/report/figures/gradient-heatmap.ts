// F2 as a map: the gradient norm of every layer in every epoch, a panel for each method on one scale, and each method
// against its control.
import { geometricMean, layerRatios, layersOf, type LayerPosition } from '../../analysis/layers';
import { KitError } from '../../base/errors';
import type { LayerRow } from '../../runs/store/record';
import { Figure, resetsOf } from './figure';
import { claimText, type FigureClaim } from './claims';
import { drawHeatPanels, type HeatPanel } from './heat-panels';
import type { LayeredRun } from '../frames/layer-frames';
import { GROUP_COLUMNS, LAYER_COLUMNS } from './layer-numbers';
import { commonEpochs, counted, onlyGroup, placeOf, type LayeredGroup, type LayeredMethod } from './layered-groups';
import { Table } from '../table/tabular';

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

/**
 * The gradient norm of each layer (rows, input side first) in each epoch (columns): a panel for each method, geometric
 * mean over seeds, all on one logarithmic scale of colours; and beside each but the first its ratio to the first,
 * geometric mean over the seeds that both have. Lines mark where the head is re-initialised. The numbers behind it are
 * those of the panels.
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
    throw new KitError(`Expected layers of the kind ${kinds.join(' or ')}, found none.`, {
      code: 'FIGURE_NO_LAYERS',
      fix: 'Choose among kernel, norm and head.',
    });
  const epochs = Array.from({ length: commonEpochs(methods) }, (_, i) => i + 1);
  const norms = methods.map((method) => normsOf(method, layers, epochs));
  const [control] = methods;
  const against = methods.map((method, i) => (ratios && i > 0 ? ratiosOf(method, control, layers, epochs) : null));
  const panels = methods.flatMap((method, i): HeatPanel[] => {
    const resets = resetsOf(method.runs.records).filter((epoch) => epoch < epochs.length);
    const own: HeatPanel = { title: method.runs.label, kind: 'norm', resets, z: mapCells(norms[i], Math.log10) };
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
  const hasRatios = panels.some(({ kind }) => kind === 'ratio');
  const hasResets = panels.some(({ resets }) => resets.length > 0);
  const caption = [
    `${title}. ${group.label}: ${counted(methods)}. Rows: ${layers.length} layers, input side at the top. `,
    'Geometric mean over seeds; one scale for all methods.',
    hasRatios ? ' Ratios: over the seeds that both methods have; the colours end at the 99th percentile.' : '',
    hasResets ? ' Dashed: the head is re-initialised.' : '',
    claimText(claims?.({ group, methods }) ?? []),
    note,
  ].join('');
  const subtitle =
    `${group.label} · geometric mean over seeds` + (hasResets ? '; dashed: the head is re-initialised' : '');
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
    ...drawHeatPanels({ title, subtitle, width, panels, layers, epochs }),
    numbers,
  });
}

/** Geometric mean over seeds, [layers][epochs]. */
function normsOf(
  { layers: runs }: LayeredMethod,
  layers: readonly LayerPosition[],
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
  layers: readonly LayerPosition[],
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
