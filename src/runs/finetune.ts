// One run from its spec to its record: data and weights are loaded, the trainer called, the record written to the
// store. An unfinished one goes on.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { backbones, type Backbone, type BackboneRecord } from '../backbones/backbone';
import { BatchLoader, type Batch } from '../data/batches/batches';
import { datasets } from '../data/catalog';
import { limitPerClass, type Dataset } from '../data/dataset';
import { openPixelCache } from '../data/pixels/pixel-cache';
import { KitError } from '../base/errors';
import { kitHome } from '../base/home';
import { stopSignal } from '../base/notebook-host';
import { classificationMetrics } from '../metrics/classification';
import { methods } from '../transfer/methods';
import { timetable } from '../transfer/resets/rifle';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec';
import { findChannelWeights, type ChannelWeights } from '../transfer/regularizers/channel-weights';
import { DivergedError, train, type EpochRow, type Trained, type TrainOptions } from '../transfer/trainer';
import { chosen, LIMIT_SEED } from './chosen';
import { environment, freeGpuMemory } from './store/environment';
import { Keeper, type KeeperOptions } from './checkpointing';
import { RunLock, type LockOptions } from '../base/files/lock';
import type { RunRecord } from './store/record';
import { NUMERICS_VERSION, runId, RunStore } from './store/store';
import { Tracking, type TrackingOptions } from './tracking/tracking';
import { writeWhole } from '../base/files/write-whole';

/**
 * Options of `finetune`. `keepWeights` besides: the final weights, and those of the best epoch on validation images,
 * stay beside the record (`RunStore.weights`). A finished run without kept weights is then repeated, bit for bit.
 */
export interface FinetuneOptions extends Omit<TrainOptions, 'from' | 'onState'>, KeeperOptions {
  /**
   * Where runs are kept: a store or a folder. Default `runs` in the kit's home. A run that is over is not run again; an
   * unfinished one goes on.
   */
  runs?: RunStore | string;
  /**
   * What to do about a run that another process is making: wait for its record and take over should it die, or throw
   * RunBusyError. Default `wait`.
   */
  busy?: 'wait' | 'throw';
  /** Where numbers go besides the record, whatever becomes of that. Default: nowhere. */
  tracking?: TrackingOptions;
  /** How the run's lock is taken. */
  lock?: LockOptions;
}

/** Images in a step of evaluation: more than training's cost no more memory, as nothing is kept for a gradient. */
export const EVALUATION_BATCH = 64;

/**
 * Fine-tunes as `input` says, and gives the record: from the store when this very run is over there, else by training,
 * from its last checkpoint
 * when it was begun before. A run that diverges gives a record too, with status `failed`.
 * @throws KitError for a spec, a data set or weights that are not right; RunBusyError; the signal's reason when stopped
 *   (a checkpoint is written
 *   then, and the same call goes on from it).
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
  const { id, spec, portable, dataset, weightsHash } = await identifyRun(input, {
    dataset: (name) => datasets.load(name, { onProgress, signal }),
  });
  const finished = (): RunRecord | null => finishedRun(store, id, options.keepWeights);
  const known = finished();
  if (known !== null) return known;

  store.requireRoom();
  refuseChanged(store, { id, spec: portable, dataset, from: spec.dataset });
  const title = options.title ?? titleOf(spec);
  const onWait: LockOptions['onWait'] = (owner) =>
    onProgress?.({
      task: title,
      done: 0,
      total: 1,
      unit: 'runs',
      detail: `waiting for process ${owner?.pid ?? '?'} on ${owner?.host ?? '?'}, which makes it`,
    });
  const lock = await RunLock.take(store.folder(id), {
    signal,
    wait: options.busy !== 'throw',
    onWait,
    ...options.lock,
  });
  const journal = store.journal(id);
  try {
    const meanwhile = finished();
    if (meanwhile !== null) return meanwhile;
    if (lock.takenFrom !== null)
      journal.write('notice', {
        text: `Process ${lock.takenFrom.pid} on ${lock.takenFrom.host} had died: its lock was taken over.`,
      });
    return await makeRun({ ...options, title }, { store, lock, id, spec, portable, dataset, weightsHash });
  } catch (error) {
    if (signal?.aborted)
      journal.write('stopped', { reason: String((signal.reason as Error)?.message ?? signal.reason) });
    else journal.write('failed', { message: (error as Error).message });
    throw error;
  } finally {
    await lock.release();
  }
}

/** What names a run, and what it is made from. */
export interface RunIdentity {
  id: string;
  spec: SizedSpec;
  /** The spec as it names the run, see `RunRecord`. */
  portable: RunSpec;
  dataset: Dataset;
  weightsHash: string;
}

/**
 * The identity of the run that `input` asks for; its data set is made ready when it is not.
 * @param load where data sets and hashes of weights come from. Default: the catalog, and the files.
 * @throws KitError for a spec, a data set or weights that are not right.
 */
