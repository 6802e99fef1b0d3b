// The trainer: one run of a spec on a backbone and two streams of batches, read from top to bottom.
import { compile, graphOf, type CompileOptions, type Program } from '../engine/compile';
import { KitError } from '../base/errors';
import { collectGarbage } from '../engine/garbage';
import { randomStream } from '../base/random';
import { estimateMemory, freeMemory, requireMemory } from '../engine/graph/memory-estimate';
import type { OnProgress } from '../base/progress';
import type { Graph } from '../engine/graph/shapes';
import { tf, type TF } from '../engine/tensorflow';
import type { Batch } from '../data/batches/batches';
import type { Backbone } from '../backbones/backbone';
import type { ChannelWeights } from './regularizers/channel-weights';
import { LayerRecorder, type LayerRow, type LayerSums } from './layer-rows';
import { resetHead, timetable } from './resets/rifle';
import { headLearningRate, learningRate } from './schedule';
import type { RunSpec } from './spec';
import {
  makeSteps,
  type EvaluateArguments,
  type EvaluateOutputs,
  type Steps,
  type TrainArguments,
  type TrainOutputs,
} from './step';

/** Where the trainer's batches come from: `BatchLoader`, or anything that gives the same. */
export interface BatchSource {
  /** Sizes of the batches of an epoch, in order. */
  readonly batchSizes: readonly number[];
  /** The batches of `epoch` (0-based), in order, beginning with that of index `from` (default 0). */
  epoch(epoch: number, options?: { signal?: AbortSignal; from?: number }): AsyncIterable<Batch>;
  /** Seconds that the consumer has waited so far. */
  readonly waitedSeconds: number;
}

/** The numbers of one epoch. */
export interface EpochRow {
  /** 1-based. */
  epoch: number;
  /** Mean over the epoch's training images of cross entropy plus regulariser, natural log. */
  trainLoss: number;
  /** Mean cross entropy alone. */
  trainCrossEntropy: number;
  /** Fraction of training images (as augmented, network in training mode) classified right, in [0, 1]. */
  trainTop1: number;
  /** Which images `loss` and `top1` were measured on. */
  evaluatedOn: RunSpec['evaluateOn'];
  /** Mean cross entropy over the evaluated images, network in evaluation mode. */
  loss: number;
  /** Fraction of the evaluated images classified right, in [0, 1]; one centre crop. */
  top1: number;
  /** Learning rate of the trunk in this epoch. */
  learningRate: number;
  /** Learning rate of the head in this epoch. */
  headLearningRate: number;
  /** Whether the head was re-initialised after this epoch's evaluation. */
  headReset: boolean;
  /** Seconds in training, waiting for batches included. */
  trainSeconds: number;
  /** Seconds in evaluation. */
  evaluateSeconds: number;
  /** Seconds that training waited for batches. */
  dataWaitSeconds: number;
  /** Training images per second. */
  imagesPerSecond: number;
}

/** Moments at which an observer may look at the program's variables. */
export type Moment = 'start' | 'epoch' | 'before-reset' | 'after-reset';

/** Sums over the steps of the present epoch; images, but for the seconds. */
export interface EpochSums {
  images: number;
  loss: number;
  crossEntropy: number;
  correct: number;
  trainSeconds: number;
  dataWaitSeconds: number;
}

/** All that a run has become so far: with the spec and the pretrained weights it decides every bit of what follows. */
export interface TrainState {
  /** Complete epochs, their reset of the head included. */
  epoch: number;
  /** Steps of the next epoch that are done; all of them when its evaluation is still to come. */
  step: number;
  /** Of the complete epochs. */
  rows: EpochRow[];
  layerRows: LayerRow[];
  /** Of the next epoch, over the steps that are done. */
  sums: EpochSums;
  layerSums: LayerSums;
  /** The last loss; null before the first step. */
  lastLoss: number | null;
  /** Values of everything that training changes: parameters and statistics by name, and `momentum/<name>`. */
  variables: Record<string, Float32Array>;
}

/** Where in a run something happens: after a step, after an epoch, or when it was stopped. */
export type StateMoment = 'step' | 'epoch' | 'stopped';

