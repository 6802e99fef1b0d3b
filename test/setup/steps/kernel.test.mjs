import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import kernel from '../../../setup/steps/kernel.mjs';
import { scratchFolder, testContext } from '../scratch.mjs';

describe('the kernel step', () => {
  const scratch = scratchFolder();

  it('registers the kernel rifle with absolute paths, once', async () => {
    const packages = path.join(scratch.path, 'venv', 'lib', 'python3.11', 'site-packages');
    fs.mkdirSync(packages, { recursive: true });
    const ctx = testContext(scratch.path);
    assert.equal(kernel.done(ctx), null);
    await kernel.run(ctx);
    assert.match(kernel.done(ctx), /registered/);
    const spec = JSON.parse(
      fs.readFileSync(path.join(scratch.path, 'venv', 'share', 'jupyter', 'kernels', 'rifle', 'kernel.json'), 'utf8'),
    );
    assert.equal(spec.display_name, 'TypeScript (rifle-kit)');
    assert.ok(spec.argv.slice(0, 2).every((part) => path.isAbsolute(part) && fs.existsSync(part)));
    assert.ok(spec.argv.some((part) => part.includes('{connection_file}')));
    const plugin = path.join(packages, 'rifle_papermill.dist-info');
    assert.match(
      fs.readFileSync(path.join(plugin, 'entry_points.txt'), 'utf8'),
      /\[papermill\.engine\]\nrifle = rifle_papermill:/,
    );
    for (const line of fs.readFileSync(path.join(plugin, 'RECORD'), 'utf8').trim().split('\n'))
      assert.ok(fs.existsSync(path.join(packages, line.split(',')[0])), line);
    fs.rmSync(path.join(packages, 'rifle_papermill.py'));
    assert.equal(kernel.done(ctx), null, 'the plugin belongs to it');
  });
});