export async function identifyRun(
  input: RunSpecInput,
  load: { dataset?: (name: string) => Promise<Dataset>; weightsHash?: typeof backbones.weightsHash } = {},
): Promise<RunIdentity> {
  const parsed = parseRunSpec(input);
  timetable(parsed); // refuses one that never resets, before anything is fetched
  const spec = resolveSizes(parsed, backbones.get(parsed.backbone));
  const dataset = chosen(await (load.dataset ?? datasets.load)(spec.dataset), spec);
  const weightsHash = await (load.weightsHash ?? backbones.weightsHash)(spec.backbone, spec);
  const portable = withoutPaths(spec, dataset);
  return { id: runId({ spec: portable, dataHash: dataset.hash, weightsHash }), spec, portable, dataset, weightsHash };
}

/** The record of the run `id` if it is over, and with its weights where they were asked for; else null. */
export function finishedRun(store: RunStore, id: string, keepWeights = false): RunRecord | null {
  const known = store.find(id);
  return known !== null && (!keepWeights || known.status === 'failed' || store.weights(id) !== null) ? known : null;
}

/** What a run is made of. */
interface RunParts extends RunIdentity {
  store: RunStore;
  lock: RunLock;
}

async function makeRun(
  options: FinetuneOptions,
  { store, id, spec, portable, dataset, weightsHash, lock }: RunParts,
): Promise<RunRecord> {
  const { onProgress, signal } = options;
  const { epochs: epochCount } = timetable(spec);
  const keeper = new Keeper(store, id, lock, options);
  const from = await keeper.resume(epochCount);
  const made = environment();
  store.journal(id).write(from === undefined ? 'started' : 'resumed', {
    ...(from === undefined
      ? {
          spec: portable,
          dataset: { name: dataset.name, hash: dataset.hash, from: placeOf(spec.dataset) },
          weightsHash,
        }
      : { epoch: from.epoch, step: from.step }),
    environment: made,
  });
  const cache = await openPixelCache(dataset, { shortSide: spec.resizeSize, onProgress, signal });
  const backbone = await backbones.load(spec.backbone, {
    classes: dataset.classes.length,
    weights: spec.weights,
    seed: spec.seed,
    onProgress,
    signal,
  });
  const loaders: BatchLoader[] = [];
  const batches = (samples: Dataset['train'], options: { train: boolean; batchSize: number }): BatchLoader => {
    loaders.push(new BatchLoader(cache, samples, { ...options, imageSize: spec.imageSize, seed: spec.seed }));
    return loaders[loaders.length - 1];
  };
  const tracking = await Tracking.begin(
    options.tracking,
    { id, title: options.title ?? titleOf(spec), method: methods.nameOf(spec), spec: portable, dataset: dataset.name },
    from?.rows ?? [],
    (text) => keeper.notice(text),
  );
  let ending: 'stopped' | RunRecord['status'] = 'stopped';
  try {
    const trainBatches = batches(dataset.train, { train: true, batchSize: spec.batchSize });
    const testBatches = batches(dataset.test, { train: false, batchSize: EVALUATION_BATCH });
    const channelWeights =
      spec.regularizer.name === 'delta'
        ? await keptChannelWeights(
            [dataset.hash, backbone.weightsHash, spec.imageSize, spec.resizeSize, spec.limits, spec.evaluateOn],
            () => {
              const few = limitPerClass(
                dataset.train,
                Math.max(1, Math.round(CHANNEL_IMAGES / dataset.classes.length)),
                LIMIT_SEED,
              );
              return weighChannels(
                backbone,
                spec.imageSize,
                batches(few, { train: false, batchSize: few.length }),
                options,
              );
            },
          )
        : undefined;
    const rows: EpochRow[] = [...(from?.rows ?? [])];
    const keepWeights = keeper.observer(backbone, epochCount, () => rows);
    const keepPredictions = keeper.predictionsObserver(evaluatedImages(dataset, spec), epochCount, () => rows);
    const { epochs, layers, failure } = await trainOrFail(() =>
      train(spec, backbone, spec.imageSize, trainBatches, testBatches, {
        channelWeights,
        memoryLimit: freeGpuMemory(),
        ...options,
        from,
        onState: keeper.stateKeeper(backbone, epochCount),
        onEvaluated: (epoch, logits, top1) => {
          keepPredictions(epoch, logits, top1);
          options.onEvaluated?.(epoch, logits, top1);
        },
        onEpoch: (row) => {
          rows.push(row);
          tracking.epoch(row);
          options.onEpoch?.(row);
        },
        observe: (moment, epoch, read) => {
          options.observe?.(moment, epoch, read);
          keepWeights(moment, epoch, read);
        },
      }),
    );
    const { startedAt, wallSeconds, peakMemoryMb } = keeper.soFar();
    const record: RunRecord = {
      id,
      status: failure === null ? 'finished' : 'failed',
      failure,
      method: methods.nameOf(spec),
      spec: portable,
      numericsVersion: NUMERICS_VERSION,
      dataset: {
        name: dataset.name,
        hash: dataset.hash,
        classes: dataset.classes,
        train: dataset.train.length,
        test: dataset.test.length,
      },
      weights: {
        id: spec.weights === 'imagenet' ? spec.backbone : path.basename(spec.weights),
        hash: weightsHash,
        parameters: parameterCount(backbone),
      },
      epochs,
      evaluatedOn: spec.evaluateOn,
      top1: failure === null ? epochs[epochs.length - 1].top1 : NaN,
      ...(failure === null ? { metrics: classificationMetrics((await store.predictions(id))!) } : {}),
      resets: epochs.filter((row) => row.headReset).map((row) => row.epoch),
      wallSeconds,
      peakMemoryMb,
      startedAt,
      finishedAt: new Date().toISOString(),
      environment: made,
    };
    lock.requireHeld();
    keeper.settle(epochs, record.status);
    await store.put(record, layers);
    store.journal(id).write('finished', { status: record.status });
    keeper.done();
    ending = record.status;
    return record;
  } finally {
    await tracking.end(ending);
    await Promise.all(loaders.map((loader) => loader.close()));
    backbone.dispose();
  }
}