/** What may be watched, and stopped, and gone on with. */
export interface TrainOptions {
  /** Stops the run before its next step. */
  signal?: AbortSignal;
  /** Goes on from here, to the same bits as without the break. Default: from the beginning. */
  from?: TrainState;
  /**
   * Called after every step and every epoch, and when the run is stopped; may take the state of that moment, and is
   * waited for.
   */
  onState?: (moment: StateMoment, state: () => TrainState) => Promise<void> | void;
  onProgress?: OnProgress;
  /**
   * Bytes of memory that the steps may take: the run is refused before its first step when they do not fit. Default:
   * what the machine has free.
   */
  memoryLimit?: number;
  /** Name of the run in progress reports. Default `'train'`. */
  title?: string;
  onEpoch?: (row: EpochRow) => void;
  /**
   * Called after the evaluation of each epoch (1-based), before `onEpoch`, with the logits of the evaluated images:
   * [images, classes], in the order of the batches.
   */
  onEvaluated?: (epoch: number, logits: Float32Array, top1: number) => void;
  /** Of DELTA, see `findChannelWeights`. Default: all channels of a stage weigh the same. */
  channelWeights?: ChannelWeights;
  /**
   * Called with the epochs finished and a reader of all variables (parameters and statistics by name,
   * `momentum/<name>`).
   */
  observe?: (moment: Moment, epoch: number, read: Program<object>['read']) => void;
}

type CompiledSteps = Program<{
  train: { args: object; run(args: TrainArguments): TrainOutputs };
  evaluate: { args: object; run(args: EvaluateArguments): EvaluateOutputs };
}>;

/** What a run of the trainer gives. */
export interface Trained {
  epochs: EpochRow[];
  layers: LayerRow[];
}

/** A run whose loss is no longer a number: where it happened, and what there was before. */
export class DivergedError extends KitError {
  constructor(
    /** 1-based epoch. */
    readonly epoch: number,
    /** The last loss that was a number; null when there was none. */
    readonly lastLoss: number | null,
    loss: number,
    rate: number,
    /** The rows of the epochs before. */
    readonly before: Trained,
  ) {
    super(`The loss became ${loss} in epoch ${epoch}: the run has diverged at a learning rate of ${rate}.`, {
      fix: 'Lower the learning rate.',
    });
  }
}

/**
 * The seed [2] int32 of the masks of step `index` (0-based) of `epoch`: of its own for each trick, the same whenever
 * that step is taken.
 */
export function maskSeed(spec: Pick<RunSpec, 'seed' | 'trick'>, epoch: number, index: number): Int32Array {
  const stream = randomStream(spec.seed, spec.trick.name, epoch, index);
  return Int32Array.of(stream.integer(2 ** 31), stream.integer(2 ** 31));
}

/**
 * Fine-tunes `backbone` as `spec` says and gives the rows of its epochs and layers. The backbone's own variables keep
 * their values: training
 * happens in the compiled program.
 * @param imageSize side of the batches' images, pixels.
 * @throws the signal's reason when stopped; KitError when the memory does not hold a step; DivergedError when the loss
 *   is no longer a number.
 */
