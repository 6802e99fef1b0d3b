// One run from its spec to its record: data and weights are loaded, the trainer called, the record written to the store.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { backbones, type Backbone, type BackboneRecord } from '../backbones/backbone';
import { stateDictOf } from '../backbones/snapshot';
import { writeSafetensors } from '../backbones/weights/safetensors';
import { BatchLoader, type Batch } from '../data/batches';
import { datasets } from '../data/catalog';
import { carveValidation, limitPerClass, type Dataset } from '../data/dataset';
import { openPixelCache } from '../data/pixel-cache';
import { KitError } from '../engine/errors';
import { kitHome } from '../engine/home';
import { stopSignal } from '../engine/host';
import { tf, type TF } from '../engine/tensorflow';
import { methods } from '../transfer/methods';
import { timetable } from '../transfer/rifle';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec';
import { findChannelWeights, type ChannelWeights } from '../transfer/channel-weights';
import { DivergedError, train, type Trained, type TrainOptions } from '../transfer/trainer';
import { environment } from './environment';
import type { RunRecord } from './record';
import { NUMERICS_VERSION, runId, RunStore } from './store';

/** Options of `finetune`. */
export interface FinetuneOptions extends TrainOptions {
  /** Where runs are kept: a store or a folder. Default `runs` in the kit's home. A run that is over is not run again. */
  runs?: RunStore | string;
  /** Keep the final weights beside the record (`RunStore.weights`); a run that is over without them is then run again, to the same bits. Default false. */
  keepWeights?: boolean;
}

/** Images in a step of evaluation: more than training's cost no more memory, as nothing is kept for a gradient. */
const EVALUATION_BATCH = 64;

/**
 * Fine-tunes as `input` says, and gives the record: from the store when this very run is over there, else by training. A run that diverges
 * gives a record too, with status `failed`.
 * @throws KitError for a spec, a data set or weights that are not right; the signal's reason when stopped (nothing is written then).
 */
export async function finetune(input: RunSpecInput, options: FinetuneOptions = {}): Promise<RunRecord> {
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  try {
    return await findOrRun(input, { ...options, signal });
  } catch (error) {
    signal?.throwIfAborted(); // what a stopped fetch or thread complains of is not the reason
    throw error;
  }
}

