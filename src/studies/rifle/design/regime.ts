// When RIFLE can deepen back-propagation at all: the gradients after a reset against the training loss before it.
import type { FigureSources, LayeredRun, NamedFigure } from '../../../report';
import { Figure, groupRuns, layeredGroupsOf, placeOf, Table } from '../../../report';
import type { RunRecord } from '../../../runs';
import { CONVERGED_LOSS, firstEpochClaims, gradientClaims, lossesAtReset } from '../figure-claims';

/** A data set, a network and settings, with RIFLE and without. */
export interface RegimePoint {
  dataset: string;
  backbone: string;
  settings: string | null;
  method: string;
  /** Seeds that both methods have. */
  pairs: number;
  /** Training cross entropy (nats) in the epoch before the first reset: mean over seeds, lowest and highest. */
  loss: number;
  low: number;
  high: number;
  /** How many times the control's the gradient norm of the input third is, in the first epoch after the reset. */
  first: number;
  /** Student's 95 % interval; `null` with one pair. */
  firstInterval: [number, number] | null;
  /** The same in the mean over all epochs after the reset. */
  after: number;
}

/** One point for each RIFLE method of each group that has a control, by its loss. */
export function regimePoints(runs: readonly LayeredRun[]): RegimePoint[] {
  return layeredGroupsOf(runs)
    .flatMap((group) => {
      const [first, after] = [firstEpochClaims(group), gradientClaims(group)];
      return first.flatMap((claim, i): RegimePoint[] => {
        const own = group.methods.find(({ runs: { label } }) => label === claim.method);
        const isInputSide = claim.precondition !== undefined && claim.of.endsWith('(input side)');
        if (!isInputSide || own === undefined || claim.value === null || after[i].value === null) return [];
        const losses = lossesAtReset(own.runs.records);
        return [
          {
            ...placeOf(group.group),
            method: claim.method,
            pairs: claim.pairs,
            loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
            low: Math.min(...losses),
            high: Math.max(...losses),
            first: claim.value,
            firstInterval: claim.interval && [claim.interval.low, claim.interval.high],
            after: after[i].value,
          },
        ];
      });
    })
    .sort((a, b) => a.loss - b.loss);
}

const CAPTION =
  'Gradient norm of the third of the convolutions at the input side with RIFLE, over that of the same seeds without, ' +
  'in the first epoch after the reset and in the mean over all epochs after it, against the training cross entropy ' +
  `in the epoch before the reset. The claims F1 and F2 presuppose a loss below ${CONVERGED_LOSS}.`;

/** The points as a table. */
export function regimeTable(runs: readonly LayeredRun[]): Table {
  return new Table({
    id: 'regime',
    title: 'Gradients after a reset, by the loss before it',
    caption: CAPTION,
    columns: [
      { key: 'dataset', title: 'Data set', group: true, hoist: true },
      { key: 'backbone', title: 'Backbone', group: true, hoist: true },
      { key: 'settings', title: 'Settings' },
      { key: 'method', title: 'Method', group: true, hoist: true },
      { key: 'pairs', title: 'Pairs', kind: 'number', digits: 0 },
      { key: 'loss', title: 'Loss before the reset', kind: 'number', digits: 3 },
      { key: 'first', title: 'First epoch after it, times', kind: 'number', digits: 2 },
      { key: 'firstInterval', title: '95 % interval', kind: 'interval', digits: 2 },
      { key: 'after', title: 'All epochs after it, times', kind: 'number', digits: 2 },
      { key: 'low', title: 'Lowest loss', kind: 'number', digits: 3, dataOnly: true },
      { key: 'high', title: 'Highest loss', kind: 'number', digits: 3, dataOnly: true },
    ],
    rows: regimePoints(runs).map((point) => ({ ...point })),
    notes: [],
  });
}

/** The points on two logarithmic axes; the dashed lines are the bound of the precondition, and no effect. */
export function regimeFigure(runs: readonly LayeredRun[], { width = 760 }: { width?: number } = {}): Figure {
  const points = regimePoints(runs);
  const names = [...new Set(points.map(({ dataset, backbone }) => `${dataset} · ${backbone}`))];
  const table = regimeTable(runs);
  const dashed = (at: object): object => ({ type: 'line', line: { color: '#7b8794', width: 1, dash: 'dash' }, ...at });
  const axis = (title: string): object => ({ type: 'log', title: { text: title }, gridcolor: '#e9edf1', dtick: 'D2' });
  return new Figure({
    title: table.title,
    caption: `${table.title}. ${CAPTION} Bars: 95 % intervals over seeds, and the range of the loss.`,
    data: names.map((name) => {
      const own = points.filter(({ dataset, backbone }) => `${dataset} · ${backbone}` === name);
      return {
        type: 'scatter',
        mode: 'markers',
        name,
        x: own.map(({ loss }) => loss),
        y: own.map(({ first }) => first),
        text: own.map(({ settings }) => settings ?? ''),
        error_x: bars(own.map(({ loss, low, high }) => [loss, low, high])),
        error_y: bars(own.map(({ first, firstInterval: found }) => [first, ...(found ?? ([first, first] as const))])),
      };
    }),
    layout: {
      width,
      height: 420,
      margin: { l: 70, r: 20, t: 58, b: 56 },
      font: { family: 'Liberation Sans, Arial, sans-serif', size: 12, color: '#1f2933' },
      title: { text: table.title, x: 0.02, font: { size: 16 } },
      showlegend: names.length > 1,
      legend: { orientation: 'h', y: 1.1 },
      paper_bgcolor: '#ffffff',
      plot_bgcolor: '#ffffff',
      xaxis: axis('training cross entropy before the reset (nats)'),
      yaxis: axis('gradient norm after it, times the control'),
      shapes: [
        dashed({ x0: CONVERGED_LOSS, x1: CONVERGED_LOSS, yref: 'paper', y0: 0, y1: 1 }),
        dashed({ xref: 'paper', x0: 0, x1: 1, y0: 1, y1: 1 }),
      ],
    },
    numbers: table,
  });
}

/** Bars of plotly from values with their ends. */
const bars = (values: readonly (readonly [number, number, number])[]): object => ({
  type: 'data',
  symmetric: false,
  array: values.map(([value, , high]) => high - value),
  arrayminus: values.map(([value, low]) => value - low),
});

/** The runs of at least two settings with the numbers of their layers, or none. */
export function regimeRuns(records: readonly RunRecord[], { layers = () => [] }: FigureSources): LayeredRun[] {
  const isWhole = ({ status }: RunRecord): boolean => status === 'finished';
  const runs = records.filter(isWhole).map((record) => ({ record, layers: layers(record.id) }));
  const layered = runs.filter((run) => run.layers.length > 0);
  return groupRuns(layered.map(({ record }) => record)).length > 1 ? layered : [];
}

/** The figure, where there are at least two points. */
export const regimeFigures = (
  records: readonly RunRecord[],
  options: FigureSources & { width?: number },
): NamedFigure[] => {
  const runs = regimeRuns(records, options);
  return runs.length === 0 || regimePoints(runs).length < 2
    ? []
    : [{ name: 'regime', figure: regimeFigure(runs, options) }];
};
