// Steps: skipped when done, checked against the files, stopped at the first that fails; stamps, the lock, the line of
// progress.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { takeLocks, removeAbandoned } from '../../setup/lock.mjs';
import { Interrupted, Problem } from '../../setup/problem.mjs';
import { pendingSteps, runSteps } from '../../setup/run.mjs';
import { bar, duration } from '../../setup/screen.mjs';
import { isStamped, linkTarget, linkTo, stamp } from '../../setup/stamp.mjs';
import { steps } from '../../setup/steps.mjs';
import addon, { compiledFrom, loaded } from '../../setup/steps/addon.mjs';
import kernel from '../../setup/steps/kernel.mjs';
import library, { pinnedLibrary } from '../../setup/steps/library.mjs';
import { missingPackages } from '../../setup/steps/packages.mjs';
import { makeWheel, pipFinds, recorder, scratchFolder, testContext } from './scratch.mjs';

describe('runSteps', () => {
  const scratch = scratchFolder();
  /** A step that writes a file and stamps its folder, as the real ones do. */
  const writing = (name, inputs) => ({
    name,
    title: name,
    what: `writes ${name}`,
    seconds: 1,
    runs: 0,
    folder: () => path.join(scratch.path, name),
    done() {
      return isStamped(this.folder(), inputs.value) && fs.existsSync(path.join(this.folder(), 'made')) ? 'there' : null;
    },
    async run() {
      this.runs += 1;
      fs.mkdirSync(this.folder(), { recursive: true });
      fs.writeFileSync(path.join(this.folder(), 'made'), '');
      stamp(this.folder(), inputs.value);
      return 'made';
    },
  });
  const go = async (list, options) => {
    const ctx = { force: options?.force ?? false };
    ctx.pending = pendingSteps(list, ctx);
    const show = recorder();
    return { ...(await runSteps(list, ctx, show, options)), shown: show.lines };
  };

  it('does what is not done, and skips it the next time', async () => {
    const list = [writing('one', { value: 1 }), writing('two', { value: 2 })];
    const states = async () => (await go(list)).steps.map(({ state }) => state);
    assert.deepEqual(await states(), ['done', 'done']);
    assert.deepEqual(await states(), ['skipped', 'skipped']);
    assert.deepEqual(
      list.map(({ runs }) => runs),
      [1, 1],
    );
  });

  it('does a step again when its inputs changed or what it made has gone', async () => {
    const inputs = { value: 'old' };
    const step = writing('one', inputs);
    await go([step]);
    inputs.value = 'new';
    await go([step]);
    assert.equal(step.runs, 2);
    fs.rmSync(path.join(step.folder(), 'made')); // its stamp still stands
    await go([step]);
    assert.equal(step.runs, 3);
    await go([step], { force: true });
    assert.equal(step.runs, 4);
  });

  it('stops at the first step that fails, and says how to mend it', async () => {
    const failing = {
      ...writing('broken', { value: 1 }),
      run: async () => Promise.reject(new Problem('It broke.', { fix: 'Glue it.' })),
    };
    const after = writing('after', { value: 1 });
    const { ok, steps: report, shown } = await go([writing('one', { value: 1 }), failing, after]);
    assert.equal(ok, false);
    assert.deepEqual(
      report.map(({ name, state, fix }) => [name, state, fix]),
      [
        ['one', 'done', undefined],
        ['broken', 'failed', 'Glue it.'],
      ],
    );
    assert.equal(after.runs, 0);
    assert.deepEqual(shown.at(-1), { kind: 'failed', title: 'broken', detail: 'It broke.', fix: 'Glue it.' });
  });

  it('calls a full disk by its name', async () => {
    const full = {
      ...writing('one', { value: 1 }),
      run: async () => Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })),
    };
    const { steps: report } = await go([full]);
    assert.equal(report[0].detail, 'The disk is full.');
  });

  it('only looks when asked only to look', async () => {
    const step = writing('one', { value: 1 });
    const { ok, steps: report } = await go([step], { checkOnly: true });
    assert.equal(ok, false);
    assert.equal(report[0].state, 'to do');
    assert.equal(step.runs, 0);
  });
});

describe('the list of steps', () => {
  it('is in the order in which they need each other', () => {
    assert.deepEqual(
      steps.map(({ name }) => name),
      // prettier-ignore
      ['prerequisites', 'packages', 'shims', 'build', 'link', 'python', 'library', 'addon', 'kernel', 'weights', 'data', 'ray'],
    );
  });
});

