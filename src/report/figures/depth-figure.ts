// Gradient norms over training, by depth: a panel for each third of the convolutions, and one for the head.
import { geometricMean } from '../../analysis/layers';
import type { LinePanel } from '../drawing/panel';
import { drawLinePanels } from '../drawing/line-panels';
import type { LayeredRun } from '../frames/layer-frames';
import { capital } from '../comparison/notes';
import { Table } from '../table/tabular';
import { claimText, type FigureClaim } from './claims';
import { bandText, Figure, resetsOf, type CurveOptions } from './figure';
import { GROUP_COLUMNS, lineOf, spreadCells, spreadColumns } from './layer-numbers';
import { counted, depthParts, onlyGroup, placeOf, valueOf, type LayeredGroup } from './layered-groups';

/** Options of the figures of gradients over training. */
export interface DepthFigureOptions extends CurveOptions {
  /** Into how many parts of about as many layers the convolutions are put. Default 3. */
  parts?: number;
  /** Claims whose verdicts stand in the caption. Default none. */
  claims?: (group: LayeredGroup) => FigureClaim[];
}

/**
 * F2, over training: the gradient norm in each epoch, of the convolutions in parts by their place and of the head, a
 * panel each on one scale; dashed where the head is re-initialised. Of a part's layers the geometric mean is taken,
 * then mean and band over seeds.
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
  const verdicts = claimText(claims?.({ group, methods }) ?? []);
  const described = `${group.label}: ${counted(methods)}. Geometric mean over the layers of a part`;
  const caption = `${title}. ${described}. ${capital(legend)}.${verdicts}${note}`;
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
