// Runs with the rows of their layers, by group, method and depth: what the figures of layers and their claims begin
// with.
import { layersOf, type LayerPosition, type LayerQuantity, type SeededLayers } from '../../analysis/layers';
import { KitError } from '../../base/errors';
import type { LayerRow } from '../../runs/store/record';
import { drawable } from './drawable';
import { groupRuns, type MethodRuns, type RunGroup } from '../comparison/grouping';
import { repetitionOf } from '../comparison/repetition';
import type { LayeredRun } from '../frames/layer-frames';

/** A method of a group with the rows of its runs. */
export interface LayeredMethod {
  runs: MethodRuns;
  layers: SeededLayers[];
}

/** A group of runs, the baseline first. */
export interface LayeredGroup {
  group: RunGroup;
  methods: LayeredMethod[];
}

/**
 * The runs by group and method; of methods of which a run failed, only what a caption says (`note`).
 * @throws KitError when there are none to draw, or a run has no rows.
 */
export function layeredGroups(runs: readonly LayeredRun[]): { groups: LayeredGroup[]; note: string } {
  const { groups, note } = drawable(groupRuns(runs.map(({ record }) => record)));
  if (groups.length === 0)
    throw new KitError(`The figure has no runs to draw.${note}`, {
      code: 'FIGURE_NO_RUNS',
      fix: 'Make some: `npx rifle reproduce`.',
    });
  const rows = new Map(runs.map(({ record, layers }) => [record.id, layers]));
  const layersOfRun = (id: string): readonly LayerRow[] => {
    const found = rows.get(id)!;
    if (found.length === 0)
      throw new KitError(`The run ${id} has no rows of layers.`, {
        code: 'FIGURE_NO_LAYERS',
        fix: 'Delete the run and repeat it.',
      });
    return found;
  };
  const layered = (method: MethodRuns): LayeredMethod => ({
    runs: method,
    layers: method.records.map((record) => ({ seed: repetitionOf(record.spec), layers: layersOfRun(record.id) })),
  });
  return { groups: groups.map((group) => ({ group, methods: group.methods.map(layered) })), note };
}

/** The groups of `layeredGroups`; none where there is nothing to draw. */
export const layeredGroupsOf = (runs: readonly LayeredRun[]): LayeredGroup[] =>
  runs.length === 0 ? [] : layeredGroups(runs).groups;

/**
 * The runs of one group, which the figures of one network need. @throws KitError as `layeredGroups`, and when there are
 * more.
 */
export function onlyGroup(runs: readonly LayeredRun[]): LayeredGroup & { note: string } {
  const { groups, note } = layeredGroups(runs);
  if (groups.length > 1)
    throw new KitError(
      'The figure shows one data set, backbone and settings. ' +
        `Found ${groups.length}: ${groups.map(({ group }) => group.label).join('; ')}.`,
      { code: 'FIGURE_SEVERAL_GROUPS', fix: 'Give the runs of one of them at a time.' },
    );
  return { ...groups[0], note };
}

/** `fine-tuning n = 3, rifle n = 3`. */
export const counted = (methods: readonly LayeredMethod[]): string =>
  methods.map(({ runs: { label, records } }) => `${label} n = ${records.length}`).join(', ');

/** What a group is, as the first cells of a row of numbers. */
export const placeOf = ({
  dataset,
  backbone,
  settings,
}: RunGroup): { dataset: string; backbone: string; settings: string | null } => ({
  dataset,
  backbone,
  settings: settings || null,
});

/** The epochs that all runs of some methods have. */
export const commonEpochs = (methods: readonly LayeredMethod[]): number =>
  Math.min(...methods.flatMap(({ runs: { records } }) => records.map(({ epochs }) => epochs.length)));

/** Layers that are looked at together. */
export interface DepthPart {
  name: string;
  layers: LayerPosition[];
}

const countOf = ({ length }: readonly LayerPosition[]): string =>
  `${length} ${length === 1 ? 'convolution' : 'convolutions'}`;
const rangeOf = (layers: readonly LayerPosition[]): string =>
  `${shortName(layers[0].layer)} to ${shortName(layers[layers.length - 1].layer)}`;

/** The convolutions of a network in `count` parts of about as many layers, input side first, and its head. */
export function depthParts(methods: readonly LayeredMethod[], count: number): DepthPart[] {
  const layers = layersOf(methods.flatMap((method) => method.layers));
  const kernels = layers.filter(({ kind }) => kind === 'kernel');
  const cut = (i: number): number => Math.round((i * kernels.length) / count);
  const parts = Array.from({ length: count }, (_, i) => kernels.slice(cut(i), cut(i + 1))).filter(
    (own) => own.length > 0,
  );
  const named = parts.map((own, i) => ({
    name: `${countOf(own)}, ${rangeOf(own)}${i === 0 ? ' (input side)' : ''}`,
    layers: own,
  }));
  const head = layers.filter(({ kind }) => kind === 'head');
  return head.length > 0 ? [...named, { name: 'head', layers: head }] : named;
}

/**
 * A layer's name without what all names of its network share: `_blocks.3._expand_conv` is `3 expand`,
 * `features.denseblock1.denselayer2.conv1` is `block1.2.conv1`.
 */
export function shortName(layer: string): string {
  return layer
    .replace(/^_blocks\.(\d+)\._/, '$1 ')
    .replace(/^features\./, '')
    .replace(/denseblock/g, 'block')
    .replace(/denselayer/g, '')
    .replace(/^_/, '')
    .replace(/(\d [a-z]+)_conv$/, '$1');
}

/**
 * Names at the places of layers on an axis of `room` pixels: as many as there is room for, the first and the last
 * always.
 */
export function layerTicks(
  layers: readonly LayerPosition[],
  room: number,
): { values: number[]; texts: string[]; vertical: true; size: number } {
  const last = layers.length - 1;
  const every = Math.max(1, Math.ceil((11 * layers.length) / room));
  const shown = layers
    .map((_, at) => at)
    .filter((at) => at === last || (at % every === 0 && last - at >= every) || at === 0);
  return { values: shown, texts: shown.map((at) => shortName(layers[at].layer)), vertical: true, size: 10 };
}

const indexes = new WeakMap<readonly LayerRow[], Map<string, LayerRow>>();

/** The value of a layer after an epoch in one run, or none. */
export function valueOf(
  { layers }: SeededLayers,
  { place }: LayerPosition,
  epoch: number,
  quantity: LayerQuantity,
): number[] {
  let index = indexes.get(layers);
  if (index === undefined)
    indexes.set(layers, (index = new Map(layers.map((row) => [`${row.place}/${row.epoch}`, row]))));
  const row = index.get(`${place}/${epoch}`);
  return row === undefined ? [] : [row[quantity]];
}
