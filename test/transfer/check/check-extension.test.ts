import assert from 'node:assert/strict';
import { forgetDefinitions } from '../../../src/base/definitions/registry';
import { KitError } from '../../../src/base/errors';
import { ops, tf } from '../../../src/engine';
import type { TF } from '../../../src/engine/tensorflow';
import {
  adamw,
  bss,
  checkExtension,
  type BackboneDefinition,
  type CheckedDefinition,
  constant,
  cosine,
  cyclicLr,
  defineAugmentation,
  defineOptimizer,
  defineRegularizer,
  defineReset,
  defineSchedule,
  defineTrick,
  delta,
  disturbLabel,
  dropConnect,
  dropout,
  flipCrop,
  l2sp,
  layersReset,
  noAugmentation,
  optimizerOptions,
  rifleReset,
  step,
  stochasticDepth,
  z,
} from '../../../src/extend';
import { squeezeNet } from '../../backbones/examples/squeezenet';
import { cutout, featureNorm, rewindHead, smoothing, warmup } from '../../extend/examples';

const NAME = 'bad/part';
let counter = 0;
let outside: TF.Scalar;

/** One bad extension of each sort: what is wrong, the code, and the definition. */
const bad: [what: string, code: string, define: () => CheckedDefinition | BackboneDefinition, op?: string][] = [
  [
    'captures a tensor',
    'COMPILE_CAPTURED',
    () => defineTrick({ name: NAME, create: () => ({ images: (images) => images.mul(outside) }) }),
    'Mul',
  ],
  [
    'draws with tf.randomUniform',
    'COMPILE_HOST_RANDOM',
    () => defineTrick({ name: NAME, create: () => ({ images: (x) => x.mul(tf.randomUniform(x.shape)) }) }),
    'randomUniform',
  ],
  [
    'draws in JavaScript',
    'EXTENSION_RANDOM',
    () => defineTrick({ name: NAME, create: () => ({ images: (images) => images.mul(Math.random()) }) }),
  ],
  [
    'reads data',
    'COMPILE_READS_DATA',
    () => defineTrick({ name: NAME, create: () => ({ images: (x) => x.mul(x.mean().dataSync()[0]) }) }),
  ],
  [
    'draws the same numbers in every step',
    'EXTENSION_SEED',
    () =>
      defineTrick({
        name: NAME,
        create: () => ({ images: (x) => x.mul(ops.statelessUniform(x.shape, tf.tensor1d([1, 2], 'int32'))) }),
      }),
  ],
  [
    'is async',
    'EXTENSION_ASYNC',
    () => defineTrick({ name: NAME, create: () => ({ images: ((x: tf.Tensor) => Promise.resolve(x)) as never }) }),
  ],
  [
    'is made asynchronously',
    'EXTENSION_ASYNC',
    () => defineRegularizer({ name: NAME, create: (() => Promise.resolve({})) as never }),
  ],
  [
    'returns NaN',
    'EXTENSION_NAN',
    () =>
      defineRegularizer({ name: NAME, create: () => ({ penalty: ({ forward }) => forward.logits.mean().mul(NaN) }) }),
  ],
  [
    'returns a wrong shape',
    'EXTENSION_SHAPE',
    () => defineRegularizer({ name: NAME, create: () => ({ penalty: ({ forward }) => forward.logits as never }) }),
  ],
  [
    'leaks a tensor',
    'EXTENSION_LEAK',
    () => defineRegularizer({ name: NAME, create: () => (tf.keep(tf.scalar(1)), {}) }),
  ],
  [
    'prepares numbers that are not finite',
    'EXTENSION_NAN',
    () => defineRegularizer({ name: NAME, prepare: () => Promise.resolve({ scale: Float32Array.of(1, NaN) }) }),
  ],
  [
    'has options that JSON changes',
    'EXTENSION_OPTIONS',
    () =>
      defineTrick({
        name: NAME,
        options: z.strictObject({ most: z.number().or(z.literal(Infinity)).default(Infinity) }),
      }),
  ],
  [
    'returns a direction of another shape',
    'EXTENSION_SHAPE',
    () =>
      defineOptimizer({
        name: NAME,
        options: z.strictObject(optimizerOptions),
        slots: [],
        update: (_, { gradient }) => ({ direction: gradient.mean(), slots: {} }),
      }),
  ],
  ['gives a rate that is no number', 'EXTENSION_NAN', () => defineSchedule({ name: NAME, factor: () => NaN })],
  ['gives random rates', 'EXTENSION_RANDOM', () => defineSchedule({ name: NAME, factor: () => Math.random() })],
  [
    'resets to random numbers of JavaScript',
    'EXTENSION_RANDOM',
    () =>
      defineReset({
        name: NAME,
        timetable: (_, epochs) => ({ epochs, period: 1, resets: [1] }),
        values: (_, { backbone }) => ({ [backbone.record.head.bias]: new Float32Array(3).map(Math.random) }),
      }),
  ],
  [
    'resets to another shape',
    'RESET_VALUES',
    () =>
      defineReset({
        name: NAME,
        timetable: (_, epochs) => ({ epochs, period: 1, resets: [1] }),
        values: (_, { backbone }) => ({ [backbone.record.head.bias]: new Float32Array(1) }),
      }),
  ],
  [
    'cuts outside the image',
    'EXTENSION_SHAPE',
    () => defineAugmentation({ name: NAME, crop: () => ({ top: 30, left: 0, mirror: false }) }),
  ],
  [
    'changes pixels by a counter',
    'EXTENSION_RANDOM',
    () => defineAugmentation({ name: NAME, pixels: (_, { pixels }) => void (pixels[0] = counter++) }),
  ],
  [
    'is a network of other features than its record says',
    'BACKBONE_DEFINITION',
    () => ({ ...squeezeNet, record: { ...squeezeNet.record, id: NAME, featureSize: 7 } }),
  ],
];

