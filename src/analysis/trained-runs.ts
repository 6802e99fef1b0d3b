// Finished runs with their final weights, opened for analysis: one compiled pass, into which any run's or the
// pretrained values are written.
import fs from 'node:fs';
import { backbones, type Backbone, type BackboneRecord } from '../backbones/backbone';
import { BatchLoader } from '../data/batches/batches';
import { datasets } from '../data/catalog';
import type { Dataset } from '../data/dataset';
import { openPixelCache } from '../data/pixels/pixel-cache';
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { selectImages } from '../runs/selected-images';
import type { RunRecord } from '../runs/store/record';
import { featureExtractor, type FeatureExtractor } from './features';
import { variablesByStage } from '../backbones/stages';

/** A finished run, and the file of its final weights (`RunStore.weights(id)`). */
export interface TrainedRun {
  record: RunRecord;
  weights: string;
}

/** Options of the analyses of trained runs. */
export interface AnalysisOptions {
  /** The data set that the runs were trained on, whole. Default: the one that their spec names. */
  dataset?: Dataset;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** Values of all parameters and running statistics by name, in the layout of `Backbone.variables`. */
export type NetworkValues = Record<string, Float32Array>;

/** Runs that share data, backbone and sizes, ready to be looked into. */
export interface OpenRuns {
  backbone: BackboneRecord;
  classes: number;
  /** The images that the runs trained and were tested on: cut from the centre, in the order of the data set. */
  batches: { train: BatchLoader; test: BatchLoader };
  extractor: FeatureExtractor;
  /** Names of variables by stage, input side first (see `variablesByStage`). */
  stages(): string[][];
  /** The values that a run began with. */
  pretrained(run: TrainedRun): Promise<NetworkValues>;
  /** The values that it ended with. */
  finetuned(run: TrainedRun): Promise<NetworkValues>;
}

/** Images in a step: as many as in a step of the trainer's evaluation. */
const BATCH = 64;

/**
 * Opens `runs`, calls `use` with them, and closes everything again.
 * @throws KitError when there are none, they differ in what they must share, their weights are not there, or the data
 *   set is not theirs.
 */
export async function withTrainedRuns<T>(
  runs: readonly TrainedRun[],
  { dataset, signal, onProgress, maps = false }: AnalysisOptions & { maps?: boolean },
  use: (open: OpenRuns) => Promise<T>,
): Promise<T> {
  const { record } = requireComparable(runs);
  const { spec } = record;
  const data = selectImages(dataset ?? (await datasets.load(spec.dataset, { onProgress, signal })), spec);
  if (data.hash !== record.dataset.hash) {
    throw new KitError(
      `The run ${record.id} was trained on other images: expected ${record.dataset.name} with the hash ` +
        `${record.dataset.hash.slice(0, 12)}, found ${data.name} with ${data.hash.slice(0, 12)}.`,
      { code: 'ANALYSIS_DATASET_MISMATCH', fix: 'Give the data set that the run was trained on.' },
    );
  }
  const cache = await openPixelCache(data, {
    shortSide: spec.resizeSize ?? backbones.get(spec.backbone).resizeSize,
    onProgress,
    signal,
  });
  const classes = data.classes.length;
  const imageSize = spec.imageSize ?? backbones.get(spec.backbone).inputSize;
  const load = (run: TrainedRun, weights: string): Promise<Backbone> =>
    backbones.load(run.record.spec.backbone, { classes, weights, seed: run.record.spec.seed, onProgress, signal });
  const loaders = (['train', 'test'] as const).map(
    (split) => new BatchLoader(cache, data[split], { batchSize: BATCH, imageSize, seed: 0, train: false }),
  );
  const batches = { train: loaders[0], test: loaders[1] };
  const network = await load(runs[0], spec.weights);
  let extractor: FeatureExtractor | undefined;
  try {
    extractor = await featureExtractor(network, {
      imageSize,
      batchSizes: loaders.flatMap((loader) => loader.batchSizes),
      maps,
    });
    const valuesOf = async (run: TrainedRun, weights: string): Promise<NetworkValues> => {
      const loaded = await load(run, weights);
      try {
        return Object.fromEntries(
          Object.entries(loaded.variables).map(([name, variable]) => [name, variable.dataSync<'float32'>()]),
        );
      } finally {
        loaded.dispose();
      }
    };
    const { record: backbone } = network;
    return await use({
      backbone,
      classes,
      batches,
      extractor,
      stages: () => variablesByStage(network),
      pretrained: (run) => valuesOf(run, run.record.spec.weights),
      finetuned: (run) => valuesOf(run, run.weights),
    });
  } finally {
    extractor?.dispose();
    network.dispose();
    await Promise.all(loaders.map((loader) => loader.close()));
  }
}

/** The first of runs that share what they must. */
function requireComparable(runs: readonly TrainedRun[]): TrainedRun {
  const [first] = runs;
  if (first === undefined)
    throw new KitError('Expected runs to analyse, found none.', {
      code: 'ANALYSIS_NO_RUNS',
      fix: 'Train some, and keep their weights.',
    });
  const shared = ({ record: { spec, dataset } }: TrainedRun): Record<string, unknown> => ({
    'data set': dataset.hash.slice(0, 12),
    backbone: spec.backbone,
    'image size': spec.imageSize,
    'resize size': spec.resizeSize,
    limits: JSON.stringify(spec.limits),
    fold: JSON.stringify(spec.fold ?? null),
    'evaluated split': spec.evaluateOn ?? 'test',
  });
  const expected = shared(first);
  for (const run of runs) {
    for (const [what, found] of Object.entries(shared(run))) {
      if (found !== expected[what])
        throw new KitError(
          `The runs ${first.record.id} and ${run.record.id} cannot be analysed together: ` +
            `their ${what} is ${String(expected[what])} and ${String(found)}.`,
          { code: 'ANALYSIS_MIXED_RUNS', fix: 'Give the runs of one group at a time.' },
        );
    }
    if (run.record.status === 'failed')
      throw new KitError(`The run ${run.record.id} failed and has no final weights.`, {
        code: 'ANALYSIS_FAILED_RUN',
        fix: 'Leave it out.',
      });
    if (!fs.existsSync(run.weights))
      throw new KitError(`The final weights of run ${run.record.id} do not exist: ${run.weights}.`, {
        code: 'ANALYSIS_NO_WEIGHTS',
        fix: 'Repeat the run with `keepWeights`.',
      });
  }
  return first;
}
