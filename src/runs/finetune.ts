// One run from its spec to its record: data and weights are loaded, the trainer called, the record written to the store.
import path from 'node:path';
import { backbones, type Backbone, type BackboneRecord } from '../backbones/backbone';
import { BatchLoader } from '../data/batches';
import { datasets } from '../data/catalog';
import { limitPerClass, type Dataset } from '../data/dataset';
import { openPixelCache } from '../data/pixel-cache';
import { KitError } from '../engine/errors';
import { methods } from '../transfer/methods';
import { timetable } from '../transfer/rifle';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec';
import { train, type TrainOptions } from '../transfer/trainer';
import { environment } from './environment';
import type { RunRecord } from './record';
import { NUMERICS_VERSION, runId, RunStore } from './store';

/** Options of `finetune`. */
export interface FinetuneOptions extends TrainOptions {
  /** Where finished runs are kept: a store or a folder. Default `runs` in the kit's home. A finished run is not run again. */
  runs?: RunStore | string;
}

/** Images in a step of evaluation: more than training's cost no more memory, as nothing is kept for a gradient. */
const EVALUATION_BATCH = 64;

/**
 * Fine-tunes as `input` says, and gives the record: from the store when this very run is finished there, else by training.
 * @throws KitError for a spec, a data set or weights that are not right; the signal's reason when stopped (nothing is written then).
 */
export async function finetune(input: RunSpecInput, options: FinetuneOptions = {}): Promise<RunRecord> {
  try {
    return await findOrRun(input, options);
  } catch (error) {
    options.signal?.throwIfAborted(); // what a stopped fetch or thread complains of is not the reason
    throw error;
  }
}

async function findOrRun(input: RunSpecInput, options: FinetuneOptions): Promise<RunRecord> {
  const { onProgress, signal } = options;
  const store = options.runs instanceof RunStore ? options.runs : new RunStore(options.runs);
  const parsed = parseRunSpec(input);
  timetable(parsed); // refuses one that never resets, before anything is fetched
  const spec = resolveSizes(parsed, backbones.get(parsed.backbone));
  const dataset = limited(await datasets.load(spec.dataset, { onProgress, signal }), spec);
  const weightsHash = await backbones.weightsHash(spec.backbone, spec);
  const id = runId({ spec: withoutPaths(spec, dataset), dataHash: dataset.hash, weightsHash });
  const finished = store.find(id);
  if (finished !== null) return finished;

  store.requireRoom();
  const startedAt = new Date();
  const cache = await openPixelCache(dataset, { shortSide: spec.resizeSize, onProgress, signal });
  const backbone = await backbones.load(spec.backbone, { classes: dataset.classes.length, weights: spec.weights, seed: spec.seed, onProgress, signal });
  const loaders: BatchLoader[] = [];
  const batches = (samples: Dataset['train'], options: { train: boolean; batchSize: number }): BatchLoader => {
    loaders.push(new BatchLoader(cache, samples, { ...options, imageSize: spec.imageSize, seed: spec.seed }));
    return loaders[loaders.length - 1];
  };
  try {
    const trainBatches = batches(dataset.train, { train: true, batchSize: spec.batchSize });
    const testBatches = batches(dataset.test, { train: false, batchSize: EVALUATION_BATCH });
    const epochs = await train(spec, backbone, spec.imageSize, trainBatches, testBatches, { title: titleOf(spec), ...options });
    const record: RunRecord = {
      id,
      status: 'finished',
      method: methods.nameOf(spec),
      spec,
      numericsVersion: NUMERICS_VERSION,
      dataset: { name: dataset.name, hash: dataset.hash, classes: dataset.classes, train: dataset.train.length, test: dataset.test.length },
      weights: { id: spec.weights === 'imagenet' ? spec.backbone : path.basename(spec.weights), hash: weightsHash, parameters: parameterCount(backbone) },
      epochs,
      testTop1: epochs[epochs.length - 1].testTop1,
      resets: epochs.filter((row) => row.headReset).map((row) => row.epoch),
      wallSeconds: (Date.now() - startedAt.getTime()) / 1000,
      peakMemoryMb: process.resourceUsage().maxRSS / 1024,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      environment: environment(),
    };
    await store.put(record);
    return record;
  } finally {
    await Promise.all(loaders.map((loader) => loader.close()));
    backbone.dispose();
  }
}

/** The spec as it names the run: where data and weights lie does not matter, their hashes are in the name. */
const withoutPaths = (spec: RunSpec, dataset: Dataset): RunSpec => ({
  ...spec,
  dataset: dataset.name,
  weights: spec.weights === 'imagenet' || spec.weights === 'random' ? spec.weights : 'file',
});

/** A short name of a run for bars and lists, for example `rifle seed 1`. */
export const titleOf = (spec: RunSpec): string => `${methods.nameOf(spec)} seed ${spec.seed}`;

/** A spec whose sizes are numbers: where it leaves them open, the backbone's own decide. */
type SizedSpec = RunSpec & { imageSize: number; resizeSize: number };

function resolveSizes(spec: RunSpec, { inputSize, resizeSize }: BackboneRecord): SizedSpec {
  const side = spec.imageSize ?? inputSize;
  if (spec.resizeSize !== null && spec.resizeSize < side) {
    throw new KitError(`A crop of ${side} pixels does not fit a short side of ${spec.resizeSize}.`, { fix: 'Raise `resizeSize` or lower `imageSize`.' });
  }
  return { ...spec, imageSize: side, resizeSize: spec.resizeSize ?? Math.max(side, Math.round((side * resizeSize) / inputSize)) };
}

/** Seed of the choice of images when there is a limit: the same for all runs, whatever their own seed. */
const LIMIT_SEED = 0;

function limited(dataset: Dataset, { limits: { trainPerClass, testPerClass } }: RunSpec): Dataset {
  return {
    ...dataset,
    train: trainPerClass === null ? dataset.train : limitPerClass(dataset.train, trainPerClass, LIMIT_SEED),
    test: testPerClass === null ? dataset.test : limitPerClass(dataset.test, testPerClass, LIMIT_SEED),
  };
}

const parameterCount = ({ variables }: Backbone): number =>
  Object.values(variables).filter((variable) => variable.trainable).reduce((sum, variable) => sum + variable.size, 0);
