// Rows of layers and stages as danfo DataFrames.
import { frameOf, type DataFrame, type Kind } from './frames';
import type { CkaRow } from '../../analysis/representations';
import type { LowLevelRow } from '../../analysis/low-level';
import type { LayerRow, RunRecord } from '../../runs/store/record';

/** A run with the rows of its layers (`RunStore.layers(id)`). */
export interface LayeredRun {
  record: RunRecord;
  layers: readonly LayerRow[];
}

/** Column names are the contract of notebooks: they match `RunSpec`, `RunRecord` and `LayerRow`. */
const LAYER_KINDS = {
  run: 'string',
  dataset: 'string',
  backbone: 'string',
  method: 'string',
  seed: 'int32',
  epoch: 'int32',
  layer: 'string',
  place: 'int32',
  kind: 'string',
  gradientNorm: 'float32',
  updateNorm: 'float32',
  weightDistance: 'float32',
} as const satisfies Record<string, Kind>;

const CKA_KINDS = {
  run: 'string',
  method: 'string',
  seed: 'int32',
  stage: 'string',
  place: 'int32',
  images: 'int32',
  features: 'int32',
  cka: 'float32',
  unbiased: 'float32',
} as const satisfies Record<string, Kind>;

const LOW_LEVEL_KINDS = {
  run: 'string',
  method: 'string',
  seed: 'int32',
  kept: 'int32',
  stage: 'string',
  top1: 'float32',
  trainTop1: 'float32',
  iterations: 'int32',
  gradient: 'float32',
} as const satisfies Record<string, Kind>;

/** One row a run, epoch and layer, in the order of `runs`: what a run is, and the fields of `LayerRow`. */
export function layersFrame(runs: readonly LayeredRun[]): DataFrame {
  const rows = runs.flatMap(({ record: { id, dataset, spec, method }, layers }) =>
    layers.map((row) => ({ run: id, dataset: dataset.name, backbone: spec.backbone, method, seed: spec.seed, ...row })),
  );
  return frameOf(LAYER_KINDS, rows);
}

/** The rows of `ckaByStage`; where the unbiased estimate is not defined, NaN. */
export function ckaFrame(rows: readonly CkaRow[]): DataFrame {
  return frameOf(
    CKA_KINDS,
    rows.map((row) => ({ ...row, unbiased: row.unbiased ?? NaN })),
  );
}

/** The rows of `lowLevelFeatures`. */
export function lowLevelFrame(rows: readonly LowLevelRow[]): DataFrame {
  return frameOf(
    LOW_LEVEL_KINDS,
    rows.map((row) => ({ ...row })),
  );
}
