// The two steps of a run as one compiled program, and how its numbers are read.
import { compile, graphOf, type CompileOptions, type Program } from '../engine/compile';
import type { Graph } from '../engine/graph/shapes';
import { tf, type TF } from '../engine/tensorflow';
import type { EvaluateArguments, EvaluateOutputs, Steps, TrainArguments, TrainOutputs } from './step';
import type { BatchSource, Evaluated } from './train-state';

/** A compiled program of a training step and an evaluation step. */
export type CompiledSteps = Program<{
  train: { args: object; run(args: TrainArguments): TrainOutputs };
  evaluate: { args: object; run(args: EvaluateArguments): EvaluateOutputs };
}>;

/** Compiles one version of each step for every batch size. */
export async function compileSteps(
  steps: Steps,
  imageSize: number,
  trainSizes: readonly number[],
  testSizes: readonly number[],
  options: CompileOptions = {},
): Promise<CompiledSteps> {
  // Runs that differ in their seed or their resets alone have the same graph.
  return compile(functionsOf(steps, imageSize, trainSizes, testSizes), steps.variables, {
    precision: steps.precision,
    reuse: true,
    ...options,
  });
}

/** The graph of `compileSteps`, without loading it into TensorFlow. */
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
        maskSeed: { shape: steps.tricks > 1 ? [steps.tricks, 2] : [2], dtype: 'int32' as const },
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
): Promise<Evaluated> {
  const sum = { images: 0, crossEntropy: 0, correct: 0 };
  const rows: Float32Array[] = [];
  for await (const { images, labels, size } of batches.epoch(0, { signal })) {
    await letOthersRun(signal);
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

/** The numbers of scalar tensors. The tensors are disposed. */
export function scalars<K extends string>(tensors: Record<K, TF.Scalar>): Record<K, number> {
  const numbers = Object.fromEntries(
    Object.entries<TF.Scalar>(tensors).map(([name, tensor]) => [name, tensor.dataSync()[0]]),
  );
  tf.dispose(tensors);
  return numbers as Record<K, number>;
}

/** The values of tensors. The tensors are disposed. */
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

/** Lets signals, timers and workers run between two blocking calls. @throws the signal's reason when it is aborted. */
export async function letOthersRun(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

const distinct = (sizes: readonly number[]): number[] => [...new Set(sizes)];
