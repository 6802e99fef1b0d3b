// The trainer: one run of a spec on a backbone and two streams of batches, read from top to bottom.
import type { Backbone } from '../backbones/backbone';
import { KitError } from '../base/errors';
import { collectGarbage } from '../engine/garbage';
import { estimateMemory, freeMemory, requireMemory } from '../engine/graph/memory-estimate';
import type { Graph } from '../engine/graph/shapes';
import { compileSteps, evaluate, letOthersRun, scalars, valuesOf } from './compiled-steps';
import { LayerRecorder } from './layer-rows';
import { maskSeed } from './mask-seed';
import { changesWithinEpoch, ratesAt } from './rates';
import { resetValues, timetable } from './resets/reset';
import type { RunSpec } from './spec/spec';
import { makeSteps } from './step';
import {
  DivergedError,
  isOver,
  type BatchSource,
  type EpochRow,
  type EpochSums,
  type Evaluated,
  type Trained,
  type TrainOptions,
  type TrainState,
} from './train-state';

/**
 * Fine-tunes `backbone` according to `spec` and returns the rows of its epochs and layers. The compiled program has its
 * own variables: the backbone's variables keep their values.
 * @param imageSize side of the batches' images, pixels.
 * @throws the signal's reason when stopped; KitError when a step does not fit into memory; DivergedError when the loss
 *   is not finite.
 */
