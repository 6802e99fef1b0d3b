// Checks of extensions that run inside the training step: tricks, regularizers, optimizers.
import { buildResNet, type ResNetOptions } from '../../backbones/families/resnet';
import { KitError } from '../../base/errors';
import { randomStream } from '../../base/random';
import type { Batch } from '../../data/batches/batches';
import { graphDigest } from '../../engine/graph/digest';
import type { Graph } from '../../engine/graph/shapes';
import { tf, type TF } from '../../engine/tensorflow';
import { compileSteps, graphOfSteps, valuesOf, type CompiledSteps } from '../compiled-steps';
import { maskSeed } from '../mask-seed';
import { regularizers, type Prepared } from '../regularizers/regularizer';
import type { RunSpec } from '../spec/spec';
import { makeSteps, type Steps } from '../step';
import { notFinite, notPure, type Subject } from './subject';

/** A network that takes milliseconds a step, and seconds to compile. */
const TINY: ResNetOptions = { block: 'basic', layers: [1, 1], width: 8, classes: 3 };

/** Side of its images, pixels. */
const SIZE = 32;

/** Steps that compiled and eager code are compared over. */
const STEPS = 2;

/** Seeds that are tried until a random trick changes the loss: rare changes of labels need many. */
const SEEDS = 100;

/** Relative difference that rounding may make between compiled and eager steps. */
const TOLERANCE = 1e-3;

/** Runs a spec with the extension in it on a tiny network. */
export async function checkStep(subject: Subject, spec: RunSpec): Promise<string[]> {
  const prepared = await prepare(subject, spec);
  const isRandom = await onTiny(spec, prepared, async (steps) => {
    let nodes: Graph['nodes'] = [];
    const onGraph = (graph: Graph): void => void ({ nodes } = graph);
    const program = await compileSteps(steps, SIZE, [spec.batchSize], [], { reuse: false, onGraph });
    try {
      const again = onTiny(spec, prepared, (others) => graphOfSteps(others, SIZE, [spec.batchSize], []));
      if (graphDigest(nodes) !== graphDigest(again.nodes)) throw notPure(subject, 'another graph');
      checkNumbers(subject, spec, steps, program);
      const draws = nodes.some(({ op }) => /Random|Multinomial/.test(op));
      checkDraws(subject, spec, program, draws);
      return draws;
    } finally {
      program.dispose();
    }
  });
  return [
    'the code is recorded, the same each time',
    'compiled steps equal eager ones, and are finite',
    'a resumed run gets the same bits',
    ...(isRandom ? ['random numbers differ from step to step'] : []),
  ];
}

/** The arrays that regularizers prepare, on a few images. */
async function prepare(subject: Subject, spec: RunSpec): Promise<(Prepared | undefined)[]> {
  const backbone = buildResNet(TINY, null);
  try {
    const all: (Prepared | undefined)[] = [];
    for (const part of spec.regularizers) {
      const { body } = regularizers.get(part.name);
      const trainImages = (count: number) => Promise.resolve(batchOf(Math.min(count, 8), 0));
      const arrays = await body.prepare?.(part as never, { backbone, imageSize: SIZE, trainImages });
      for (const [name, array] of Object.entries(arrays ?? {})) {
        if (!(array instanceof Float32Array))
          throw new KitError(`The ${subject.kind} "${subject.name}" prepares "${name}", which is no Float32Array.`, {
            code: 'EXTENSION_SHAPE',
            fix: 'Return arrays of numbers by name: `Float32Array.from(...)`.',
          });
        if (!array.every(Number.isFinite)) throw notFinite(subject, `a value of the prepared array "${name}"`);
      }
      all.push(arrays);
    }
    return all;
  } finally {
    backbone.dispose();
  }
}

/** Compiled steps against eager ones; and the last of them again, from the state that a checkpoint holds. */
function checkNumbers(subject: Subject, spec: RunSpec, steps: Steps, program: CompiledSteps): void {
  for (let index = 0; index < STEPS; index++) {
    const args = argumentsOf(spec, index, 1e-3);
    const state = valuesOf(program.read(steps.changing));
    const found = valuesOf(program.train(args));
    if (!found.loss.every(Number.isFinite)) throw notFinite(subject, 'a loss');
    const values = valuesOf(program.read(steps.changing));
    for (const name of steps.changing)
      if (!values[name].every(Number.isFinite)) throw notFinite(subject, `a value of the variable "${name}"`);
    program.write(state);
    if (!same(found, valuesOf(program.train(args))) || !same(values, valuesOf(program.read(steps.changing))))
      throw new KitError(`The ${subject.kind} "${subject.name}" computes other numbers after a run is resumed.`, {
        code: 'EXTENSION_RESUME',
        fix: 'Keep all state in the slots of an optimizer, and draw all random numbers from the given seed.',
      });
    const eager = tf.tidy(() => valuesOf(steps.train(tensorsOf(args))));
    requireNear(subject, `the loss of step ${index + 1}`, found.loss, eager.loss);
    for (const name of steps.changing)
      requireNear(subject, `the variable "${name}"`, values[name], steps.variables[name].dataSync<'float32'>());
  }
}

