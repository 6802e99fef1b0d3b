// Executes one identified run whose lock is held: loads data and weights, trains, and writes the record.
import path from 'node:path';
import { backbones, type Backbone } from '../backbones/backbone';
import { publicAddress } from '../base/address';
import type { RunLock } from '../base/files/lock';
import { BatchLoader, EVALUATION_BATCH, type Batch } from '../data/batches/batches';
import type { Dataset } from '../data/dataset';
import { limitPerClass } from '../data/splits';
import { openPixelCache } from '../data/pixels/pixel-cache';
import { measureAll } from '../metrics/metric';
import { classWeightsOf } from '../transfer/loss/class-weights';
import { methods } from '../transfer/methods';
import { Observations } from '../transfer/observer';
import { regularizers, type Prepared } from '../transfer/regularizers/regularizer';
import type { EvaluatedSplit, RunSpec } from '../transfer/spec/spec';
import { bestEpoch, DivergedError, type EpochRow, type Trained, type TrainOptions } from '../transfer/train-state';
import { train } from '../transfer/trainer';
import { sourceOf } from './changed-data';
import { Checkpointing, type CheckpointingOptions } from './checkpointing';
import { codeDigests, countsOf, lengthsOf, refuseOtherCode } from './code-digests';
import type { RunIdentity } from './identify';
import { preparedArrays } from './prepared';
import { LIMIT_SEED } from './selected-images';
import { environment, freeGpuMemory } from './store/format/environment';
import { KIT_NUMERICS, numericsOf } from './store/identity';
import { RECORD_FORMAT, type RunRecord } from './store/record';
import type { RunStore } from './store/store';
import { Tracking, type TrackingOptions } from './tracking/tracking';

/**
 * Options of a run. With `keepWeights` the final weights, and those of the best epoch on validation images, are kept
 * beside the record (`RunStore.weights`). If a finished run has no saved weights, it is repeated (bit for bit) to
 * produce them.
 */
export interface ExecuteOptions
  extends Omit<TrainOptions, 'from' | 'onGraph' | 'onState' | 'prepared'>, CheckpointingOptions {
  /** Other places that receive the numbers of the run. An error there does not stop the run. Default: none. */
  tracking?: TrackingOptions;
}

/** A run with its store, and the lock that this process holds. */
interface LockedRun extends RunIdentity {
  store: RunStore;
  lock: RunLock;
}