describe('checkExtension', function () {
  this.timeout(60_000);
  before(() => (outside = tf.scalar(2)));
  after(() => {
    outside.dispose();
    forgetDefinitions(NAME);
  });
  for (const [what, code, define, op] of bad)
    it(`refuses an extension that ${what}: ${code}`, () =>
      assert.rejects(
        async () => checkExtension(define()),
        (error: KitError) => {
          assert.ok(error instanceof KitError, String((error as Error).stack));
          assert.equal(error.code, code, error.message);
          assert.ok(error.message.includes(NAME), error.message);
          assert.ok(op === undefined || error.message.includes(op), error.message);
          assert.notEqual(error.fix, '');
          return true;
        },
      ));

  const good = [
    ...[l2sp, delta, bss, featureNorm],
    ...[dropout, dropConnect, stochasticDepth, disturbLabel, cyclicLr, cutout, smoothing],
    adamw,
    ...[constant, cosine, warmup],
    ...[rifleReset, layersReset, rewindHead],
    ...[flipCrop, noAugmentation],
  ];
  for (const definition of good)
    it(`passes ${definition.name}`, async () => {
      const before = tf.memory().numTensors;
      const { name, checks } = await checkExtension(definition as never);
      assert.equal(name, definition.name);
      assert.ok(checks.length >= 2, checks.join());
      assert.equal(tf.memory().numTensors, before);
    });

  it('passes definitions with options, and a network', async () => {
    await checkExtension(step, { at: 0.5, factor: 0.1 });
    await checkExtension(layersReset, { from: 'stage3', to: 'noise', strength: 0.1, times: 2 });
    const { checks } = await checkExtension(dropout, { rate: 0.5 });
    assert.ok(checks.includes('random numbers differ from step to step'));
    assert.equal((await checkExtension(squeezeNet)).kind, 'backbone');
  });
});