async function findOrRun(input: RunSpecInput, options: FinetuneOptions): Promise<RunRecord> {
  const { onProgress, signal } = options;
  const store = options.runs instanceof RunStore ? options.runs : new RunStore(options.runs);
  const parsed = parseRunSpec(input);
  timetable(parsed); // refuses one that never resets, before anything is fetched
  const spec = resolveSizes(parsed, backbones.get(parsed.backbone));
  const dataset = chosen(await datasets.load(spec.dataset, { onProgress, signal }), spec);
  const weightsHash = await backbones.weightsHash(spec.backbone, spec);
  const portable = withoutPaths(spec, dataset);
  const id = runId({ spec: portable, dataHash: dataset.hash, weightsHash });
  const known = store.find(id);
  if (known !== null && (!options.keepWeights || known.status === 'failed' || store.weights(id) !== null)) return known;

  store.requireRoom();
  const startedAt = new Date();
  const cache = await openPixelCache(dataset, { shortSide: spec.resizeSize, onProgress, signal });
  const backbone = await backbones.load(spec.backbone, { classes: dataset.classes.length, weights: spec.weights, seed: spec.seed, onProgress, signal });
  const loaders: BatchLoader[] = [];
  let finalValues: Record<string, Float32Array> | undefined;
  const batches = (samples: Dataset['train'], options: { train: boolean; batchSize: number }): BatchLoader => {
    loaders.push(new BatchLoader(cache, samples, { ...options, imageSize: spec.imageSize, seed: spec.seed }));
    return loaders[loaders.length - 1];
  };
  try {
    const trainBatches = batches(dataset.train, { train: true, batchSize: spec.batchSize });
    const testBatches = batches(dataset.test, { train: false, batchSize: EVALUATION_BATCH });
    const channelWeights =
      spec.regularizer.name === 'delta'
        ? await keptChannelWeights([dataset.hash, backbone.weightsHash, spec.imageSize, spec.resizeSize, spec.limits, spec.evaluateOn], () => {
            const few = limitPerClass(dataset.train, Math.max(1, Math.round(CHANNEL_IMAGES / dataset.classes.length)), LIMIT_SEED);
            return weighChannels(backbone, spec.imageSize, batches(few, { train: false, batchSize: few.length }), options);
          })
        : undefined;
    const observe: TrainOptions['observe'] = (moment, epoch, read) => {
      options.observe?.(moment, epoch, read);
      if (options.keepWeights && moment === 'epoch' && epoch === timetable(spec).epochs) finalValues = valuesOf(read(Object.keys(backbone.variables)));
    };
    const { epochs, layers, failure } = await trainOrFail(() => train(spec, backbone, spec.imageSize, trainBatches, testBatches, { title: titleOf(spec), channelWeights, ...options, observe }));
    const record: RunRecord = {
      id,
      status: failure === null ? 'finished' : 'failed',
      failure,
      method: methods.nameOf(spec),
      spec: portable,
      numericsVersion: NUMERICS_VERSION,
      dataset: { name: dataset.name, hash: dataset.hash, classes: dataset.classes, train: dataset.train.length, test: dataset.test.length },
      weights: { id: spec.weights === 'imagenet' ? spec.backbone : path.basename(spec.weights), hash: weightsHash, parameters: parameterCount(backbone) },
      epochs,
      testTop1: failure === null ? epochs[epochs.length - 1].testTop1 : NaN,
      resets: epochs.filter((row) => row.headReset).map((row) => row.epoch),
      wallSeconds: (Date.now() - startedAt.getTime()) / 1000,
      peakMemoryMb: process.resourceUsage().maxRSS / 1024,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      environment: environment(),
    };
    if (finalValues !== undefined) await writeSafetensors(store.weightsFile(id), stateDictOf(backbone, finalValues));
    await store.put(record, layers);
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

/** The images of a run: test images, or instead a fifth of the training images; then the limits. */
export function chosen(whole: Dataset, { limits: { trainPerClass, testPerClass }, evaluateOn }: RunSpec): Dataset {
  const dataset = evaluateOn === 'test' ? whole : carveValidation(whole, { fraction: 0.2, seed: LIMIT_SEED });
  return {
    ...dataset,
    train: trainPerClass === null ? dataset.train : limitPerClass(dataset.train, trainPerClass, LIMIT_SEED),
    test: testPerClass === null ? dataset.test : limitPerClass(dataset.test, testPerClass, LIMIT_SEED),
  };
}

/** Images that DELTA's channels are weighed on: the first so many, evenly over the classes. */
const CHANNEL_IMAGES = 64;

async function weighChannels(backbone: Backbone, imageSize: number, loader: BatchLoader, options: FinetuneOptions): Promise<ChannelWeights> {
  const all: Batch[] = [];
  for await (const batch of loader.epoch(0, options)) all.push({ ...batch, images: batch.images.slice(), labels: batch.labels.slice() });
  return findChannelWeights(backbone, imageSize, all, options);
}

/** Channel weights depend on data and pretrained weights alone, not on the seed: they are found once and kept in the kit's home. */
async function keptChannelWeights(key: unknown[], find: () => Promise<ChannelWeights>): Promise<ChannelWeights> {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const file = kitHome('channel-weights', `${name}.json`);
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as ChannelWeights;
  const weights = await find();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await writeFileAtomic(file, JSON.stringify(weights));
  return weights;
}

/** What `run` gives; of a run that diverges, what there was before, and how it ended. */
async function trainOrFail(run: () => Promise<Trained>): Promise<Trained & Pick<RunRecord, 'failure'>> {
  try {
    return { ...(await run()), failure: null };
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    return { ...error.before, failure: { epoch: error.epoch, lastLoss: error.lastLoss, message: error.message } };
  }
}

/** The values of tensors, which are disposed. */
function valuesOf(tensors: Record<string, TF.Tensor>): Record<string, Float32Array> {
  const values = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]));
  tf.dispose(tensors);
  return values;
}

const parameterCount = ({ variables }: Backbone): number =>
  Object.values(variables).filter((variable) => variable.trainable).reduce((sum, variable) => sum + variable.size, 0);