/** Executes the run, or resumes it from its last checkpoint, and writes its record. */
export async function executeRun(options: ExecuteOptions & { title: string }, run: LockedRun): Promise<RunRecord> {
  const { store, id, spec, portable, dataset, lock } = run;
  const { onProgress, signal } = options;
  const checkpointing = new Checkpointing(store, id, spec, lock, options);
  const from = await checkpointing.resume();
  const currentEnvironment = environment();
  store.journal(id).write(from === undefined ? 'started' : 'resumed', {
    ...(from === undefined ? startedEntry(run) : { epoch: from.epoch, step: from.step }),
    environment: currentEnvironment,
  });
  const backbone = await backbones.load(spec.backbone, {
    classes: dataset.classes.length,
    weights: spec.weights,
    seed: spec.seed,
    onProgress,
    signal,
  });
  const loaders = new Loaders(run, options);
  const method = methods.nameOf(spec);
  const tracking = await Tracking.begin(
    options.tracking,
    { id, title: options.title, method, spec: portable, dataset: dataset.name },
    from?.rows ?? [],
    (text) => checkpointing.notice(text),
  );
  let ending: 'stopped' | RunRecord['status'] = 'stopped';
  try {
    const trainBatches = await loaders.open(dataset.train, { train: true, batchSize: spec.batchSize });
    const { train: trainImages, validation } = dataset;
    const evaluationBatches = await loaders.open(validation ?? dataset.test, EVALUATION);
    const testBatches = validation && (await loaders.open(dataset.test, EVALUATION));
    const classWeights = classWeightsOf(
      spec.classWeights,
      dataset.classes,
      trainImages.map(({ label }) => label),
    );
    const prepared = await preparedParts(run, backbone, loaders, options);
    const rows: EpochRow[] = [...(from?.rows ?? [])];
    const notice = (text: string): void => checkpointing.notice(text);
    const observations = new Observations(checkpointing.observations, notice);
    const keepWeights = checkpointing.weightsObserver(backbone, () => rows);
    const keepPredictions = checkpointing.predictionsObserver(evaluatedImages(run), () => rows);
    const { epochs, layers, failure } = await trainOrFail(() =>
      train(spec, backbone, spec.imageSize, trainBatches, evaluationBatches, {
        prepared,
        testBatches,
        ...(classWeights === null ? {} : { classWeights }),
        memoryLimit: freeGpuMemory(),
        ...options,
        from,
        onGraph: ({ nodes }) => {
          const lengths = lengthsOf(prepared);
          const counted = { spec, ...countsOf(dataset) };
          const digests = codeDigests(counted, backbone, { nodes, prepared: lengths });
          refuseOtherCode(id, spec, checkpointing.graph ?? store.find(id)?.graph, digests);
          checkpointing.graph = digests;
        },
        onState: checkpointing.stateObserver(backbone),
        onEvaluated: (...evaluated) => {
          keepPredictions(...evaluated);
          options.onEvaluated?.(...evaluated);
        },
        onEpoch: (row) => {
          rows.push(row);
          tracking.epoch(row);
          options.onEpoch?.(row, portable);
        },
        observe: (moment, epoch, read) => {
          observations.look(moment, epoch, read);
          options.observe?.(moment, epoch, read);
          keepWeights(moment, epoch, read);
        },
      }),
    );
    const { startedAt, wallSeconds, peakMemoryMb } = checkpointing.history();
    const record: RunRecord = {
      id,
      status: failure === null ? 'finished' : 'failed',
      failure,
      method,
      ...guestOf(method),
      spec: portable,
      format: RECORD_FORMAT,
      numerics: numericsOf(spec),
      ...(checkpointing.graph === undefined ? {} : { graph: checkpointing.graph }),
      dataset: {
        name: dataset.name,
        hash: dataset.hash,
        classes: dataset.classes,
        ...countsOf(dataset),
      },
      weights: {
        id: spec.weights === 'imagenet' ? spec.backbone : path.basename(publicAddress(spec.weights)),
        hash: run.weightsHash,
        parameters: parameterCount(backbone),
      },
      epochs,
      ...reportedOf(spec, epochs, failure !== null),
      ...(failure === null ? { metrics: measureAll((await store.predictions(id))!, notice) } : {}),
      ...(observations.rows.length > 0 ? { observations: observations.rows } : {}),
      resets: epochs.filter((row) => row.headReset).map((row) => row.epoch),
      wallSeconds,
      peakMemoryMb,
      startedAt,
      finishedAt: new Date().toISOString(),
      environment: currentEnvironment,
    };
    lock.requireHeld();
    checkpointing.removeUnwantedFiles(epochs, record.status);
    await store.put(record, layers);
    store.journal(id).write('finished', { status: record.status });
    checkpointing.removeCheckpoints();
    ending = record.status;
    return record;
  } finally {
    await tracking.end(ending);
    await loaders.close();
    backbone.dispose();
  }
}

/** What the record says of a method that is not the kit's own. */
const guestOf = (name: string): Pick<RunRecord, 'guestMethod'> => {
  const guest = methods.list().find((method) => method.name === name && !methods.isBuiltIn(name));
  if (guest === undefined) return {};
  const { title, colour, control } = guest;
  const decides = (['schedule', 'optimizer', 'augmentation'] as const).filter((field) => guest[field] !== undefined);
  return { guestMethod: { title, colour, control, decides } };
};

/** The journal's entry of a run that starts. */
const startedEntry = ({ portable, dataset, spec, weightsHash }: RunIdentity): Record<string, unknown> => ({
  spec: portable,
  dataset: { name: dataset.name, hash: dataset.hash, from: sourceOf(spec.dataset) },
  weightsHash,
});

