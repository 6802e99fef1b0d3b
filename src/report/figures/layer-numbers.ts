// The numbers behind figures of layers, as columns, cells and lines.
import { colorOf, seriesStyle } from '../drawing/figure-style';
import type { Line } from '../drawing/panel';
import type { MethodRuns } from '../comparison/grouping';
import { spreadOf, type CurveOptions } from './figure';
import type { LayeredMethod } from './layered-groups';

/** Columns of the numbers behind a figure of layers. */
export const GROUP_COLUMNS = [
  { key: 'dataset', title: 'Data set', group: true, hoist: true },
  { key: 'backbone', title: 'Backbone', group: true, hoist: true },
  { key: 'settings', title: 'Settings', group: true, hoist: true },
  { key: 'method', title: 'Method', group: true },
];

/** Columns of a layer. */
export const LAYER_COLUMNS = [
  { key: 'layer', title: 'Layer' },
  { key: 'place', title: 'Place', kind: 'number' as const, digits: 0 },
  { key: 'kind', title: 'Kind' },
  { key: 'epoch', title: 'Epoch', kind: 'number' as const, digits: 0 },
];

/** Mean and band of a line at a place as cells: what is not a number does not exist. */
export function spreadCells({ mean, low, high }: Line, at: number): Record<'mean' | 'low' | 'high', number | null> {
  const cell = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return { mean: cell(mean[at]), low: cell(low[at]), high: cell(high[at]) };
}

/** Columns of mean and band. */
export const spreadColumns = (axis: string) => [
  { key: 'n', title: 'n', kind: 'number' as const, digits: 0 },
  { key: 'mean', title: `Mean ${axis}`, kind: 'number' as const, digits: 6 },
  { key: 'low', title: 'Low end of the band', kind: 'number' as const, digits: 6 },
  { key: 'high', title: 'High end', kind: 'number' as const, digits: 6 },
];

/** One method's line: mean and band over seeds. */
export function lineOf(
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
    color: colorOf(runs.method, runs.colour),
    style: seriesStyle(variant),
    x,
    ...spreadOf(values, band),
    band: band !== 'none' && runs.records.length > 1,
  };
}