export async function train(
  spec: RunSpec,
  backbone: Backbone,
  imageSize: number,
  trainBatches: BatchSource,
  evaluationBatches: BatchSource,
  options: TrainOptions = {},
): Promise<Trained> {
  const {
    signal,
    onProgress,
    onEpoch,
    onGraph,
    onEvaluated,
    observe,
    onState,
    prepared,
    classWeights,
    testBatches,
    from,
    memoryLimit = freeMemory(),
    title = 'train',
  } = options;
  const { epochs, period, resets } = timetable(spec);
  if (from !== undefined && isOver(spec, epochs, from.rows)) return { epochs: from.rows, layers: from.layerRows };
  const trainSteps = trainBatches.batchSizes.length;
  const evaluationSizes = [evaluationBatches, ...(testBatches === undefined ? [] : [testBatches])].flatMap(
    ({ batchSizes }) => batchSizes,
  );
  const isEvaluated = (epoch: number): boolean => epoch % (spec.evaluateEvery ?? 1) === 0 || epoch === epochs;
  const stepsUpTo = (count: number): number =>
    count * trainSteps +
    Array.from({ length: count }, (_, i) => i + 1).filter(isEvaluated).length * evaluationBatches.batchSizes.length;
  const total = stepsUpTo(epochs);
  let done = from === undefined ? 0 : stepsUpTo(from.epoch) + from.step;
  const progress = (detail: string, steps = 1) =>
    onProgress?.({ task: title, done: (done += steps), total, unit: 'steps', detail });

  const checkGraph = (graph: Graph): void => {
    requireMemory(estimateMemory(graph, [...trainBatches.batchSizes, ...evaluationSizes]), memoryLimit);
    onGraph?.(graph);
  };

  progress('compiling', 0);
  await letOthersRun(signal); // a progress bar appears before the first long call
  const steps = makeSteps(spec, backbone, { prepared, classWeights });
  // The program has its own variables: the initial ones are freed at once.
  const program = await compileSteps(steps, imageSize, trainBatches.batchSizes, evaluationSizes, {
    onGraph: checkGraph,
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
  const afterReset = (epoch: number): Record<string, Float32Array> => {
    const read = (names: readonly string[]) => valuesOf(program.read(names));
    const { values, cleared } = resetValues({ reset: spec.reset!, seed: spec.seed }, backbone, epoch, read);
    const state = cleared.flatMap((name) => steps.stateOf(name)).filter((name) => steps.changing.includes(name));
    const zeros = Object.entries(read(state)).map(([name, { length }]) => [name, new Float32Array(length)]);
    return { ...values, ...Object.fromEntries(zeros) };
  };
  const diverged = (loss: number, rate: number) =>
    new DivergedError(rows.length + 1, lastLoss, loss, rate, { epochs: rows, layers: layers.rows });
  try {
    if (from === undefined) observe?.('start', 0, program.read);
    else program.write(requireAll(from.variables, steps.changing));
    for (let epoch = rows.length; !isOver(spec, epochs, rows); epoch++) {
      // --- train -----------------------------------------------------------------------------------------------------
      const rates = ratesAt(spec, { epoch, epochs, period, steps: trainSteps });
      const ratesOf = (step: number) =>
        changesWithinEpoch(spec) ? ratesAt(spec, { epoch, epochs, period, step, steps: trainSteps }) : rates;
      let [began, waited] = [performance.now(), trainBatches.waitedSeconds];
      if (step < trainSteps) {
        for await (const { images, labels, size, index } of trainBatches.epoch(epoch, { signal, from: step })) {
          await letOthersRun(signal);
          const { squaredNorms, ...outputs } = program.train({
            images,
            labels,
            ...ratesOf(index),
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
          const last = rows.filter((row) => isEvaluated(row.epoch)).at(-1);
          progress(
            `epoch ${epoch + 1}/${epochs}  loss ${loss.toFixed(3)}  train ${percent(sums.correct / sums.images)}` +
              (last === undefined ? '' : `  ${last.evaluatedOn} ${percent(last.top1)}`),
          );
          await onState?.('step', state);
          [began, waited] = [performance.now(), waitedNow]; // saving the state does not count as training
        }
      }

      // --- evaluate --------------------------------------------------------------------------------------------------
      const evaluateBegan = performance.now();
      const evaluated = async (batches: BatchSource, count: number): Promise<Evaluated> => {
        const onBatch = (): void => progress(`epoch ${epoch + 1}/${epochs}  evaluating`, count);
        const each = await evaluate(program.evaluate, batches, { signal, onBatch });
        if (!Number.isFinite(each.loss)) throw diverged(each.loss, rates.learningRate);
        return each;
      };
      const found = isEvaluated(epoch + 1) ? await evaluated(evaluationBatches, 1) : null;
      const isBest = found !== null && !rows.some((row) => row.top1 >= found.top1);
      const test = testBatches !== undefined && isBest ? await evaluated(testBatches, 0) : undefined;

      // --- reset -----------------------------------------------------------------------------------------------------
      const headReset = resets.includes(epoch + 1);
      const { images, trainSeconds, dataWaitSeconds } = sums;
      const row: EpochRow = {
        epoch: epoch + 1,
        trainLoss: sums.loss / images,
        trainCrossEntropy: sums.crossEntropy / images,
        trainTop1: sums.correct / images,
        evaluatedOn: spec.evaluateOn === 'test' ? 'test' : 'validation',
        loss: found?.loss ?? NaN,
        top1: found?.top1 ?? NaN,
        ...(test === undefined ? {} : { test: { loss: test.loss, top1: test.top1 } }),
        ...rates,
        headReset,
        trainSeconds,
        evaluateSeconds: (performance.now() - evaluateBegan) / 1000,
        dataWaitSeconds,
        imagesPerSecond: images / trainSeconds,
      };
      rows.push(row);
      layers.epoch(epoch + 1, program.read(steps.parameterNames));
      if (found !== null) onEvaluated?.(epoch + 1, found.logits, found.top1, test);
      onEpoch?.(row, spec);
      observe?.('epoch', epoch + 1, program.read);
      if (headReset) {
        observe?.('before-reset', epoch + 1, program.read);
        program.write(afterReset(epoch + 1));
        observe?.('after-reset', epoch + 1, program.read);
      }
      [step, sums] = [0, { ...NO_SUMS }];
      await onState?.('epoch', state);
    }
    return { epochs: rows, layers: layers.rows };
  } catch (error) {
    // Every place that checks the signal is between two steps: the state is complete.
    if (signal?.aborted) await onState?.('stopped', state);
    throw error;
  } finally {
    program.dispose();
  }
}

const NO_SUMS: EpochSums = { images: 0, loss: 0, crossEntropy: 0, correct: 0, trainSeconds: 0, dataWaitSeconds: 0 };

/** Returns `variables`. @throws KitError when one of `names` is missing: the state is of another network or kit. */
function requireAll(variables: TrainState['variables'], names: readonly string[]): TrainState['variables'] {
  const missing = names.find((name) => !Object.hasOwn(variables, name));
  if (missing !== undefined)
    throw new KitError(`The saved state has no variable "${missing}". It belongs to another run.`, {
      code: 'TRAIN_STATE_MISMATCH',
      fix: 'Start the run from the beginning.',
    });
  return variables;
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
