import assert from 'node:assert/strict';
import { tf } from '../../src/engine/tensorflow';
import { rifle } from '../../src/transfer/resets/rifle';
import type { RunSpecInput } from '../../src/transfer/spec/spec';
import { train } from '../../src/transfer/trainer';
import type { StateMoment, Trained, TrainOptions, TrainState } from '../../src/transfer/train-state';
import { golden, tinyBatches, tinyNetwork, tinySpec } from './tiny';

/** Trains the golden network, 3 steps an epoch, the last of one image less, and evaluates in two. */
async function run(changes: Partial<RunSpecInput>, options: TrainOptions = {}): Promise<Trained> {
  const backbone = tinyNetwork();
  const spec = tinySpec(changes);
  const both = spec.evaluateOn === 'both' ? { testBatches: tinyBatches(1, 2) } : {};
  const weighted =
    spec.classWeights === null ? {} : { classWeights: Float32Array.from({ length: golden.classes }, (_, i) => 1 + i) };
  try {
    return await train(spec, backbone, golden.size, tinyBatches(3, golden.batch - 1), tinyBatches(2, 1), {
      ...both,
      ...weighted,
      ...options,
    });
  } finally {
    backbone.dispose();
  }
}

/** A state that has been through JSON and bytes, as a checkpoint keeps it. */
const written = ({ variables, ...rest }: TrainState): TrainState => ({
  ...(JSON.parse(JSON.stringify(rest)) as Omit<TrainState, 'variables'>),
  variables: Object.fromEntries(Object.entries(variables).map(([name, values]) => [name, values.slice()])),
});

/** What must be the same to the bit: everything but seconds. */
const bits = ({ epochs, layers }: Trained) => ({
  layers,
  epochs: epochs.map(
    ({ trainSeconds: _a, evaluateSeconds: _b, dataWaitSeconds: _c, imagesPerSecond: _d, ...numbers }) => numbers,
  ),
});

const SPECS: [string, Partial<RunSpecInput>][] = [
  ['fine-tuning with a falling rate', { epochs: 3, schedule: { name: 'cosine' } }],
  ['RIFLE that clears the momentum', { epochs: 4, rifle: rifle('authors', { clearMomentum: true }), seed: 3 }],
  [
    'RIFLE with a cyclic rate and noise',
    { epochs: 4, rifle: rifle('authors', { headLearningRate: 'cyclic', draw: 'add' }) },
  ],
  [
    'L2-SP, whose start values are the pretrained ones',
    { epochs: 2, regularizer: { name: 'l2-sp', alpha: 0.1, beta: 0.01 } },
  ],
  [
    'DELTA, whose source network is the pretrained one',
    { epochs: 2, regularizer: { name: 'delta', alpha: 0.1, beta: 0.01 } },
  ],
  [
    'class weights, three splits and early stopping',
    { epochs: 6, classWeights: 'balanced', evaluateOn: 'both', patience: 1, optimizer: { learningRate: 0.1 } },
  ],
  ['float16, whose loss scale moves', { epochs: 2, precision: 'float16' }],
  ['bfloat16', { epochs: 2, precision: 'bfloat16' }],
  ['dropout, whose masks are drawn by step', { epochs: 2, trick: { name: 'dropout', rate: 0.5, at: 'head' } }],
];

describe('a run that goes on', function () {
  this.timeout(300_000);

  for (const [title, changes] of SPECS) {
    it(`gives the bits of the uninterrupted one, from a step, an evaluation, an epoch: ${title}`, async () => {
      const tensors = tf.memory().numTensors;
      const states: TrainState[] = [];
      const whole = await run(changes, { onState: (_, state) => void states.push(written(state())) });
      const last = states[states.length - 1];
      assert.equal(states.length, whole.epochs.length * 4, 'three steps and an end an epoch');
      // After the first step; before the evaluation of the epoch that ends with a reset (or the first); after it.
      const epoch = whole.epochs.find(({ headReset }) => headReset)?.epoch ?? 1;
      for (const from of [states[0], ...states.slice(epoch * 4 - 2, epoch * 4)]) {
        let end: TrainState | undefined;
        const resumed = await run(changes, { from, onState: (_, state) => void (end = written(state())) });
        const place = `from step ${from.step} of epoch ${from.epoch + 1}`;
        assert.deepEqual(bits(resumed), bits(whole), place);
        if (from.epoch < whole.epochs.length) assert.deepEqual(end!.variables, last.variables, place);
      }
      assert.equal(tf.memory().numTensors, tensors, 'every tensor is freed');
    });
  }

  it('hands out the state when it is stopped, between steps or within an evaluation', async () => {
    const changes = { epochs: 3 };
    const whole = bits(await run(changes));
    for (const stopAt of [1, 4, 5]) {
      const controller = new AbortController();
      const reason = new Error('enough');
      let calls = 0;
      let state: TrainState | undefined;
      const moments: StateMoment[] = [];
      const onState: TrainOptions['onState'] = (moment, take) => {
        moments.push(moment);
        if (moment === 'stopped') state = written(take());
      };
      await assert.rejects(
        run(changes, {
          signal: controller.signal,
          onState,
          onProgress: () => ++calls === stopAt + 1 && controller.abort(reason),
        }),
        reason,
      );
      assert.equal(moments.filter((moment) => moment === 'stopped').length, 1);
      assert.deepEqual(
        bits(await run(changes, { from: state })),
        whole,
        `stopped after ${stopAt} steps of training or evaluation`,
      );
    }
  });

  it('refuses the state of another network', async () => {
    let state: TrainState | undefined;
    await run({ epochs: 2 }, { onState: (moment, take) => void (moment === 'epoch' && (state ??= take())) });
    const { ['fc.weight']: _, ...variables } = state!.variables;
    await assert.rejects(run({ epochs: 2 }, { from: { ...state!, variables } }), {
      code: 'TRAIN_STATE_MISMATCH',
    });
  });
});
