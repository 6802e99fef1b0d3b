import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import type { KitError } from '../../src/base/errors';
import { tf } from '../../src/engine';
import { defineAugmentation, defineRegularizer, defineReset, defineSchedule, defineTrick } from '../../src/extend';
import { refuseOtherCode } from '../../src/runs/code-digests';
import { finetune } from '../../src/runs/finetune';
import { RunStore } from '../../src/runs/store/store';
import { verifyGraph } from '../../src/runs/verify-graph';
import { parseRunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';
import { tinyBackbone } from '../backbones/tiny-backbone';
import { makeImageFolder } from './image-folder';

/** One definition of each kind, with a factor in its formula. */
const definitions = {
  trick: (factor: number, version = 1): Partial<RunSpecInput> => ({
    tricks: [defineTrick({ name: 'tripwire/trick', version, create: () => ({ images: (x) => x.mul(factor) }) })()],
  }),
  regularizer: (factor: number): Partial<RunSpecInput> => ({
    regularizers: [
      defineRegularizer({
        name: 'tripwire/regularizer',
        prepare: () => Promise.resolve({ weight: Float32Array.of(0.1, 0.2) }),
        create: (_, { prepared }) => ({
          penalty: () => tf.tensor1d(prepared!.weight).sum().mul<tf.Scalar>(factor),
        }),
      })(),
    ],
  }),
  schedule: (factor: number): Partial<RunSpecInput> => ({
    schedule: defineSchedule({ name: 'tripwire/schedule', factor: (_, { progress }) => factor * (1 - progress) })(),
  }),
  reset: (factor: number): Partial<RunSpecInput> => ({
    reset: defineReset({
      name: 'tripwire/reset',
      timetable: (_, epochs) => ({ epochs, period: 1, resets: [1] }),
      values: (_, { initial, from }) =>
        Object.fromEntries(Object.entries(initial(from('head'))).map(([name, x]) => [name, x.map((w) => factor * w)])),
    })(),
  }),
  augmentation: (factor: number): Partial<RunSpecInput> => ({
    augmentation: defineAugmentation({
      name: 'tripwire/augmentation',
      pixels: (_, { pixels }) => pixels.forEach((value, i) => (pixels[i] = factor * value)),
    })(),
  }),
};

/** A spec with all of them. */
const withAll = (factor: number): Partial<RunSpecInput> =>
  Object.assign({}, ...Object.values(definitions).map((define) => define(factor))) as Partial<RunSpecInput>;

const isChanged = (name: string, id: string) => (error: KitError) => {
  assert.equal(error.code, 'EXTENSION_CHANGED', error.stack);
  assert.match(error.message, new RegExp(`^The code of (\\S+ or )*${name}( or \\S+)* has changed since run ${id}\\.$`));
  assert.equal(error.fix, 'Raise its version, or restore it.');
  return true;
};

describe('code that changes without a new version', function () {
  this.timeout(120_000);
  let dataset: string;
  let runs: string;
  let spec: RunSpecInput;
  before(async () => {
    dataset = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'tripwire-'));
    spec = {
      dataset,
      backbone: tinyBackbone('tripwire/tiny').record.id,
      weights: 'random',
      imageSize: 32,
      epochs: 2,
      batchSize: 8,
      optimizer: { learningRate: 0.001 },
    };
  });
  after(() => forgetDefinitions('tripwire/'));
  after(() => [dataset, runs].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  it('is refused where a finished run would be reused, whichever part changed', async () => {
    const store = new RunStore(runs);
    const { id, graph } = await finetune({ ...spec, ...withAll(0.5) }, { runs });
    assert.match(graph!.step!, /^[0-9a-f]{16}$/);
    const tensors = tf.memory().numTensors;
    for (const [kind, define] of Object.entries(definitions)) {
      const restored = { ...spec, ...withAll(0.5) };
      assert.equal((await finetune(restored, { runs })).id, id, 'the same formulas');
      assert.equal((await verifyGraph(store.find(id)!)).state, 'same');
      const changed = { ...restored, ...define(0.25) };
      await assert.rejects(finetune(changed, { runs }), isChanged(`tripwire/${kind}`, id));
      assert.equal((await verifyGraph(store.find(id)!)).state, 'changed');
    }
    assert.equal(tf.memory().numTensors, tensors);
    const { graph: _, ...older } = store.find(id)!;
    assert.equal((await verifyGraph(older)).state, 'unchecked', 'of an older kit');
    const elsewhere = { ...older, graph: { ...graph!, kit: '0.0.1' } };
    assert.equal((await verifyGraph(elsewhere)).state, 'unchecked', 'of another kit');
  });

  it('is refused with the name of the definition', () => {
    const graph = { kit: '1', step: 'a', rates: 'b' };
    const one = parseRunSpec({ ...spec, backbone: 'resnet50.tv_in1k', ...definitions.trick(1) });
    assert.throws(() => refuseOtherCode('511c', one, graph, { ...graph, step: 'c' }), {
      code: 'EXTENSION_CHANGED',
      message: 'The code of tripwire/trick has changed since run 511c.',
      fix: 'Raise its version, or restore it.',
    });
    refuseOtherCode('511c', one, graph, { ...graph, kit: '2', step: 'c' });
    refuseOtherCode('511c', one, undefined, graph);
    const none = parseRunSpec({ dataset: 'elpv', backbone: 'resnet50.tv_in1k' });
    refuseOtherCode('511c', none, graph, { ...graph, step: 'c' }); // a change of the kit's own code has numbers of its own
  });

  it('is refused where a run would be resumed or repeated; a new version is a new run', async () => {
    const { trick } = definitions;
    const stop = new AbortController();
    const own = path.join(runs, 'resumed');
    const stopped = { runs: own, signal: stop.signal, onEpoch: () => stop.abort(new Error('stopped')) };
    await assert.rejects(finetune({ ...spec, ...trick(0.75) }, stopped), /stopped/);
    const [id] = new RunStore(own).unfinished();
    await assert.rejects(finetune({ ...spec, ...trick(0.25) }, { runs: own }), isChanged('tripwire/trick', id));
    assert.equal((await finetune({ ...spec, ...trick(0.75) }, { runs: own })).id, id);
    const changed = { ...spec, ...trick(0.25) };
    await assert.rejects(finetune(changed, { runs: own, keepWeights: true }), isChanged('tripwire/trick', id));
    assert.notEqual((await finetune({ ...spec, ...trick(0.25, 2) }, { runs: own })).id, id);
  });
});