export async function train(
  spec: RunSpec,
  backbone: Backbone,
  imageSize: number,
  trainBatches: BatchSource,
  testBatches: BatchSource,
  options: TrainOptions = {},
): Promise<Trained> {
  const {
    signal,
    onProgress,
    onEpoch,
    onEvaluated,
    observe,
    onState,
    channelWeights,
    from,
    memoryLimit = freeMemory(),
    title = 'train',
  } = options;
  const { epochs, period, resets } = timetable(spec);
  if (from !== undefined && from.epoch >= epochs) return { epochs: from.rows, layers: from.layerRows };
  const trainSteps = trainBatches.batchSizes.length;
  const stepsPerEpoch = trainSteps + testBatches.batchSizes.length;
  let done = from === undefined ? 0 : from.epoch * stepsPerEpoch + from.step;
  const progress = (detail: string, steps = 1) =>
    onProgress?.({ task: title, done: (done += steps), total: epochs * stepsPerEpoch, unit: 'steps', detail });

  const requireRoom = (graph: Graph): void =>
    requireMemory(estimateMemory(graph, [...trainBatches.batchSizes, ...testBatches.batchSizes]), memoryLimit);

  progress('compiling', 0);
  await breathe(signal); // lets a bar appear before the first long call
  const steps = makeSteps(spec, backbone, { channelWeights });
  // The program has variables of its own: what the steps began with is freed at once.
  const program = await compileSteps(steps, imageSize, trainBatches.batchSizes, testBatches.batchSizes, {
    onGraph: requireRoom,
  }).finally(() => steps.dispose());
  collectGarbage();
  const rows: EpochRow[] = [...(from?.rows ?? [])];
  const layers = new LayerRecorder(
    backbone,
    steps.parameterNames,
    from && { rows: from.layerRows, sums: from.layerSums },
  );
  let sums: EpochSums = { ...(from?.sums ?? NO_SUMS) };
  let [step, lastLoss] = [from?.step ?? 0, from?.lastLoss ?? null];
  const state = (): TrainState => ({
    epoch: rows.length,
    step,
    rows: [...rows],
    layerRows: [...layers.rows],
    sums: { ...sums },
    layerSums: layers.sums(),
    lastLoss,
    variables: valuesOf(program.read(steps.changing)),
  });
  const diverged = (loss: number, rate: number) =>
    new DivergedError(rows.length + 1, lastLoss, loss, rate, { epochs: rows, layers: layers.rows });
  try {
    if (from === undefined) observe?.('start', 0, program.read);
    else program.write(requireAll(from.variables, steps.changing));
    for (let epoch = rows.length; epoch < epochs; epoch++) {
      // --- train -----------------------------------------------------------------------------------------------------
      const rates = {
        learningRate: learningRate(spec, spec.optimizer.learningRate, epoch, epochs),
        headLearningRate: headLearningRate(spec, epoch, epochs, period),
      };
      let [began, waited] = [performance.now(), trainBatches.waitedSeconds];
      if (step < trainSteps) {
        for await (const { images, labels, size, index } of trainBatches.epoch(epoch, { signal, from: step })) {
          await breathe(signal);
          const { squaredNorms, ...outputs } = program.train({
            images,
            labels,
            ...rates,
            maskSeed: maskSeed(spec, epoch, index),
          });
          const { loss, crossEntropy, correct } = scalars(outputs);
          layers.step(squaredNorms.dataSync<'float32'>());
          squaredNorms.dispose();
          if (!Number.isFinite(loss)) throw diverged(loss, rates.learningRate);
          lastLoss = loss;
          step = index + 1;
          const [now, waitedNow] = [performance.now(), trainBatches.waitedSeconds];
          sums = {
            images: sums.images + size,
            loss: sums.loss + loss * size,
            crossEntropy: sums.crossEntropy + crossEntropy * size,
            correct: sums.correct + correct,
            trainSeconds: sums.trainSeconds + (now - began) / 1000,
            dataWaitSeconds: sums.dataWaitSeconds + (waitedNow - waited),
          };
          progress(
            `epoch ${epoch + 1}/${epochs}  loss ${loss.toFixed(3)}  train ${percent(sums.correct / sums.images)}${rows.length > 0 ? `  test ${percent(rows[rows.length - 1].top1)}` : ''}`,
          );
          await onState?.('step', state);
          [began, waited] = [performance.now(), waitedNow]; // what was done with the state is no training
        }
      }

      // --- evaluate --------------------------------------------------------------------------------------------------
      const evaluateBegan = performance.now();
      const test = await evaluate(program.evaluate, testBatches, {
        signal,
        onBatch: () => progress(`epoch ${epoch + 1}/${epochs}  evaluating`),
      });
      if (!Number.isFinite(test.loss)) throw diverged(test.loss, rates.learningRate);

      // --- re-initialise the head ------------------------------------------------------------------------------------
      const headReset = resets.includes(epoch + 1);
      const { images, trainSeconds, dataWaitSeconds } = sums;
      const row: EpochRow = {
        epoch: epoch + 1,
        trainLoss: sums.loss / images,
        trainCrossEntropy: sums.crossEntropy / images,
        trainTop1: sums.correct / images,
        evaluatedOn: spec.evaluateOn,
        loss: test.loss,
        top1: test.top1,
        ...rates,
        headReset,
        trainSeconds,
        evaluateSeconds: (performance.now() - evaluateBegan) / 1000,
        dataWaitSeconds,
        imagesPerSecond: images / trainSeconds,
      };
      rows.push(row);
      layers.epoch(epoch + 1, program.read(steps.parameterNames));
      onEvaluated?.(epoch + 1, test.logits, test.top1);
      onEpoch?.(row);
      observe?.('epoch', epoch + 1, program.read);
      if (headReset) {
        observe?.('before-reset', epoch + 1, program.read);
        program.write(headAfterReset(spec, backbone, epoch + 1, program.read));
        observe?.('after-reset', epoch + 1, program.read);
      }
      [step, sums] = [0, { ...NO_SUMS }];
      await onState?.('epoch', state);
    }
    return { epochs: rows, layers: layers.rows };
  } catch (error) {
    // Whatever waits for the signal stands between two steps: the state is whole.
    if (signal?.aborted) await onState?.('stopped', state);
    throw error;
  } finally {
    program.dispose();
  }
}

const NO_SUMS: EpochSums = { images: 0, loss: 0, crossEntropy: 0, correct: 0, trainSeconds: 0, dataWaitSeconds: 0 };

/** Compiles a version of each step for every size of batch that it will meet. */
export async function compileSteps(
  steps: Steps,
  imageSize: number,
  trainSizes: readonly number[],
  testSizes: readonly number[],
  options: CompileOptions = {},
): Promise<CompiledSteps> {
  // Seeds share a graph, and so do a method and the same with RIFLE.
  return compile(functionsOf(steps, imageSize, trainSizes, testSizes), steps.variables, {
    precision: steps.precision,
    reuse: true,
    ...options,
  });
}