describe('stamps and links', () => {
  const scratch = scratchFolder();

  it('hold for the same inputs only, and not when damaged', () => {
    stamp(scratch.path, { a: 1 });
    assert.equal(isStamped(scratch.path, { a: 1 }), true);
    assert.equal(isStamped(scratch.path, { a: 2 }), false);
    fs.writeFileSync(path.join(scratch.path, '.set-up.json'), '{"hash": "');
    assert.equal(isStamped(scratch.path, { a: 1 }), false);
  });

  it('replace a link, a file and a folder', () => {
    const link = path.join(scratch.path, 'link');
    assert.equal(linkTo(link, 'a'), true);
    assert.equal(linkTo(link, 'a'), false);
    assert.equal(linkTo(link, 'b'), true);
    assert.equal(linkTarget(link), 'b');
    fs.rmSync(link);
    fs.mkdirSync(path.join(link, 'below'), { recursive: true });
    assert.equal(linkTo(link, 'c'), true);
    assert.equal(linkTarget(link), 'c');
    assert.deepEqual(fs.readdirSync(scratch.path), ['link']);
  });
});

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
    ctx.places = { ...ctx.places, deps: path.join(scratch.path, 'package', 'deps') };
    return ctx;
  }
  const whole = {
    'tensorflow/libtensorflow_cc.so.2': 'cc',
    'tensorflow/libtensorflow_framework.so.2': 'framework',
    'tensorflow/include/tensorflow/c/c_api.h': 'api',
  };

  it('unpacks the wheel, links it, and finds it done afterwards, also when only the link has gone', async () => {
    const ctx = handMade({ ...whole, 'tensorflow/python/x.py': '' });
    assert.equal(library.done(ctx), null);
    await library.run(ctx);
    assert.match(library.done(ctx), /in place/);
    assert.equal(fs.readFileSync(path.join(ctx.places.deps, 'lib', 'libtensorflow.so'), 'utf8'), 'cc');
    assert.equal(fs.readFileSync(path.join(ctx.places.deps, 'include', 'tensorflow', 'c', 'c_api.h'), 'utf8'), 'api');
    assert.deepEqual(fs.readdirSync(ctx.places.deps).sort(), ['.set-up.json', 'include', 'lib']);
    assert.deepEqual(fs.readdirSync(ctx.places.cache), []); // the wheel is not kept

    fs.rmSync(wheels(), { recursive: true }); // no second download
    fs.rmSync(ctx.places.deps); // what `npm ci` does
    assert.equal(library.done(ctx), null);
    assert.match(await library.run(ctx), /linked again/);
    assert.match(library.done(ctx), /in place/);
  }).timeout(20_000);

  it('is not done when a library file was cut short or has gone, and mends it', async () => {
    const ctx = handMade(whole);
    await library.run(ctx);
    fs.truncateSync(path.join(ctx.places.deps, 'lib', 'libtensorflow_cc.so.2'), 1);
    assert.equal(library.done(ctx), null);
    await library.run(ctx);
    assert.match(library.done(ctx), /in place/);
    fs.rmSync(path.join(ctx.places.deps, 'include', 'tensorflow', 'c', 'c_api.h'));
    assert.equal(library.done(ctx), null);
  }).timeout(20_000);

  it('leaves nothing behind when the wheel does not hold the library', async () => {
    const ctx = handMade({ 'tensorflow/libtensorflow_cc.so.2': 'cc' });
    await assert.rejects(library.run(ctx), /does not hold libtensorflow_framework\.so\.2/);
    assert.deepEqual(fs.readdirSync(ctx.places.libraries), []);
    assert.deepEqual(fs.readdirSync(ctx.places.cache), []);
    assert.equal(fs.existsSync(ctx.places.deps), false);
  }).timeout(20_000);

  it('refuses a wheel with another hash, and leaves nothing behind', async () => {
    const ctx = handMade(whole);
    ctx.pins.tensorflow.libraries['linux-x64-cpu'].wheels[0].sha256 = '0'.repeat(64);
    const { ok, steps: report } = await runSteps([library], ctx, recorder());
    assert.equal(ok, false);
    assert.match(report[0].detail, /its sha256 should be 0{64}/);
    assert.match(report[0].fix, /do not use the file/);
    assert.deepEqual(fs.readdirSync(ctx.places.cache), []);
    assert.equal(fs.existsSync(ctx.places.deps), false);
  }).timeout(20_000);

  it('uses a wheel that lies in the cache, and leaves it there', async () => {
    const ctx = handMade({ ...whole, 'nvidia/cuda_nvcc/bin/ptxas': 'assembler' });
    const [{ file }] = ctx.pins.tensorflow.libraries['linux-x64-cpu'].wheels;
    fs.mkdirSync(ctx.places.cache, { recursive: true });
    fs.renameSync(path.join(wheels(), file), path.join(ctx.places.cache, file)); // pip could not get it
    await library.run(ctx);
    assert.deepEqual(fs.readdirSync(ctx.places.cache), [file]);
    const tool = fs.statSync(path.join(ctx.places.deps, 'nvidia', 'cuda_nvcc', 'bin', 'ptxas'));
    assert.equal(tool.mode & 0o777, 0o755, "NVIDIA's tools can be run");
  }).timeout(20_000);

  it('says which platforms are pinned', () => {
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

describe('the addon step', () => {
  const scratch = scratchFolder();

  it('is done only while the compiled file is what was built and loaded', () => {
    const ctx = testContext(scratch.path, { platform: 'linux-x64' });
    const addonPackage = path.join(scratch.path, 'package');
    const file = path.join(addonPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
    const quiet = path.join(path.dirname(file), 'rifle_quiet.node');
    ctx.places = { ...ctx.places, addonPackage, addon: file, quiet };
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

describe('the packages step', () => {
  const scratch = scratchFolder();
  function lay(wanted, held) {
    fs.writeFileSync(
      path.join(scratch.path, 'package-lock.json'),
      JSON.stringify({ packages: { '': {}, 'shims/x': {}, ...wanted } }),
    );
    for (const name of Object.keys(held)) fs.mkdirSync(path.join(scratch.path, name), { recursive: true });
    fs.mkdirSync(path.join(scratch.path, 'node_modules'), { recursive: true });
    fs.writeFileSync(path.join(scratch.path, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: held }));
    return missingPackages(scratch.path);
  }
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  it('finds what is there', () => assert.deepEqual(lay({ 'node_modules/a': a }, { 'node_modules/a': a }), []));
  it('finds a package that is missing', () => assert.deepEqual(lay({ 'node_modules/a': a }, {}), ['node_modules/a']));
  it('finds another version', () =>
    assert.deepEqual(lay({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }), [
      'node_modules/a',
    ]));
  it('lets a package for another platform be absent', () =>
    assert.deepEqual(lay({ 'node_modules/a': { ...a, optional: true } }, {}), []));
  it('finds a package whose folder has gone', () => {
    lay({ 'node_modules/a': a }, { 'node_modules/a': a });
    fs.rmdirSync(path.join(scratch.path, 'node_modules', 'a'));
    assert.deepEqual(missingPackages(scratch.path), ['node_modules/a']);
  });
});

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

describe('the lock', () => {
  const scratch = scratchFolder();
  const file = () => path.join(scratch.path, '.rifle', 'set-up.lock');

  it('makes a second set-up wait for the first', async () => {
    const places = { root: scratch.path, home: path.dirname(file()) };
    const release = await takeLocks(places);
    const waited = [];
    const second = takeLocks(places, { every: 5, onWait: (pid) => waited.push(pid) });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(waited, [process.pid]);
    release();
    (await second)();
    assert.equal(fs.existsSync(file()), false);
  });

  it('makes set-ups of two packages that share a home wait for each other, in whatever order', async () => {
    const place = (name) => ({ root: path.join(scratch.path, name), home: path.join(scratch.path, 'm') });
    for (const [one, other] of [
      ['a', 'z'],
      ['z', 'a'],
    ]) {
      const release = await takeLocks(place(one));
      let ready = false;
      const second = takeLocks(place(other), { every: 5 }).then((giveUp) => ((ready = true), giveUp));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(ready, false);
      release();
      (await second)();
    }
    const left = fs.readdirSync(scratch.path, { recursive: true }).filter((name) => name.endsWith('.lock'));
    assert.deepEqual(left, []);
  });

  it('gives up what it holds when it stops waiting, and takes a home of two names once', async () => {
    const shared = path.join(scratch.path, 'm');
    const release = await takeLocks({ root: path.join(scratch.path, 'a'), home: shared });
    const places = { root: path.join(scratch.path, 'b'), home: shared };
    await assert.rejects(takeLocks(places, { every: 5, signal: AbortSignal.timeout(20) }), Interrupted);
    release();
    fs.rmSync(path.join(places.root, '.rifle'), { recursive: true });
    fs.symlinkSync(shared, path.join(places.root, '.rifle'));
    (await takeLocks(places, { every: 5, signal: AbortSignal.timeout(1000) }))();
    assert.equal(fs.existsSync(path.join(shared, 'set-up.lock')), false);
  });

  it('says so when the home cannot be made', async () => {
    fs.writeFileSync(path.join(scratch.path, 'file'), '');
    await assert.rejects(
      takeLocks({ root: scratch.path, home: path.join(scratch.path, 'file', 'home') }),
      (error) =>
        error instanceof Problem && /file\/home cannot be made/.test(error.message) && /RIFLE_HOME/.test(error.fix),
    );
  });

  /** Takes the lock of a mark as a killed or foreign set-up left it; rejects when it is not taken within 0.3 s. */
  const takeFrom = async (mark) => {
    fs.mkdirSync(path.dirname(file()), { recursive: true });
    fs.writeFileSync(file(), JSON.stringify(mark));
    const places = { root: scratch.path, home: path.dirname(file()) };
    (await takeLocks(places, { every: 5, signal: AbortSignal.timeout(300) }))();
  };
  /** The mark that this process writes. */
  const ownMark = async () => {
    const release = await takeLocks({ root: scratch.path, home: path.dirname(file()) });
    const mark = JSON.parse(fs.readFileSync(file(), 'utf8'));
    release();
    return mark;
  };

  it('is taken over from a process that has gone, or whose id belongs to a later process', async () => {
    const mark = await ownMark();
    await takeFrom({ ...mark, pid: 999999999 }); // above any process id
    if (process.platform === 'linux') await takeFrom({ ...mark, start: '1' });
    await assert.rejects(takeFrom(mark), Interrupted, 'this process runs');
  });

  it('of another machine or an unknown form counts until it is no longer renewed', async () => {
    const foreign = { ...(await ownMark()), scope: 'elsewhere' };
    await assert.rejects(takeFrom(foreign), Interrupted);
    fs.writeFileSync(file(), '');
    const past = new Date(Date.now() - 120_000);
    fs.utimesSync(file(), past, past);
    await assert.rejects(takeFrom(foreign), Interrupted, 'writing renews it');
    fs.utimesSync(file(), past, past);
    (await takeLocks({ root: scratch.path, home: path.dirname(file()) }, { every: 5 }))();
  });

  it('left behind is taken by one of many at a time', async () => {
    const program = `
      import fs from 'node:fs';
      const { takeLocks } = await import(${JSON.stringify(new URL('../../setup/lock.mjs', import.meta.url).href)});
      const [root, inside] = process.argv.slice(1);
      const release = await takeLocks({ root, home: root + '/.rifle' }, { every: 1 });
      fs.writeFileSync(inside, '', { flag: 'wx' }); // throws when another set-up is inside
      await new Promise((resolve) => setTimeout(resolve, 20));
      fs.rmSync(inside);
      release();`;
    fs.mkdirSync(path.dirname(file()));
    fs.writeFileSync(file(), JSON.stringify({ ...(await ownMark()), pid: 999999999 }));
    const inside = path.join(scratch.path, 'inside');
    const runs = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, scratch.path, inside]),
    );
    await Promise.all(runs);
    assert.deepEqual(fs.readdirSync(path.dirname(file())), [], 'nothing is left');
  }).timeout(60_000);

  it('clears what such a process left half done, and nothing else', () => {
    for (const name of ['a.partial-999999999', `b.partial-${process.pid}`, 'c'])
      fs.mkdirSync(path.join(scratch.path, name));
    removeAbandoned(scratch.path);
    assert.deepEqual(fs.readdirSync(scratch.path).sort(), [`b.partial-${process.pid}`, 'c']);
  });
});

describe('the line of a running step', () => {
  it('tells the time left from the expected time, then from what is done', () => {
    assert.match(bar({ title: 'x', elapsed: 10, expected: 40 }), /████░{12} 10 s, about 30 s left/);
    assert.match(bar({ title: 'x', elapsed: 10, expected: 40, fraction: 0.5 }), /█{8}░{8} 10 s, about 10 s left/);
    assert.match(bar({ title: 'x', elapsed: 50, expected: 40 }), /longer than expected/);
  });
  it('says times as people do', () =>
    assert.deepEqual([0.31, 9.96, 41.2, 59.7, 125].map(duration), [
      '0.3 s',
      '10.0 s',
      '41 s',
      '1 min 0 s',
      '2 min 5 s',
    ]));
});
