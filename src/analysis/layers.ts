// How far each layer moves, and how much gradient reaches it: summaries over seeds, and ratios of a method to its
// control.
import { KitError } from '../base/errors';
import type { LayerRow } from '../runs/store/record';
import { summarize, type Summary } from './statistics/statistics';

/**
 * The numbers of a layer: `gradientNorm`, mean over an epoch's steps of |dLoss/dw|; `updateNorm`, of |w after - w
 * before|; `weightDistance`, |w - w0| / |w0| at its end.
 */
export type LayerQuantity = 'gradientNorm' | 'updateNorm' | 'weightDistance';

/** The rows of one run, with the seed that pairs it with runs of other methods. */
export interface SeededLayers {
  seed: number;
  layers: readonly LayerRow[];
}

/** A layer of a network. */
export interface LayerPosition {
  layer: string;
  /** 0: the input side. */
  place: number;
  kind: LayerRow['kind'];
}

/** One layer after one epoch, over seeds. */
export interface LayerSummary extends LayerPosition {
  /** 1-based. */
  epoch: number;
  value: Summary;
}

/** The layers of some rows, input side first. @throws KitError when runs have different layers at the same place. */
export function layersOf(runs: readonly SeededLayers[]): LayerPosition[] {
  const found = new Map<number, LayerPosition>();
  for (const { layers } of runs) {
    for (const { layer, place, kind } of layers) {
      const known = found.get(place);
      if (known === undefined) found.set(place, { layer, place, kind });
      else if (known.layer !== layer)
        throw new KitError(`Expected runs of one network: layer ${place} is ${known.layer} and ${layer}.`, {
          code: 'ANALYSIS_MIXED_NETWORKS',
          fix: 'Give the runs of one backbone at a time.',
        });
    }
  }
  return [...found.values()].sort((a, b) => a.place - b.place);
}

/** Mean, spread and interval over seeds of each layer after each epoch, layer by layer, input side first. */
export function summarizeLayers(runs: readonly SeededLayers[], quantity: LayerQuantity): LayerSummary[] {
  const tables = runs.map(({ layers }) => tableOf(layers, quantity));
  return layersOf(runs).flatMap((where) =>
    epochsOf(runs).map((epoch) => ({
      ...where,
      epoch,
      value: summarize(tables.flatMap((table) => table.get(keyOf(where.place, epoch)) ?? [])),
    })),
  );
}

/** One layer after one epoch: a method against its control. */
export interface LayerRatio extends LayerPosition {
  epoch: number;
  /** Seeds that both have. */
  n: number;
  /** Geometric mean over those seeds of treated / control; `null` where there is none, or a control is 0. */
  ratio: number | null;
}

/**
 * How many times as large a quantity is in the runs of a method as in those of its control, paired by seed. The mean is
 * geometric, so that twice and half make one. Layer by layer, input side first.
 */
export function layerRatios(
  treated: readonly SeededLayers[],
  control: readonly SeededLayers[],
  quantity: LayerQuantity,
): LayerRatio[] {
  const controls = new Map(control.map(({ seed, layers }) => [seed, tableOf(layers, quantity)]));
  const pairs = treated.flatMap(({ seed, layers }) =>
    controls.has(seed) ? [[tableOf(layers, quantity), controls.get(seed)!] as const] : [],
  );
  return layersOf([...treated, ...control]).flatMap((where) =>
    epochsOf(treated).map((epoch) => {
      const key = keyOf(where.place, epoch);
      const values = pairs.flatMap(([one, other]) =>
        one.has(key) && other.has(key) ? [one.get(key)! / other.get(key)!] : [],
      );
      return { ...where, epoch, n: values.length, ratio: geometricMean(values) };
    }),
  );
}

/** exp(mean(log)); `null` of no values, and when one is not above 0 or not finite. */
export function geometricMean(values: readonly number[]): number | null {
  if (values.length === 0 || values.some((value) => !(value > 0 && value < Infinity))) return null;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Epochs that at least one run has, rising. */
function epochsOf(runs: readonly SeededLayers[]): number[] {
  return [...new Set(runs.flatMap(({ layers }) => layers.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
}

const keyOf = (place: number, epoch: number): string => `${place}/${epoch}`;

const tableOf = (rows: readonly LayerRow[], quantity: LayerQuantity): Map<string, number> =>
  new Map(rows.map((row) => [keyOf(row.place, row.epoch), row[quantity]]));
