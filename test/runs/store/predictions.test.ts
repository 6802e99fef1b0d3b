// Predictions that a run keeps: those of its last epoch, and of the best one where validation images choose it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { classificationMetrics } from '../../../src/metrics/classification';
import { classifier } from '../../../src/predict/classifier';
import { finetune } from '../../../src/runs/finetune';
import { RunStore } from '../../../src/runs/store/store';
import { verifyRun } from '../../../src/runs/store/verify';
import type { RunSpecInput } from '../../../src/transfer/spec/spec';
import { makeImageFolder } from '../image-folder';

describe('predictions of a run', function () {
  this.timeout(300_000);
  let dataset: string;
  let runs: string;
  let spec: RunSpecInput;
  before(async () => {
    dataset = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-predictions-'));
    spec = {
      dataset,
      backbone: 'efficientnet_lite0.tf_in1k',
      weights: 'random',
      imageSize: 32,
      epochs: 3,
      batchSize: 4,
      optimizer: { learningRate: 0.01 },
    };
  });
  after(() => [dataset, runs].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

  it('are of the last epoch, in the order of the test images, and give the numbers of its evaluation', async () => {
    const store = new RunStore(path.join(runs, 'test'));
    const record = await finetune(spec, { runs: store, keepWeights: true });
    const found = (await store.predictions(record.id))!;
    const files = ['stripes', 'waves'].flatMap((name) => [0, 1, 2].map((i) => `test/${name}/${i}.png`));
    assert.deepEqual(found.files, files);
    assert.deepEqual([...found.labels], [0, 0, 0, 1, 1, 1]);
    assert.deepEqual(
      [found.classNames, found.classes, found.epoch, found.evaluatedOn],
      [['stripes', 'waves'], 2, 3, 'test'],
    );
    const { top1, nll } = classificationMetrics(found);
    assert.equal(top1, record.top1);
    assert.ok(Math.abs(nll - record.epochs[2].loss) <= 1e-5, `${nll} and ${record.epochs[2].loss}`);
    assert.deepEqual(record.metrics, classificationMetrics(found));
    assert.deepEqual(store.find(record.id)!.metrics, record.metrics);
    assert.equal(store.weights(record.id, 'best'), store.weights(record.id), 'nothing is chosen on test images');

    assert.equal((await verifyRun(store, record.id)).state, 'sound');
    const file = store.predictionsFile(record.id);
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(file, bytes);
    const { problems } = await verifyRun(store, record.id);
    assert.deepEqual(problems, ['predictions.safetensors was changed after it was written']);
    fs.writeFileSync(file, bytes.subarray(0, 100));
    await assert.rejects(
      store.predictions(record.id),
      (error: KitError) => error.code === 'PREDICTIONS_DAMAGED' && error.message.includes(file),
    );
  });

  it('are also kept of the best epoch on validation images', async () => {
    const store = new RunStore(path.join(runs, 'validation'));
    // The head's rate is so high that the accuracy moves from epoch to epoch.
    const wild = { ...spec, evaluateOn: 'validation' as const, epochs: 6, optimizer: { learningRate: 0.3 } };
    for (const seed of [0, 1, 2]) {
      const record = await finetune({ ...wild, seed }, { runs: store, keepWeights: true });
      const accuracies = record.epochs.map(({ top1 }) => top1);
      const best = accuracies.indexOf(Math.max(...accuracies)) + 1;
      const found = (await store.predictions(record.id, 'best'))!;
      assert.deepEqual([found.epoch, found.evaluatedOn], [best, 'validation']);
      assert.equal(classificationMetrics(found).top1, accuracies[best - 1]);
      assert.equal(store.weights(record.id, 'best') === store.weights(record.id), best === 6);
    }
  });

  it('of three splits are those of the test images at the best epoch on validation, and the model is of it', async () => {
    const store = new RunStore(path.join(runs, 'both'));
    const three: RunSpecInput = {
      ...spec,
      evaluateOn: 'both',
      epochs: 6,
      patience: 2,
      optimizer: { learningRate: 0.3 },
      classWeights: 'balanced',
      sampling: 'balanced',
    };
    const record = await finetune(three, { runs: store, keepWeights: true });
    const accuracies = record.epochs.map(({ top1 }) => top1);
    const best = accuracies.indexOf(Math.max(...accuracies)) + 1;
    assert.deepEqual([record.bestEpoch, record.evaluatedOn], [best, 'test']);
    assert.equal(record.epochs.length, Math.min(6, best + 2), 'two epochs brought nothing, or the epochs ended');
    assert.ok(record.epochs.every(({ evaluatedOn }) => evaluatedOn === 'validation'));
    assert.deepEqual(
      record.epochs.map(({ test }) => test !== undefined),
      accuracies.map((top1, i) => accuracies.slice(0, i).every((before) => before < top1)),
      'test images are looked at where validation was best so far',
    );
    assert.deepEqual([record.dataset.train, record.dataset.validation, record.dataset.test], [10, 2, 6]);
    const kept = (await store.predictions(record.id))!;
    assert.deepEqual([kept.epoch, kept.evaluatedOn, kept.labels.length], [best, 'test', 6]);
    assert.equal(record.top1, record.epochs[best - 1].test!.top1);
    assert.equal(classificationMetrics(kept).top1, record.top1);
    assert.equal((await verifyRun(store, record.id)).state, 'sound');
    const model = await classifier(record, { runs: store });
    const { predictions } = await model.predict(kept.files.map((file) => path.join(dataset, file)));
    model.dispose();
    assert.deepEqual(
      predictions.flatMap(({ logits }) => [...logits]),
      [...kept.logits],
    );

    // stopped after its first epoch and resumed: the same record
    const again = path.join(runs, 'both-again');
    const stop = new AbortController();
    const stopped = finetune(three, { runs: again, signal: stop.signal, onEpoch: () => stop.abort(new Error('stop')) });
    await assert.rejects(stopped, /stop/);
    const resumed = await finetune(three, { runs: again });
    assert.deepEqual([resumed.id, resumed.top1, resumed.metrics], [record.id, record.top1, record.metrics]);
    assert.deepEqual(
      resumed.epochs.map(({ trainLoss, loss, test }) => [trainLoss, loss, test]),
      record.epochs.map(({ trainLoss, loss, test }) => [trainLoss, loss, test]),
    );
  });

  it('survive a break between the last epoch and the record', async () => {
    const store = new RunStore(path.join(runs, 'broken'));
    const whole = await finetune(spec, { runs: path.join(runs, 'whole') });
    store.put = () => Promise.reject(new Error('no room'));
    await assert.rejects(finetune(spec, { runs: store }), /no room/);
    let epochs = 0;
    const record = await finetune(spec, { runs: new RunStore(store.root), onEpoch: () => epochs++ });
    assert.equal(epochs, 0, 'no epoch is repeated');
    assert.deepEqual(record.metrics, whole.metrics);
  });
});
