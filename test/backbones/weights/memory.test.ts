import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { writeSafetensors } from '../../../src/backbones/weights/readers/safetensors';
import type { StateDict } from '../../../src/backbones/weights/readers/state-dict';
import { packageRoot } from '../../../src/base/home';

describe('reading a large file of weights', function () {
  this.timeout(60_000);

  it('needs at most twice its size in memory (where the system reports the peak of a process)', async function () {
    if (!fs.existsSync('/proc/self/status')) return this.skip();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-large-'));
    try {
      const file = path.join(folder, 'large.safetensors');
      const weights: StateDict = new Map(
        Array.from({ length: 8 }, (_, i) => [
          `layer${i}.weight`,
          { shape: [2048, 2048], dtype: 'float32', data: new Float32Array(2048 * 2048).fill(i + 0.5) },
        ]),
      );
      await writeSafetensors(file, weights);
      const reader = JSON.stringify(path.join(packageRoot(), 'dist', 'src', 'backbones', 'weights', 'read.js'));
      const script = `const { readWeights } = require(${reader}); const rss = () => 1024 * Number(/VmHWM:\\s+(\\d+) kB/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1]); const before = rss();
        readWeights(process.argv[1]).then((read) => console.log(JSON.stringify({ bytes: rss() - before, last: read.get('layer7.weight').data[5] })));`;
      const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', script, file], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const { bytes, last } = JSON.parse(stdout) as { bytes: number; last: number };
      const { size } = fs.statSync(file);
      assert.equal(last, 7.5);
      assert.ok(bytes > size / 2 && bytes <= 2 * size, `${bytes} bytes for a file of ${size}`);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