/** The images that the predictions of a run are of. */
const evaluatedImages = ({ dataset: { test, classes }, spec: { evaluateOn } }: RunIdentity) => ({
  labels: Int32Array.from(test, ({ label }) => label),
  files: test.map(({ file }) => file),
  classes: classes.length,
  classNames: classes,
  evaluatedOn: splitOf(evaluateOn),
});

/** The split whose accuracy a run reports. */
const splitOf = (evaluateOn: RunSpec['evaluateOn']): EvaluatedSplit => (evaluateOn === 'both' ? 'test' : evaluateOn);

/** What the record reports: the last epoch, or in three-way runs the test images at the best epoch on validation. */
function reportedOf(
  { evaluateOn }: RunSpec,
  epochs: readonly EpochRow[],
  isFailed: boolean,
): Pick<RunRecord, 'evaluatedOn' | 'top1' | 'bestEpoch'> {
  const evaluatedOn = splitOf(evaluateOn);
  if (isFailed) return { evaluatedOn, top1: NaN };
  if (evaluateOn !== 'both') return { evaluatedOn, top1: epochs[epochs.length - 1].top1 };
  const best = bestEpoch(epochs);
  return { evaluatedOn, top1: epochs[best - 1].test!.top1, bestEpoch: best };
}

/** Batches of evaluation. */
const EVALUATION = { train: false, batchSize: EVALUATION_BATCH };

/** The batch loaders of a run: they share its pixel cache, and are closed together. */
class Loaders {
  private readonly opened: BatchLoader[] = [];
  private cache: ReturnType<typeof openPixelCache> | undefined;

  constructor(
    private readonly run: RunIdentity,
    private readonly options: ExecuteOptions,
  ) {}

  async open(samples: Dataset['train'], how: { train: boolean; batchSize: number }): Promise<BatchLoader> {
    const { dataset, spec } = this.run;
    const { onProgress, signal } = this.options;
    this.cache ??= openPixelCache(dataset, { shortSide: spec.resizeSize, onProgress, signal });
    const loader = new BatchLoader(await this.cache, samples, {
      ...how,
      imageSize: spec.imageSize,
      seed: spec.seed,
      augmentation: spec.augmentation,
      sampling: spec.sampling,
    });
    this.opened.push(loader);
    return loader;
  }

  async close(): Promise<void> {
    await Promise.all(this.opened.map((loader) => loader.close()));
  }
}

/** The prepared arrays of each regularizer of the run that has any, cached by everything they depend on. */
async function preparedParts(
  { dataset, spec }: RunIdentity,
  backbone: Backbone,
  loaders: Loaders,
  options: ExecuteOptions,
): Promise<(Prepared | undefined)[]> {
  const trainImages = async (count: number): Promise<Batch> => {
    const perClass = Math.max(1, Math.round(count / dataset.classes.length));
    const samples = limitPerClass(dataset.train, perClass, LIMIT_SEED);
    const loader = await loaders.open(samples, { train: false, batchSize: samples.length });
    for await (const batch of loader.epoch(0, options))
      return { ...batch, images: batch.images.slice(), labels: batch.labels.slice() };
    throw new Error('a loader has at least one batch');
  };
  const all: (Prepared | undefined)[] = [];
  for (const part of spec.regularizers) {
    const { body, version } = regularizers.get(part.name);
    const key = {
      part,
      version,
      numerics: KIT_NUMERICS,
      data: dataset.hash,
      weights: backbone.weightsHash,
      imageSize: spec.imageSize,
      resizeSize: spec.resizeSize,
      limits: spec.limits,
      evaluateOn: spec.evaluateOn,
      ...(spec.fold === null ? {} : { fold: spec.fold }),
    };
    const context = { ...options, backbone, imageSize: spec.imageSize, trainImages };
    const guest = regularizers.isBuiltIn(part.name) ? undefined : { name: part.name, code: String(body.prepare) };
    all.push(body.prepare && (await preparedArrays(key, () => body.prepare!(part as never, context), guest)));
  }
  return all;
}

/** The rows of `run`. If it diverges: the rows before, and the failure. */
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