/** What the predictions of a run are about. */
const evaluatedImages = ({ test, classes }: Dataset, { evaluateOn }: RunSpec) => ({
  labels: Int32Array.from(test, ({ label }) => label),
  files: test.map(({ file }) => file),
  classes: classes.length,
  classNames: classes,
  evaluatedOn: evaluateOn,
});

/** Where a data set was read from: a folder's path, or the name in the catalog. */
const placeOf = (dataset: string): string => (fs.existsSync(dataset) ? fs.realpathSync(dataset) : dataset);

/**
 * Refuses a run whose spec was run before on the same folder with other images: the two would stand in one table.
 * Data sets of the catalog are pinned by their hash and need no such look.
 */
function refuseChanged(
  store: RunStore,
  { id, spec, dataset, from }: { id: string; spec: RunSpec; dataset: Dataset; from: string },
): void {
  if (!fs.existsSync(from)) return;
  const text = stableStringify(spec);
  const others = store
    .brief(() => undefined)
    .filter(
      (record) =>
        record.id !== id &&
        record.dataset.name === dataset.name &&
        record.dataset.hash !== dataset.hash &&
        stableStringify(record.spec) === text,
    );
  const ids = [...others.map((record) => record.id), ...store.unfinished().filter((other) => other !== id)];
  for (const other of ids) {
    const started = store
      .journal(other)
      .read()
      .find(({ event }) => event === 'started') as
      { spec?: RunSpec; dataset?: { hash: string; from: string } } | undefined;
    if (
      started?.dataset?.from !== placeOf(from) ||
      started.dataset.hash === dataset.hash ||
      stableStringify(started.spec) !== text
    )
      continue;
    throw new KitError(
      `The images in ${from} have changed since the run ${other}: their hash was ${started.dataset.hash}, it is ${dataset.hash}.`,
      {
        fix: `Put the images back, keep the runs of the new ones in another folder (--runs), or forget the old run: npx rifle runs prune ${other}.`,
      },
    );
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
export type SizedSpec = RunSpec & { imageSize: number; resizeSize: number };

function resolveSizes(spec: RunSpec, { inputSize, resizeSize }: BackboneRecord): SizedSpec {
  const side = spec.imageSize ?? inputSize;
  if (spec.resizeSize !== null && spec.resizeSize < side) {
    throw new KitError(`A crop of ${side} pixels does not fit a short side of ${spec.resizeSize}.`, {
      fix: 'Raise `resizeSize` or lower `imageSize`.',
    });
  }
  return {
    ...spec,
    imageSize: side,
    resizeSize: spec.resizeSize ?? Math.max(side, Math.round((side * resizeSize) / inputSize)),
  };
}

/** Images that DELTA's channels are weighed on: the first so many, evenly over the classes. */
const CHANNEL_IMAGES = 64;

async function weighChannels(
  backbone: Backbone,
  imageSize: number,
  loader: BatchLoader,
  options: FinetuneOptions,
): Promise<ChannelWeights> {
  const all: Batch[] = [];
  for await (const batch of loader.epoch(0, options))
    all.push({ ...batch, images: batch.images.slice(), labels: batch.labels.slice() });
  return findChannelWeights(backbone, imageSize, all, options);
}

/**
 * Channel weights depend on data and pretrained weights alone, not on the seed: they are found once and kept in the
 * kit's home.
 */
async function keptChannelWeights(key: unknown[], find: () => Promise<ChannelWeights>): Promise<ChannelWeights> {
  const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 16);
  const file = kitHome('channel-weights', `${name}.json`);
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as ChannelWeights;
  const weights = await find();
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await writeWhole(file, JSON.stringify(weights));
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

const parameterCount = ({ variables }: Backbone): number =>
  Object.values(variables)
    .filter((variable) => variable.trainable)
    .reduce((sum, variable) => sum + variable.size, 0);
