// Records as danfo frames, on the kit's one engine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { tf } from '../../../src/engine/tensorflow';
import { epochsFrame, runsFrame } from '../../../src/report/frames/frames';
import { failed, syntheticRecord, syntheticStudy } from '../records';

describe('frames', function () {
  this.timeout(60_000);
  const records = syntheticStudy({ 'fine-tuning': [0.8, 0.9], rifle: [0.7, 1] });

  it('have one row a run, whose groups have the means that they should', () => {
    const frame = runsFrame(records);
    assert.deepEqual(frame.shape, [4, 20]);
    assert.deepEqual(frame.column('top1').values, [0.8, 0.9, 0.7, 1]);
    assert.equal(frame.column('top1').dtypes[0], 'float32');
    assert.deepEqual(frame.column('resets').values, ['', '', '4, 8', '4, 8']);
    const grouped = frame.groupby(['method']).agg({ top1: ['mean', 'count'] });
    assert.deepEqual(grouped.values, [
      ['fine-tuning', 0.8500000000000001, 2],
      ['rifle', 0.85, 2],
    ]);
  });

  it('have one row a run and epoch', () => {
    const frame = epochsFrame(records);
    assert.deepEqual(frame.shape, [32, 19]);
    assert.deepEqual(frame.column('epoch').values.slice(0, 9), [1, 2, 3, 4, 5, 6, 7, 8, 1]);
    assert.equal(frame.column('headReset').values.filter((reset) => reset === true).length, 4);
    assert.equal(frame.query(frame.column('epoch').eq(8)).shape[0], 4);
    assert.deepEqual(runsFrame([]).shape, [0, 20]);
    assert.deepEqual(epochsFrame([]).columns.slice(0, 3), ['run', 'dataset', 'backbone']);
  });

  it('hold a run that failed in its first epoch, with NaN for its numbers', () => {
    const frame = runsFrame([failed(syntheticRecord(), 1)]);
    assert.deepEqual([frame.column('epochs').values, frame.column('run').values.length], [[0], 1]);
    for (const name of ['top1', 'trainTop1', 'loss', 'trainLoss', 'imagesPerSecond'])
      assert.ok(Number.isNaN(frame.column(name).values[0]), name);
    assert.equal(epochsFrame([failed(syntheticRecord(), 1)]).shape[0], 0);
  });

  it('use the one engine and leave no tensors', () => {
    const danfo = require('danfojs-node') as { tensorflow: unknown };
    assert.equal(danfo.tensorflow, tf);
    const before = tf.memory().numTensors;
    epochsFrame(records);
    assert.equal(tf.memory().numTensors, before);
  });

  it('cost nothing until one is asked for', () => {
    const file = path.join(__dirname, '..', '..', '..', 'src', 'report', 'frames', 'frames.js');
    const script = `require(${JSON.stringify(file)}); process.exit(Object.keys(require.cache).some((f) => /danfojs|tfjs-core|tfjs-node-gpu/.test(f)) ? 1 : 0)`;
    assert.equal(
      spawnSync(process.execPath, ['-e', script]).status,
      0,
      'neither danfo nor TensorFlow is loaded by the import',
    );
  });
});
