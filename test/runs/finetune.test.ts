import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf } from '../../src/engine/tensorflow';
import { finetune } from '../../src/runs/finetune';
import { plan, runAll } from '../../src/runs/plan';
import { scale, scales } from '../../src/runs/scales';
import { RunStore } from '../../src/runs/store';
import { rifle } from '../../src/transfer/rifle';
import type { RunSpecInput } from '../../src/transfer/spec';
import { makeImageFolder } from './image-folder';

describe('finetune', function () {
  this.timeout(120_000);
  let dataset: string;
  let runs: string;
  let spec: RunSpecInput;
  before(async () => {
    dataset = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-runs-'));
    spec = { dataset, backbone: 'efficientnet_lite0.tf_in1k', weights: 'random', imageSize: 32, epochs: 2, batchSize: 4, optimizer: { learningRate: 0.001 } };
  });
  after(() => [dataset, runs].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  it('leaves a record of everything, once: the same run is not run again', async () => {
    const before = tf.memory().numTensors;
    const tasks = new Set<string>();
    const record = await finetune(spec, { runs, onProgress: ({ task }) => tasks.add(task) });
    assert.equal(tf.memory().numTensors, before, 'every tensor is freed');
    assert.equal(record.method, 'fine-tuning');
    assert.deepEqual([record.dataset.train, record.dataset.test, record.dataset.classes], [12, 6, ['stripes', 'waves']]);
    assert.equal(record.epochs.length, 2);
    assert.equal(record.testTop1, record.epochs[1].testTop1);
    // EfficientNet-Lite0 has 4,652,008 parameters with its head for 1000 classes (counted in its .pth file).
    assert.equal(record.weights.parameters, 4_652_008 - 1281 * 1000 + 1281 * 2);
    assert.ok(record.environment.tensorflow.startsWith('2.') && record.peakMemoryMb > 100 && record.wallSeconds > 0);
    assert.ok(tasks.has('fine-tuning seed 0'));

    let trained = false;
    const again = await finetune(spec, { runs, onEpoch: () => (trained = true) });
    assert.deepEqual(again, JSON.parse(JSON.stringify(record)));
    assert.equal(trained, false);
    await finetune({ ...spec, resizeSize: 37 }, { runs, onEpoch: () => (trained = true) });
    assert.equal(trained, false, 'a size written out is the size left open: 32 x 256 / 224 is 36.57, and 37');
  });

  it('depends on the seed and on nothing else', async () => {
    const losses = async (seed: number) => (await finetune({ ...spec, seed }, { runs: fs.mkdtempSync(path.join(runs, 'again-')) })).epochs.map((row) => row.trainLoss);
    assert.deepEqual(await losses(1), await losses(1));
    assert.notDeepEqual(await losses(1), await losses(2));
  });

  it('refuses sizes that do not fit and a timetable without resets, before it loads anything', async () => {
    await assert.rejects(finetune({ ...spec, imageSize: null, resizeSize: 100 }, { runs }), /crop of 224 pixels does not fit a short side of 100/);
    await assert.rejects(finetune({ ...spec, rifle: rifle('haozhe-an'), epochs: 5 }, { runs }), /never re-initialise/);
  });

  it('leaves nothing behind when stopped', async () => {
    const store = new RunStore(path.join(runs, 'stopped'));
    const controller = new AbortController();
    const tensors = tf.memory().numTensors;
    await assert.rejects(finetune({ ...spec, epochs: 3 }, { runs: store, signal: controller.signal, onEpoch: () => controller.abort(new Error('stop')) }), /stop/);
    assert.deepEqual(store.list(), []);
    assert.equal(tf.memory().numTensors, tensors);
  });

  it('runs a grid in pairs and reports the whole', async () => {
    const specs = plan({ spec, methods: ['fine-tuning', 'rifle'], seeds: [0, 1] });
    assert.deepEqual(specs.map(({ seed, rifle }) => [seed, rifle !== null]), [[0, false], [0, true], [1, false], [1, true]]);
    const reused: boolean[] = [];
    let last = 0;
    const records = await runAll(specs.slice(0, 2), { runs, onRecord: (_, again) => reused.push(again), onProgress: ({ task, done, total }) => (last = task === 'all runs' ? done / total : last) });
    assert.deepEqual(reused, [true, false], 'the plain run was there already');
    assert.deepEqual(records.map(({ method, resets }) => [method, resets]), [['fine-tuning', []], ['rifle', [1, 2]]]);
    assert.equal(last, 1);
  });
});

describe('scales', () => {
  it('are known by name, and each makes valid specs', () => {
    for (const name of Object.keys(scales)) assert.equal(plan(scale(name)).length, scales[name as keyof typeof scales].seeds.length * 2);
    assert.throws(() => scale('smok'), /no scale named "smok"/);
  });
  it('at paper scale are the authors’ (train.py: 40 epochs, batch 32, lr 0.01, 256/224, momentum 0.9, weight decay 1e-4)', () => {
    for (const { epochs, batchSize, imageSize, resizeSize, optimizer } of plan(scale('paper'))) {
      assert.deepEqual([epochs, batchSize, imageSize, resizeSize], [40, 32, 224, 256]);
      assert.deepEqual(optimizer, { learningRate: 0.01, headFactor: 1, momentum: 0.9, weightDecay: 1e-4, nesterov: false });
    }
  });
});