/** Whether the step draws as it must: one seed gives one loss, and some other seed another one. */
function checkDraws(subject: Subject, spec: RunSpec, program: CompiledSteps, draws: boolean): void {
  if (!draws) return;
  const args = argumentsOf(spec, 0, 0);
  const lossWith = (index: number): number =>
    valuesOf(program.train({ ...args, maskSeed: maskSeed(spec, 0, index) })).loss[0];
  const first = lossWith(0);
  for (let index = 1; index < SEEDS; index++) if (lossWith(index) !== first) return;
  throw new KitError(`The ${subject.kind} "${subject.name}" draws the same random numbers in every step.`, {
    code: 'EXTENSION_SEED',
    fix: 'Give the `seed` of the step to each op that draws, with a number added where a step draws twice.',
  });
}

/** Calls `use` with the steps of `spec` on a tiny network, and frees both. */
function onTiny<R>(spec: RunSpec, prepared: readonly (Prepared | undefined)[], use: (steps: Steps) => R): R {
  const backbone = buildResNet(TINY, null);
  let steps: Steps | undefined;
  const free = (): void => {
    steps?.dispose();
    backbone.dispose();
  };
  let result: R;
  try {
    steps = makeSteps(spec, backbone, { prepared });
    result = use(steps);
  } catch (error) {
    free();
    throw error;
  }
  if (result instanceof Promise) return result.finally(free) as R;
  free();
  return result;
}

/** Images and labels, the same for the same `index`. */
function batchOf(size: number, index: number): Batch {
  const stream = randomStream(0, 'check', index);
  return {
    images: Uint8Array.from({ length: size * SIZE * SIZE * 3 }, () => stream.integer(256)),
    labels: Int32Array.from({ length: size }, (_, i) => i % TINY.classes),
    size,
    index,
    count: 1,
  };
}

function argumentsOf(spec: RunSpec, index: number, rate: number) {
  const { images, labels } = batchOf(spec.batchSize, index);
  return { images, labels, learningRate: rate, headLearningRate: rate, maskSeed: maskSeed(spec, 0, index) };
}

/** The arguments of a step as eager code sees them. */
const tensorsOf = ({ images, labels, maskSeed: seed, ...rates }: ReturnType<typeof argumentsOf>) => ({
  images: tf.tensor4d(Int32Array.from(images), [labels.length, SIZE, SIZE, 3], 'int32'),
  labels: tf.tensor1d(labels, 'int32'),
  learningRate: tf.scalar(rates.learningRate),
  headLearningRate: tf.scalar(rates.headLearningRate),
  maskSeed: tf.tensor(seed, seed.length > 2 ? [seed.length / 2, 2] : [2], 'int32') as TF.Tensor,
});

/** Whether two sets of arrays have the same bits. */
const same = (a: Record<string, ArrayLike<number>>, b: Record<string, ArrayLike<number>>): boolean =>
  Object.entries(a).every(([name, values]) => Array.from(values).every((value, i) => Object.is(value, b[name][i])));

/** @throws KitError when two arrays differ by more than rounding. */
export function requireNear(
  { kind, name }: Subject,
  what: string,
  compiled: ArrayLike<number>,
  eager: ArrayLike<number>,
): void {
  const norm = (values: number[]): number => Math.hypot(...values);
  const found = Array.from(compiled);
  const off = norm(found.map((value, i) => value - eager[i]));
  if (off <= TOLERANCE * Math.max(norm(found), 1e-3)) return;
  throw new KitError(`In the ${kind} "${name}", compiled and eager code differ: ${what} is off by ${off}.`, {
    code: 'EXTENSION_COMPILED',
    fix: 'Compute with tensors alone: what JavaScript computes is recorded once and stays for all steps.',
  });
}
