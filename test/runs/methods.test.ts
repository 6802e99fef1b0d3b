import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf } from '../../src/engine/tensorflow';
import { finetune } from '../../src/runs/finetune';
import { RunStore } from '../../src/runs/store/store';
import { methods } from '../../src/transfer/methods';

const alone = methods
  .list()
  .filter(
    ({ name, reset }) =>
      reset === null && methods.list().some((other) => other.name === `${name}+rifle` || name === 'fine-tuning'),
  );

describe('every method trains on photographs of elpv, alone and with RIFLE', function () {
  this.timeout(300_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-methods-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('there are 20 combinations or more', () => assert.ok(2 * alone.length >= 20, `found ${2 * alone.length}`));

  for (const { name } of alone) {
    for (const method of [name, name === 'fine-tuning' ? 'rifle' : `${name}+rifle`]) {
      it(method, async () => {
        const before = tf.memory().numTensors;
        const spec = {
          dataset: 'elpv',
          backbone: 'efficientnet_lite0.tf_in1k',
          imageSize: 64,
          epochs: 4,
          batchSize: 16,
          limits: { trainPerClass: 8, testPerClass: 2 },
        };
        const record = await finetune(methods.apply(method, spec), { runs: folder });
        const losses = record.epochs.map(({ trainLoss }) => trainLoss);
        assert.equal(record.status, 'finished');
        assert.ok(losses.every(Number.isFinite), String(losses));
        if (record.spec.reset === null) assert.ok(losses[3] < losses[0], `falls: ${losses}`);
        else assert.ok(losses[1] < losses[0] && losses[3] < losses[2], `falls before and after the reset: ${losses}`);

        const layers = new RunStore(folder).layers(record.id);
        assert.ok(
          layers.every(({ gradientNorm, updateNorm, weightDistance }) =>
            [gradientNorm, updateNorm, weightDistance].every(Number.isFinite),
          ),
        );
        const first = layers.filter(({ epoch }) => epoch === 1);
        assert.equal(first[0].layer, '_conv_stem');
        assert.equal(first[first.length - 1].kind, 'head');
        assert.ok(
          layers.every(({ gradientNorm }) => gradientNorm > 0),
          'every layer gets a gradient',
        );
        assert.equal(tf.memory().numTensors, before, 'tensors left behind');
      });
    }
  }

  it('a run that diverges leaves a record that says when, and is not run again', async () => {
    const spec = {
      dataset: 'elpv',
      backbone: 'efficientnet_lite0.tf_in1k',
      imageSize: 64,
      epochs: 3,
      batchSize: 16,
      optimizer: { learningRate: 1e15 },
      limits: { trainPerClass: 8, testPerClass: 2 },
    };
    const record = await finetune(spec, { runs: folder });
    assert.equal(record.status, 'failed');
    assert.ok(record.failure!.epoch >= 1 && record.failure!.epoch <= 3 && record.epochs.length < record.failure!.epoch);
    assert.match(record.failure!.message, /diverged at a learning rate of/);
    assert.ok(Number.isFinite(record.failure!.lastLoss));
    assert.ok(Number.isNaN(record.top1));
    const again = await finetune(spec, { runs: folder });
    assert.equal(again.startedAt, record.startedAt);
    assert.ok(Number.isNaN(again.top1));
  });
});
