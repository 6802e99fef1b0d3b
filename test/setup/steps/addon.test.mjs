import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import addon, { compiledFrom, loaded } from '../../../setup/steps/addon.mjs';
import { stamp } from '../../../setup/system/stamp.mjs';
import { scratchFolder, testContext } from '../scratch.mjs';

describe('the addon step', () => {
  const scratch = scratchFolder();

  it('is done only while the compiled file is what was built and loaded', () => {
    const ctx = testContext(scratch.path, { platform: 'linux-x64' });
    const addonPackage = path.join(scratch.path, 'package');
    const file = path.join(addonPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
    const quiet = path.join(path.dirname(file), 'rifle_quiet.node');
    ctx.paths = { ...ctx.paths, addonPackage, addon: file, quiet };
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(path.join(addonPackage, 'package.json'), '{"version": "4.22.0"}');
    assert.equal(addon.done(ctx), null);
    fs.writeFileSync(file, 'compiled');
    fs.writeFileSync(quiet, 'compiled too');
    stamp(path.dirname(file), compiledFrom(ctx), loaded(ctx));
    assert.match(addon.done(ctx), /is built/);
    fs.writeFileSync(file, 'comp');
    assert.equal(addon.done(ctx), null);
    fs.writeFileSync(file, 'compiled');
    assert.match(addon.done(ctx), /is built/);
    fs.rmSync(quiet);
    assert.equal(addon.done(ctx), null);
    fs.writeFileSync(quiet, 'compiled too');
    assert.equal(addon.done({ ...ctx, device: 'gpu' }), null); // compiled, but never loaded with that library
  });
});
