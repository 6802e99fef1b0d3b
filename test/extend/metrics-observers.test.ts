// Metrics and observers of a study: what they see, where their numbers are, and that they change nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import { metricsTable, runsFrame, RunStore, withMetrics } from '../../src';
import { defineMetric, defineObserver } from '../../src/extend';
import { finetune } from '../../src/runs/finetune';
import { tinyBackbone } from '../backbones/tiny-backbone';
import { makeImageFolder } from '../runs/image-folder';

describe('metrics and observers of a study', function () {
  this.timeout(60_000);
  let dataset: string;
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'metrics-'));
  before(async () => {
    dataset = await makeImageFolder();
  });
  after(() => {
    [dataset, scratch].forEach((folder) => fs.rmSync(folder, { recursive: true, force: true }));
    forgetDefinitions('study/');
  });

  it('record their numbers, and change neither the run nor its id', async () => {
    const spec = {
      dataset,
      backbone: tinyBackbone('study/tiny').record.id,
      weights: 'random',
      epochs: 2,
      batchSize: 8,
      reset: 'rifle',
    };
    const plain = await finetune(spec, { runs: path.join(scratch, 'plain') });
    assert.equal(plain.metrics!['study/spoils'], undefined);

    let logits: Float32Array | undefined;
    defineMetric({
      name: 'study/spoils',
      title: 'Half',
      measure: (given) => {
        logits = given.logits.slice();
        given.logits.fill(NaN);
        return 0.5;
      },
    });
    defineMetric({
      name: 'study/throws',
      measure: () => {
        throw new Error('no');
      },
    });
    defineMetric({ name: 'study/nan', measure: () => NaN });
    defineObserver({
      name: 'study/spoils',
      moments: ['start', 'epoch', 'before-reset', 'after-reset'],
      observe: ({ values }) => {
        const [bias] = Object.values(values(['fc/bias']));
        const first = bias[0];
        Object.values(values()).forEach((array) => array.fill(NaN));
        return { first };
      },
    });
    defineObserver({ name: 'study/throws', observe: () => ({ text: 'no' }) as never });
    const notices: string[] = [];
    const store = new RunStore(path.join(scratch, 'observed'));
    const seen = await finetune(spec, { runs: store, onNotice: (text) => notices.push(text) });

    assert.equal(seen.id, plain.id);
    const numbers = ({ epochs }: typeof seen) => epochs.map(({ trainLoss, loss, top1 }) => [trainLoss, loss, top1]);
    assert.deepEqual(numbers(seen), numbers(plain));
    assert.equal(seen.metrics!['study/spoils'], 0.5);
    assert.deepEqual(logits, (await store.predictions(seen.id))!.logits);
    const looks = seen.observations!.filter(({ observer }) => observer === 'study/spoils');
    assert.deepEqual(
      looks.map(({ moment, epoch }) => `${moment} ${epoch}`),
      ['start 0', 'epoch 1', 'before-reset 1', 'after-reset 1', 'epoch 2', 'before-reset 2', 'after-reset 2'],
    );
    assert.ok(looks.every(({ first }) => Number.isFinite(first)));
    assert.equal(looks[1].first, looks[2].first);
    assert.notEqual(looks[2].first, looks[3].first);
    assert.equal(notices.filter((text) => text.includes('study/throws')).length, 3, notices.join('\n'));
    assert.equal(notices.filter((text) => text.includes('study/nan')).length, 1);
    assert.deepEqual(store.find(seen.id)!.observations, seen.observations);

    const [later] = await withMetrics([plain], new RunStore(path.join(scratch, 'plain')));
    assert.equal(later.metrics!['study/spoils'], 0.5);
    assert.ok(metricsTable([later]).columns.some(({ title, unit }) => title === 'Half' && unit === '%'));
    assert.ok(runsFrame([later]).columns.includes('study/spoils'));
    assert.ok(!runsFrame([plain]).columns.includes('study/spoils'));
  });
});
