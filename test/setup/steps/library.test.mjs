import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { runSteps } from '../../../setup/run.mjs';
import library, { pinnedLibrary } from '../../../setup/steps/library.mjs';
import { makeWheel, pipFinds, recorder, scratchFolder, testContext } from '../scratch.mjs';

describe('the library step', () => {
  const scratch = scratchFolder();
  const wheels = () => path.join(scratch.path, 'wheels');
  pipFinds(wheels);
  /** A context in which the pinned library is a wheel made by hand. */
  function handMade(members) {
    fs.mkdirSync(wheels());
    const wheel = makeWheel(wheels(), members);
    const ctx = testContext(path.join(scratch.path, 'home'), { platform: 'linux-x64' });
    ctx.pins = {
      tensorflow: {
        version: '1.0',
        libraries: { 'linux-x64-cpu': { tested: true, unpackedBytes: 1000, wheels: [wheel] } },
      },
    };
    ctx.paths = { ...ctx.paths, deps: path.join(scratch.path, 'package', 'deps') };
    return ctx;
  }
  const whole = {
    'tensorflow/libtensorflow_cc.so.2': 'cc',
    'tensorflow/libtensorflow_framework.so.2': 'framework',
    'tensorflow/include/tensorflow/c/c_api.h': 'api',
  };

  it('extracts and links the library; after `npm ci` it links the library again without a download', async () => {
    const ctx = handMade({ ...whole, 'tensorflow/python/x.py': '' });
    assert.equal(library.done(ctx), null);
    await library.run(ctx);
    assert.match(library.done(ctx), /is installed/);
    assert.equal(fs.readFileSync(path.join(ctx.paths.deps, 'lib', 'libtensorflow.so'), 'utf8'), 'cc');
    assert.equal(fs.readFileSync(path.join(ctx.paths.deps, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8'), 'api');
    assert.deepEqual(fs.readdirSync(ctx.paths.deps).sort(), ['.set-up.json', 'include', 'lib']);
    assert.deepEqual(fs.readdirSync(ctx.paths.cache), []); // the wheel is not kept

    fs.rmSync(wheels(), { recursive: true }); // no second download
    fs.rmSync(ctx.paths.deps); // what `npm ci` does
    assert.equal(library.done(ctx), null);
    assert.match(await library.run(ctx), /linked again/);
    assert.match(library.done(ctx), /is installed/);
  }).timeout(20_000);

  it('is not done when a file is missing or has another size, and extracts it again', async () => {
    const ctx = handMade(whole);
    await library.run(ctx);
    fs.truncateSync(path.join(ctx.paths.deps, 'lib', 'libtensorflow_cc.so.2'), 1);
    assert.equal(library.done(ctx), null);
    await library.run(ctx);
    assert.match(library.done(ctx), /is installed/);
    fs.rmSync(path.join(ctx.paths.deps, 'include', 'tensorflow', 'c', 'c_api.h'));
    assert.equal(library.done(ctx), null);
  }).timeout(20_000);

  it('leaves no files when the wheel does not have the library', async () => {
    const ctx = handMade({ 'tensorflow/libtensorflow_cc.so.2': 'cc' });
    await assert.rejects(library.run(ctx), /does not hold libtensorflow_framework\.so\.2/);
    assert.deepEqual(fs.readdirSync(ctx.paths.libraries), []);
    assert.deepEqual(fs.readdirSync(ctx.paths.cache), []);
    assert.equal(fs.existsSync(ctx.paths.deps), false);
  }).timeout(20_000);

  it('refuses a wheel with another hash, and leaves no files', async () => {
    const ctx = handMade(whole);
    ctx.pins.tensorflow.libraries['linux-x64-cpu'].wheels[0].sha256 = '0'.repeat(64);
    const { ok, steps: report } = await runSteps([library], ctx, recorder());
    assert.equal(ok, false);
    assert.match(report[0].detail, /its sha256 should be 0{64}/);
    assert.match(report[0].fix, /do not use the file/);
    assert.deepEqual(fs.readdirSync(ctx.paths.cache), []);
    assert.equal(fs.existsSync(ctx.paths.deps), false);
  }).timeout(20_000);

  it('uses a wheel in the cache, and keeps it', async () => {
    const ctx = handMade({ ...whole, 'nvidia/cuda_nvcc/bin/ptxas': 'assembler' });
    const [{ file }] = ctx.pins.tensorflow.libraries['linux-x64-cpu'].wheels;
    fs.mkdirSync(ctx.paths.cache, { recursive: true });
    fs.renameSync(path.join(wheels(), file), path.join(ctx.paths.cache, file)); // pip could not get it
    await library.run(ctx);
    assert.deepEqual(fs.readdirSync(ctx.paths.cache), [file]);
    const tool = fs.statSync(path.join(ctx.paths.deps, 'nvidia', 'cuda_nvcc', 'bin', 'ptxas'));
    assert.equal(tool.mode & 0o777, 0o755, "NVIDIA's tools can be run");
  }).timeout(20_000);

  it('lists the pinned platforms when there is no library for this one', () => {
    const ctx = testContext(scratch.path);
    assert.throws(
      () => pinnedLibrary({ ...ctx, platform: 'win32-x64' }),
      /linux-x64-cpu, linux-x64-gpu, linux-arm64-cpu, darwin-arm64-cpu/,
    );
    assert.throws(
      () => pinnedLibrary({ ...ctx, platform: 'darwin-arm64', device: 'gpu' }),
      (error) => /RIFLE_DEVICE=cpu/.test(error.fix),
    );
  });
});
