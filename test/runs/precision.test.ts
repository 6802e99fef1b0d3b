import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readSafetensors } from '../../src/backbones/weights/readers/safetensors';
import { type KitError } from '../../src/base/errors';
import { finetune } from '../../src/runs/finetune';
import { RunStore } from '../../src/runs/store/store';
import type { RunSpecInput } from '../../src/transfer/spec/spec';
import { FIRST_SCALE } from '../../src/transfer/optimizers/loss-scale';
import { makeImageFolder } from './image-folder';

describe('a run in low precision', function () {
  this.timeout(120_000);
  let dataset: string;
  let runs: string;
  let spec: RunSpecInput;
  before(async () => {
    dataset = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-precision-'));
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

  it('is in its record, and is another run than that in float32', async () => {
    const [exact, low] = [await finetune(spec, { runs }), await finetune({ ...spec, precision: 'bfloat16' }, { runs })];
    assert.deepEqual([exact.spec.precision, low.spec.precision], ['float32', 'bfloat16']);
    assert.notEqual(exact.id, low.id);
    assert.notEqual(exact.epochs[0].trainLoss, low.epochs[0].trainLoss);
    assert.ok(Math.abs(low.epochs[0].trainLoss / exact.epochs[0].trainLoss - 1) < 0.1);
    assert.equal(
      (await finetune({ ...spec, precision: 'float32' }, { runs })).id,
      exact.id,
      'float32 written out is the default',
    );
  });

  it('resumes from its checkpoint, with the loss scale, to the bits of the uninterrupted run', async () => {
    const input = { ...spec, precision: 'float16' as const };
    const [whole, stopped] = ['whole', 'stopped'].map((name) => new RunStore(path.join(runs, name)));
    const expected = await finetune(input, { runs: whole, keepWeights: true });
    const controller = new AbortController();
    let steps = 0;
    const stopAt = ({ detail = '' }): void =>
      void (/loss/.test(detail) && ++steps === 4 && controller.abort(new Error('stop')));
    await assert.rejects(
      finetune(input, { runs: stopped, keepWeights: true, signal: controller.signal, onProgress: stopAt }),
      /stop/,
    );
    const folder = path.join(stopped.folder(expected.id), 'checkpoints');
    const last = fs
      .readdirSync(folder)
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
      .at(-1)!;
    const held = await readSafetensors(path.join(folder, last));
    assert.equal(Number(held.get('loss-scale')!.data[0]) <= FIRST_SCALE, true);
    assert.ok(held.has('loss-scale/good-steps'));
    const record = await finetune(input, { runs: stopped, keepWeights: true });
    assert.deepEqual(
      record.epochs.map(({ trainLoss, loss }) => [trainLoss, loss]),
      expected.epochs.map(({ trainLoss, loss }) => [trainLoss, loss]),
    );
    assert.deepEqual(fs.readFileSync(stopped.weights(record.id)!), fs.readFileSync(whole.weights(record.id)!));
  });

  it('is refused before anything is read when there is no such precision', async () => {
    await assert.rejects(
      finetune({ ...spec, dataset: 'nowhere', precision: 'float8' as never }, { runs }),
      (error: KitError) =>
        error.code === 'SPEC_INVALID' && /precision: .*"float32"\|"bfloat16"\|"float16"/.test(error.message),
    );
  });
});
