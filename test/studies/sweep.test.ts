import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { identifyRun } from '../../src/runs/identify';
import { RunStore } from '../../src/runs/store/store';
import '../../src/studies/built-in';
import { paceKey, sweepPlan } from '../../src/studies/sweep';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../../src/transfer/spec/spec';
import { syntheticRecord } from '../report/records';
import { makeImageFolder } from '../runs/image-folder';
import { planned, sweepStudy } from './sweep-study';

describe('sweepPlan', () => {
  let images: string;
  let runs: string;
  const specOf = (changes: Partial<RunSpecInput>): RunSpec =>
    parseRunSpec({
      dataset: images,
      backbone: 'efficientnet_lite0.tf_in1k',
      weights: 'random',
      imageSize: 64,
      epochs: 3,
      limits: { trainPerClass: 4, testPerClass: 2 },
      ...changes,
    });
  const plan = () =>
    sweepPlan({ studies: [sweepStudy.name], scale: 'smoke', datasets: [images], runs, imagesPerSecond: 10 });
  before(async () => {
    images = await makeImageFolder();
    runs = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-sweep-plan-'));
  });
  after(() => [images, runs].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

  it('counts only the same run as finished: not one of another image size, precision, learning rate or seed', async () => {
    const finished = specOf({});
    const others = [{ imageSize: 32 }, { precision: 'bfloat16' }, { optimizer: { learningRate: 0.5 } }, { seed: 1 }];
    planned.specs = [finished, ...others.map((changes) => specOf(changes as Partial<RunSpecInput>))];
    const { id } = await identifyRun(finished);
    await new RunStore(runs).put({ ...syntheticRecord({ dataset: path.basename(images) }), id }, []);
    const { missing, seconds, rows, hours } = await plan();
    assert.equal(missing, 4);
    // 2 classes of 4 training images, 10 a second; the folder has an unknown number of classes: ten are assumed.
    assert.deepEqual(seconds, [0, 12, 12, 12, 12]);
    assert.ok(Math.abs(hours! - 48 / 3600) < 1e-12);
    assert.equal(
      rows.reduce((sum, row) => sum + row.missing, 0),
      4,
    );
  });

  it('makes a run of two studies once', async () => {
    planned.specs = [specOf({ seed: 3 }), specOf({ seed: 3 })];
    const { specs: unique, missing, rows } = await plan();
    assert.deepEqual([unique.length, missing], [1, 1]);
    assert.deepEqual(rows[0].seeds, [3]);
  });

  it('has a row for each varied value, evaluated on validation images unless it is told otherwise', async () => {
    planned.specs = [specOf({ seed: 5 })];
    const options = { studies: [sweepStudy.name], scale: 'smoke', datasets: [images], runs, imagesPerSecond: 10 };
    const vary = { 'optimizer.learningRate': [0.003, 0.01] };
    const { rows, specs, titleOf } = await sweepPlan({ ...options, vary });
    assert.deepEqual(
      rows.map(({ varied, missing }) => [varied, missing]),
      [
        ['learning rate 0.003', 1],
        ['learning rate 0.01', 1],
      ],
    );
    assert.deepEqual([...new Set(specs.map(({ evaluateOn }) => evaluateOn))], ['validation']);
    assert.match(titleOf(specs[0]), /seed 5, learning rate 0\.003$/);
    const onTest = await sweepPlan({ ...options, vary, evaluateOn: 'test' });
    assert.deepEqual([...new Set(onTest.specs.map(({ evaluateOn }) => evaluateOn))], ['test']);
  });

  it('takes runs of one backbone, image size, batch size and regularizer for equally fast', () => {
    assert.equal(paceKey(specOf({ seed: 1 })), paceKey(specOf({ seed: 2, epochs: 9 })));
    assert.notEqual(paceKey(specOf({})), paceKey(specOf({ imageSize: 32 })));
  });
});
