import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { finetune, plan, RunStore, tf } from '../../src';
import { sgd } from '../../src/extend';
import { forgetDefinitions } from '../../src/base/definitions/registry';
import { packageRoot } from '../../src/base/home';
import {
  cutout,
  cutoutMethod,
  featureNorm,
  forgetting,
  largestValue,
  predictedClasses,
  rewindHead,
  smoothing,
  warmup,
} from './examples';

const spec = {
  dataset: 'elpv',
  backbone: 'efficientnet_lite0.tf_in1k',
  imageSize: 64,
  epochs: 2,
  batchSize: 16,
  limits: { trainPerClass: 8, testPerClass: 8 },
};

describe('docs/extending.md', () => {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'extending-'));
  const inFolder = (name: string): string => path.join(scratch, name);
  after(() => {
    fs.rmSync(scratch, { recursive: true, force: true });
    // A metric is measured in every run of this process: those of other tests have none besides the kit's own.
    for (const { name } of [predictedClasses, largestValue]) forgetDefinitions(name);
  });

  it('shows the examples that are tested here', () => {
    const read = (...file: string[]): string => fs.readFileSync(path.join(packageRoot(), ...file), 'utf8');
    const examples = [...read('test', 'extend', 'examples.ts').matchAll(/^\/\/ example: .*\n([^]*?)^\/\/ end/gm)];
    assert.equal(examples.length, 8);
    const doc = read('docs', 'extending.md');
    for (const [, example] of examples) assert.ok(doc.includes(example.trim()), example);
  });

  it('trains with all of them at once, repeats to the bit, and frees what it made', async function () {
    this.timeout(120_000);
    const all = {
      ...spec,
      regularizers: [featureNorm({ weight: 0.01 })],
      tricks: [cutout({ side: 24 }), smoothing()],
      schedule: warmup({ part: 0.25 }),
      optimizer: sgd({ clipNorm: 1 }),
      reset: rewindHead(),
    };
    const folder = inFolder('examples');
    const before = tf.memory().numTensors;
    const first = await finetune(all, { runs: path.join(folder, 'first') });
    assert.equal(tf.memory().numTensors, before);
    const second = await finetune(all, { runs: path.join(folder, 'second') });
    assert.equal(first.id, second.id);
    assert.deepEqual(
      first.epochs.map(({ trainLoss, loss, top1 }) => [trainLoss, loss, top1]),
      second.epochs.map(({ trainLoss, loss, top1 }) => [trainLoss, loss, top1]),
    );
    assert.deepEqual(first.resets, [1]);
    assert.equal(typeof first.metrics![predictedClasses.name], 'number');
    const looks = first.observations!.filter(({ observer }) => observer === largestValue.name);
    assert.deepEqual(
      looks.map(({ moment, epoch, largest }) => [moment, epoch, Number(largest) > 0]),
      [
        ['epoch', 1, true],
        ['after-reset', 1, true],
        ['epoch', 2, true],
      ],
    );
    const without = await finetune({ ...all, tricks: [smoothing()] }, { runs: path.join(folder, 'first') });
    assert.notEqual(without.epochs[0].trainLoss, first.epochs[0].trainLoss);
  });

  it('knows its methods by name, in plans and in records', async function () {
    this.timeout(120_000);
    const specs = plan({ spec, methods: [cutoutMethod.name, forgetting.name], seeds: [0] });
    const store = new RunStore(inFolder('methods'));
    for (const each of specs) await finetune(each, { runs: store });
    assert.deepEqual(
      store
        .list()
        .map(({ method }) => method)
        .sort(),
      ['example/cutout-method', 'example/later-layers'],
    );
  });
});
