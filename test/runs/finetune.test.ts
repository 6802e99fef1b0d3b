import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../src/base/errors';
import { tf } from '../../src/engine/tensorflow';
import { finetune } from '../../src/runs/finetune';
import { RunLock } from '../../src/base/files/lock';
import { plan, runAll } from '../../src/studies/plan';
import type { RunRecord } from '../../src/runs/store/record';
import { scales } from '../../src/studies/rifle/scales';
import { scale } from '../../src/studies/scales';
import { RunStore } from '../../src/runs/store/store';
import { unfinishedRuns } from '../../src/runs/store/unfinished';
import { verifyRun } from '../../src/runs/store/verify';
import { rifle } from '../../src/transfer/resets/rifle';
import type { RunSpecInput } from '../../src/transfer/spec/spec';
import { makeImageFolder } from './image-folder';

/** Of a record, everything but times and costs. */
const numbers = ({ wallSeconds: _w, peakMemoryMb: _p, startedAt: _s, finishedAt: _f, epochs, ...rest }: RunRecord) => ({
  ...rest,
  epochs: epochs.map(
    ({ trainSeconds: _a, evaluateSeconds: _b, dataWaitSeconds: _c, imagesPerSecond: _d, ...row }) => row,
  ),
});

describe('finetune', function () {
  this.timeout(300_000);
  let dataset: string;
  let runs: string;
  let spec: RunSpecInput;
  before(async () => {
    dataset = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-runs-'));
    spec = {
      dataset,
      backbone: 'efficientnet_lite0.tf_in1k',
      weights: 'random',
      imageSize: 32,
      epochs: 2,
      batchSize: 4,
      optimizer: { learningRate: 0.001 },
    };
  });
  after(() => [dataset, runs].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  it('leaves a record of everything, once: the same run is not run again', async () => {
    const before = tf.memory().numTensors;
    const tasks = new Set<string>();
    const record = await finetune(spec, { runs, onProgress: ({ task }) => tasks.add(task) });
    assert.equal(tf.memory().numTensors, before, 'every tensor is freed');
    assert.equal(record.method, 'fine-tuning');
    assert.deepEqual(
      [record.dataset.train, record.dataset.test, record.dataset.classes],
      [12, 6, ['stripes', 'waves']],
    );
    assert.equal(record.epochs.length, 2);
    assert.equal(record.top1, record.epochs[1].top1);
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
    const losses = async (seed: number) =>
      (await finetune({ ...spec, seed }, { runs: fs.mkdtempSync(path.join(runs, 'again-')) })).epochs.map(
        (row) => row.trainLoss,
      );
    assert.deepEqual(await losses(1), await losses(1));
    assert.notDeepEqual(await losses(1), await losses(2));
  });

  it('refuses sizes that do not fit and a timetable without resets, before it loads anything', async () => {
    await assert.rejects(finetune({ ...spec, imageSize: null, resizeSize: 100 }, { runs }), {
      code: 'SPEC_SIZES_MISMATCH',
    });
    await assert.rejects(finetune({ ...spec, rifle: rifle('haozhe-an'), epochs: 5 }, { runs }), {
      code: 'RESET_NEVER',
    });
  });

  it('resumes where it was stopped, to the bits of the uninterrupted run, also when the last checkpoint is damaged; then nothing but its record stays', async () => {
    const whole = new RunStore(path.join(runs, 'whole'));
    const store = new RunStore(path.join(runs, 'stopped'));
    const changes = { ...spec, rifle: rifle('authors') };
    const expected = await finetune(changes, { runs: whole, keepWeights: true });
    const controller = new AbortController();
    const tensors = tf.memory().numTensors;
    let steps = 0;
    const stopAt = ({ detail = '' }): void =>
      void (/loss/.test(detail) && ++steps === 5 && controller.abort(new Error('stop'))); // of 3 an epoch
    await assert.rejects(
      finetune(changes, { runs: store, keepWeights: true, signal: controller.signal, onProgress: stopAt }),
      /stop/,
    );
    assert.deepEqual(store.list(), []);
    assert.equal(tf.memory().numTensors, tensors);
    assert.deepEqual(
      unfinishedRuns(store).map(({ id, method, epochsDone, owner }) => [id, method, epochsDone, owner]),
      [[expected.id, 'rifle', 1, null]],
    );

    const folder = store.folder(expected.id);
    const checkpoints = fs.readdirSync(path.join(folder, 'checkpoints')).sort();
    assert.deepEqual(
      checkpoints.filter((name) => name.endsWith('.json')),
      ['00001-0000000.json', '00001-0000002.json'],
    );
    const last = path.join(folder, 'checkpoints', '00001-0000002.safetensors');
    const bytes = fs.readFileSync(last);
    bytes[bytes.length >> 1] ^= 4;
    fs.writeFileSync(last, bytes);

    const notices: string[] = [];
    const seen: number[] = [];
    const record = await finetune(changes, {
      runs: store,
      keepWeights: true,
      onNotice: (text) => notices.push(text),
      onEpoch: ({ epoch }) => seen.push(epoch),
    });
    assert.deepEqual(seen, [2], 'the first epoch is not made again');
    assert.match(notices.join(), /00001-0000002.json is damaged .* resumes from the checkpoint before it/);
    assert.deepEqual(numbers(record), numbers(expected));
    assert.deepEqual(store.layers(record.id), whole.layers(record.id));
    assert.deepEqual(fs.readFileSync(store.weights(record.id)!), fs.readFileSync(whole.weights(record.id)!));
    assert.deepEqual(
      store
        .journal(record.id)
        .read()
        .map(({ event }) => event),
      ['started', 'checkpoint', 'checkpoint', 'stopped', 'notice', 'resumed', 'checkpoint', 'finished'],
    );
    const files = ['journal.jsonl', 'layers.json', 'predictions.safetensors', 'record.json', 'weights.safetensors'];
    assert.deepEqual(fs.readdirSync(folder).sort(), files);
    assert.deepEqual(
      fs.readFileSync(store.predictionsFile(record.id)),
      fs.readFileSync(whole.predictionsFile(record.id)),
    );
    assert.equal((await verifyRun(store, record.id, { data: true })).state, 'sound');

    const file = path.join(folder, 'record.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/"top1": [\d.]+/g, '"top1": 0.999'));
    const verdict = await verifyRun(store, record.id);
    assert.match(verdict.problems.join(), /record.json .*was changed after it was written/);
  });

  it('makes a run once when two ask for it at the same time', async () => {
    const store = new RunStore(path.join(runs, 'twice'));
    const lock = await RunLock.take(store.folder((await finetune(spec, { runs })).id));
    await assert.rejects(finetune(spec, { runs: store, busy: 'throw' }), { code: 'RUN_BUSY' });
    const details: string[] = [];
    const both = [0, 1].map(() =>
      finetune(spec, { runs: store, lock: { every: 20 }, onProgress: ({ detail = '' }) => details.push(detail) }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await lock.release();
    const [first, second] = await Promise.all(both);
    assert.deepEqual(JSON.parse(JSON.stringify(second)), JSON.parse(JSON.stringify(first)));
    assert.ok(details.some((detail) => /waiting for process/.test(detail)));
    assert.equal(
      store
        .journal(first.id)
        .read()
        .filter(({ event }) => event === 'started').length,
      1,
    );
  });

  it('refuses a folder whose images have changed since, with both hashes', async () => {
    const record = await finetune(spec, { runs });
    const image = path.join(dataset, 'train', 'stripes', '0.png');
    const before = fs.readFileSync(image);
    fs.copyFileSync(path.join(dataset, 'train', 'waves', '0.png'), image);
    try {
      await assert.rejects(
        finetune(spec, { runs }),
        (error: KitError) =>
          error.code === 'DATASET_CHANGED' &&
          error.message.includes(record.dataset.hash) &&
          /rifle runs prune/.test(error.fix),
      );
    } finally {
      fs.writeFileSync(image, before);
    }
    assert.equal((await finetune(spec, { runs })).id, record.id);
  });

  it('runs a grid in pairs and reports the whole', async () => {
    const specs = plan({ spec, methods: ['fine-tuning', 'rifle'], seeds: [0, 1] });
    assert.deepEqual(
      specs.map(({ seed, reset }) => [seed, reset !== null]),
      [
        [0, false],
        [0, true],
        [1, false],
        [1, true],
      ],
    );
    const reused: boolean[] = [];
    let last = 0;
    const records = await runAll(specs.slice(0, 2), {
      runs,
      onRecord: (_, again) => reused.push(again),
      onProgress: ({ task, done, total }) => (last = task === 'all runs' ? done / total : last),
    });
    assert.deepEqual(reused, [true, false], 'the plain run was there already');
    assert.deepEqual(
      records.map(({ method, resets }) => [method, resets]),
      [
        ['fine-tuning', []],
        ['rifle', [1, 2]],
      ],
    );
    assert.equal(last, 1);
  });
});

describe('scales', () => {
  it('are known by name, and each makes valid specs', () => {
    for (const name of Object.keys(scales))
      assert.equal(plan(scale(name)).length, scales[name as keyof typeof scales].seeds.length * 2);
    assert.throws(() => scale('smok'), { code: 'UNKNOWN_SCALE' });
  });
  it('at paper scale are the authors’ (train.py: 40 epochs, batch 32, lr 0.01, 256/224, momentum 0.9, weight decay 1e-4)', () => {
    for (const { epochs, batchSize, imageSize, resizeSize, optimizer } of plan(scale('paper'))) {
      assert.deepEqual([epochs, batchSize, imageSize, resizeSize], [40, 32, 224, 256]);
      assert.deepEqual(optimizer, {
        name: 'sgd',
        clipNorm: null,
        learningRate: 0.01,
        headFactor: 1,
        momentum: 0.9,
        weightDecay: 1e-4,
        nesterov: false,
      });
    }
  });
});