/** The graph that `compileSteps` loads. */
export const graphOfSteps = (
  steps: Steps,
  imageSize: number,
  trainSizes: readonly number[],
  testSizes: readonly number[],
): Graph =>
  graphOf(functionsOf(steps, imageSize, trainSizes, testSizes), steps.variables, { precision: steps.precision });

function functionsOf(steps: Steps, imageSize: number, trainSizes: readonly number[], testSizes: readonly number[]) {
  const batch = (size: number) => ({
    images: { shape: [size, imageSize, imageSize, 3], dtype: 'uint8' as const },
    labels: { shape: [size], dtype: 'int32' as const },
  });
  const scalar = { shape: [], dtype: 'float32' as const };
  return {
    train: {
      args: distinct(trainSizes).map((size) => ({
        ...batch(size),
        learningRate: scalar,
        headLearningRate: scalar,
        maskSeed: { shape: [2], dtype: 'int32' as const },
      })),
      run: (args: TrainArguments) => steps.train(args),
    },
    evaluate: { args: distinct(testSizes).map(batch), run: (args: EvaluateArguments) => steps.evaluate(args) },
  };
}

/**
 * Mean cross entropy and top-1 of a compiled evaluation step over all of `batches`, and the logits [images, classes] in
 * their order.
 */
export async function evaluate(
  step: CompiledSteps['evaluate'],
  batches: BatchSource,
  { signal, onBatch }: { signal?: AbortSignal; onBatch?: () => void } = {},
): Promise<{ loss: number; top1: number; logits: Float32Array }> {
  const sum = { images: 0, crossEntropy: 0, correct: 0 };
  const rows: Float32Array[] = [];
  for await (const { images, labels, size } of batches.epoch(0, { signal })) {
    await breathe(signal);
    const { logits, ...sums } = step({ images, labels });
    rows.push(logits.dataSync<'float32'>());
    logits.dispose();
    const { crossEntropy, correct } = scalars(sums);
    sum.images += size;
    sum.crossEntropy += crossEntropy;
    sum.correct += correct;
    onBatch?.();
  }
  return { loss: sum.crossEntropy / sum.images, top1: sum.correct / sum.images, logits: joined(rows) };
}

/** `variables`, when they are those named. @throws KitError for a state of another network or another kit. */
function requireAll(variables: TrainState['variables'], names: readonly string[]): TrainState['variables'] {
  const missing = names.find((name) => !Object.hasOwn(variables, name));
  if (missing !== undefined)
    throw new KitError(`The state to go on from has no variable "${missing}": it is of another run.`, {
      fix: 'Begin the run anew.',
    });
  return variables;
}

/**
 * The variables that a reset writes: the head's new values (or, as noise, added to its present ones, which it reads),
 * and zeros for its momentum where the spec says so.
 */
function headAfterReset(
  spec: RunSpec,
  backbone: Backbone,
  epoch: number,
  read: Program<object>['read'],
): Record<string, Float32Array> {
  const { weight, bias } = backbone.record.head;
  const values = resetHead(spec.rifle!, spec.seed, epoch, backbone.record.featureSize, backbone.classes);
  const named = {
    ...(values.weight ? { [weight]: values.weight } : {}),
    ...(values.bias ? { [bias]: values.bias } : {}),
  };
  if (spec.rifle!.draw === 'add') {
    for (const [name, old] of Object.entries(valuesOf(read(Object.keys(named)))))
      old.forEach((value, i) => (named[name][i] += value));
  }
  const still = Object.entries(named).map(([name, value]) => [`momentum/${name}`, new Float32Array(value.length)]);
  return spec.rifle!.clearMomentum ? { ...named, ...Object.fromEntries(still) } : named;
}

/** The numbers of scalar tensors, which are disposed. */
function scalars<K extends string>(tensors: Record<K, TF.Scalar>): Record<K, number> {
  const numbers = Object.fromEntries(
    Object.entries<TF.Scalar>(tensors).map(([name, tensor]) => [name, tensor.dataSync()[0]]),
  );
  tf.dispose(tensors);
  return numbers as Record<K, number>;
}

/** The values of tensors, which are disposed. */
export function valuesOf(tensors: Record<string, TF.Tensor>): Record<string, Float32Array> {
  const values = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]),
  );
  tf.dispose(tensors);
  return values;
}

/** The values of all parts, one after another. */
function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

/** Lets signals, timers and workers have their turn between two calls that block. */
async function breathe(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

const distinct = (sizes: readonly number[]): number[] => [...new Set(sizes)];
const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
