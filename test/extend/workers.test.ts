import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadExtensions, runPool, type RunSpecInput } from '../../src/index';
import { packageRoot } from '../../src/base/home';
import { parseRunSpec } from '../../src/transfer';

describe('definitions of a study in the workers of a pool', function () {
  this.timeout(120_000);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'extension-'));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('are known there by their file in TypeScript: a network and a trick', async () => {
    const file = path.join(folder, 'workers.ts');
    const example = path.join(packageRoot(), 'dist', 'test', 'backbones', 'examples', 'squeezenet.js');
    const text = (broken: string): string => `import { defineBackbone, defineTrick } from 'rifle-kit/extend';
import { squeezeNet } from ${JSON.stringify(example)};
${broken}
defineBackbone({ ...squeezeNet, record: { ...squeezeNet.record, id: 'workers/squeezenet' } });
export const darker = defineTrick({ name: 'workers/darker', create: () => ({ images: (images) => images.mul(0.9) }) });
`;
    fs.writeFileSync(file, text('type None = null;'));
    await loadExtensions([file]);
    const spec: RunSpecInput = {
      dataset: 'elpv',
      backbone: 'workers/squeezenet',
      weights: 'random',
      imageSize: 64,
      epochs: 1,
      batchSize: 16,
      optimizer: { learningRate: 1e-4 },
      tricks: [{ name: 'workers/darker' }],
      limits: { trainPerClass: 4, testPerClass: 4 },
    };
    const options = { workers: 1, devices: [], runs: path.join(folder, 'runs') };
    const [record] = await runPool([parseRunSpec(spec)], options);
    assert.equal(record.status, 'finished');
    assert.equal(record.spec.backbone, 'workers/squeezenet');
    assert.deepEqual(record.spec.tricks, [{ name: 'workers/darker' }]);

    fs.writeFileSync(file, text('throw new Error("boom");'));
    const another = parseRunSpec({ ...spec, seed: 1 });
    await assert.rejects(runPool([another], options), { code: 'EXTENSION_FAILED', message: /workers\.ts:3: .*boom/ });
  });
});
