import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runPool, type RunSpecInput } from '../../src/index';
import { parseRunSpec } from '../../src/transfer';

describe('definitions of a study in the workers of a pool', function () {
  this.timeout(120_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'extension-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('are known there by their file: a network and a trick', async () => {
    // The file stays: workers of later tests in this process load it as well.
    const file = path.resolve('test/fixtures/extensions/workers.cjs');
    const { darker } = require(file) as { darker: () => { name: string } };
    const spec: RunSpecInput = {
      dataset: 'elpv',
      backbone: 'workers/squeezenet',
      weights: 'random',
      imageSize: 64,
      epochs: 1,
      batchSize: 16,
      optimizer: { learningRate: 1e-4 },
      tricks: [darker()],
      limits: { trainPerClass: 4, testPerClass: 4 },
    };
    const [record] = await runPool([parseRunSpec(spec)], { workers: 1, devices: [], runs: path.join(folder, 'runs') });
    assert.equal(record.status, 'finished');
    assert.equal(record.spec.backbone, 'workers/squeezenet');
    assert.deepEqual(record.spec.tricks, [{ name: 'workers/darker' }]);
  });
});
