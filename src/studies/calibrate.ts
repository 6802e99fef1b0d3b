// How long a run will take, from a few steps of it: what a sweep's estimate stands on where nothing like it was run
// before.
import { backbones } from '../backbones/backbone';
import { tf, type TF } from '../engine/tensorflow';
import type { RunSpec } from '../transfer/spec/spec';
import { makeSteps } from '../transfer/step';
import { compileSteps } from '../transfer/compiled-steps';
import { EVALUATION_BATCH } from '../data/batches/batches';

/** Measured paces of one kind of run. */
export interface Pace {
  /** Seconds before the first step: weights and compiling. */
  setUp: number;
  /** Seconds per image. */
  train: number;
  evaluate: number;
}

/** Steps that are timed, after one that is not. */
const STEPS = 3;

/** Measures `spec` on images of zeros, with random weights and `classes` outputs: neither changes the pace. */
export async function calibrate(spec: RunSpec, classes: number): Promise<Pace> {
  const began = performance.now();
  const { inputSize } = backbones.get(spec.backbone);
  const size = spec.imageSize ?? inputSize;
  const backbone = await backbones.load(spec.backbone, { classes, weights: 'random', seed: spec.seed });
  const steps = makeSteps(spec, backbone);
  try {
    const program = await compileSteps(steps, size, [spec.batchSize], [EVALUATION_BATCH]);
    const setUp = (performance.now() - began) / 1000;
    const time = (batch: number, step: () => Record<string, TF.Tensor>): number => {
      tf.dispose(step());
      const start = performance.now();
      for (let i = 0; i < STEPS; i++) tf.dispose(step());
      return (performance.now() - start) / 1000 / STEPS / batch;
    };
    const images = (batch: number) => ({
      images: new Uint8Array(batch * size * size * 3),
      labels: new Int32Array(batch),
    });
    const [few, many] = [images(spec.batchSize), images(EVALUATION_BATCH)];
    try {
      return {
        setUp,
        train: time(spec.batchSize, () =>
          program.train({ ...few, learningRate: 1e-6, headLearningRate: 1e-6, maskSeed: new Int32Array(2) }),
        ),
        evaluate: time(EVALUATION_BATCH, () => program.evaluate(many)),
      };
    } finally {
      program.dispose();
    }
  } finally {
    steps.dispose();
    backbone.dispose();
  }
}
