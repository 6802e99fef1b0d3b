// The pixel cache: what it holds, and that one that is not whole is never taken for whole.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { datasets } from '../../../src/data/catalog';
import type { Dataset, Sample } from '../../../src/data/dataset';
import { carveValidation, limitPerClass } from '../../../src/data/splits';
import { decode } from '../../../src/data/pixels/decode';
import { resizeShortSide } from '../../../src/data/pixels/resize';
import { openPixelCache, verifyPixelCache } from '../../../src/data/pixels/pixel-cache';
import { KitError } from '../../../src/base/errors';
import { filesBelow, makeImageFolder, useFreshHome } from '../fresh-home';

const byFile = (samples: Sample[]) => [...samples].sort((a, b) => (a.file < b.file ? -1 : 1));

describe('openPixelCache', function () {
  this.timeout(20_000);
  const home = useFreshHome();
  let dataset: Dataset;
  const caches = () => filesBelow(path.join(home.path, 'pixels')).filter((file) => file.includes('.pixels'));
  const root = () => path.join(home.path, 'pets');
  beforeEach(async () => {
    await makeImageFolder(root(), { train: { cat: 14, dog: 11 }, test: { cat: 4, dog: 5 } });
    dataset = await datasets.fromFolder(root());
  });

  it('holds every image, decoded and resized, sorted by file', async () => {
    const reports: number[] = [];
    const cache = await openPixelCache(dataset, {
      shortSide: 24,
      onProgress: ({ done, total, unit }) => reports.push(done) && assert.deepEqual([total, unit], [34, 'images']),
    });
    assert.deepEqual(
      reports,
      Array.from({ length: 35 }, (_, i) => i),
    );
    assert.deepEqual(
      cache.entries.map(({ file, label }) => ({ file, label })),
      byFile([...dataset.train, ...dataset.test]),
    );
    const bytes = fs.readFileSync(cache.path);
    for (const { file, offset, width, height } of cache.entries) {
      const expected = resizeShortSide(await decode(path.join(dataset.root, file)), 24);
      assert.deepEqual([width, height], [expected.width, expected.height]);
      assert.equal(Math.min(width, height), 24);
      assert.ok(bytes.subarray(offset, offset + width * height * 3).equals(expected.pixels), file);
    }
    assert.equal(caches().length, 1);
  });

  it('of a data set with a name of 240 characters has a name that the disk takes', async () => {
    const long = path.join(home.path, 'n'.repeat(240));
    fs.renameSync(root(), long);
    await openPixelCache(await datasets.fromFolder(long), { shortSide: 8 });
    assert.equal(caches().length, 1);
    await verifyPixelCache(await openPixelCache(await datasets.fromFolder(long), { shortSide: 8 }));
  });

  it('is the same when threads make it, and names a damaged image then too', async () => {
    await makeImageFolder(path.join(home.path, 'many'), { train: { cat: 40, dog: 31 }, test: { cat: 4, dog: 5 } });
    const many = await datasets.fromFolder(path.join(home.path, 'many'));
    const cache = await openPixelCache(many, { shortSide: 24 });
    assert.deepEqual(
      cache.entries.map(({ file, label }) => ({ file, label })),
      byFile([...many.train, ...many.test]),
    );
    const bytes = fs.readFileSync(cache.path);
    for (const { file, offset, width, height } of cache.entries) {
      assert.ok(
        bytes
          .subarray(offset, offset + width * height * 3)
          .equals(resizeShortSide(await decode(path.join(many.root, file)), 24).pixels),
        file,
      );
    }
    const damaged = path.join(many.root, 'train/dog/5.png');
    fs.truncateSync(damaged, 600);
    await assert.rejects(
      openPixelCache(many, { shortSide: 25 }),
      (error: unknown) =>
        error instanceof KitError &&
        error.message.includes(damaged) &&
        /class "dog"/.test(error.message) &&
        error.fix !== '',
    );
    assert.equal(caches().length, 1);
  });

  it('is made once, and reads no image after', async () => {
    const first = await openPixelCache(dataset, { shortSide: 24 });
    fs.rmSync(root(), { recursive: true });
    assert.deepEqual(
      await openPixelCache(dataset, { shortSide: 24, onProgress: () => assert.fail('nothing to do') }),
      first,
    );
    await verifyPixelCache(first);
  });

  it('of a part holds that part alone, and the whole gets its own', async () => {
    const part = { ...dataset, train: limitPerClass(dataset.train, 3, 0), test: limitPerClass(dataset.test, 2, 0) };
    const small = await openPixelCache(part, { shortSide: 24 });
    assert.deepEqual(
      small.entries.map(({ file }) => file),
      byFile([...part.train, ...part.test]).map(({ file }) => file),
    );
    const smaller = { ...dataset, train: part.train.slice(1), test: part.test };
    assert.deepEqual(await openPixelCache(smaller, { shortSide: 24 }), small);
    const whole = await openPixelCache(dataset, { shortSide: 24 });
    assert.equal(whole.entries.length, 34);
    await verifyPixelCache(small);
    assert.deepEqual(await openPixelCache(part, { shortSide: 24 }), small, 'still there');
    const other = { ...dataset, train: limitPerClass(dataset.train, 3, 1), test: [] };
    assert.deepEqual(
      await openPixelCache(other, { shortSide: 24, onProgress: () => assert.fail('nothing to decode') }),
      whole,
    );
  });

  it('is shared by a validation split, and not by another size or other images', async () => {
    const first = await openPixelCache(dataset, { shortSide: 24 });
    assert.deepEqual(
      await openPixelCache(carveValidation(dataset, { fraction: 0.2, seed: 1 }), { shortSide: 24 }),
      first,
    );
    assert.notEqual((await openPixelCache(dataset, { shortSide: 25 })).path, first.path);
    fs.copyFileSync(path.join(root(), 'train/cat/0.png'), path.join(root(), 'train/cat/1.png'));
    assert.notEqual((await openPixelCache(await datasets.fromFolder(root()), { shortSide: 24 })).path, first.path);
  });

  it('names an image that is damaged and its class, and leaves nothing', async () => {
    const file = path.join(root(), 'train/dog/5.png');
    fs.truncateSync(file, fs.statSync(file).size >> 1);
    await assert.rejects(
      openPixelCache(dataset, { shortSide: 24 }),
      (error: unknown) =>
        error instanceof KitError &&
        error.message.includes(file) &&
        /class "dog"/.test(error.message) &&
        error.fix !== '',
    );
    fs.rmSync(file);
    await assert.rejects(
      openPixelCache(dataset, { shortSide: 24 }),
      (error: unknown) =>
        error instanceof KitError && error.message.includes(file) && /class "dog"/.test(error.message),
    );
    assert.deepEqual(caches(), []);
  });

  it('stops when aborted, and leaves nothing', async () => {
    const control = new AbortController();
    await assert.rejects(
      openPixelCache(dataset, {
        shortSide: 24,
        signal: control.signal,
        onProgress: ({ done }) => done === 5 && control.abort(),
      }),
      { name: 'AbortError' },
    );
    await assert.rejects(openPixelCache(dataset, { shortSide: 24, signal: control.signal }), { name: 'AbortError' });
    assert.deepEqual(caches(), []);
  });

  it('is rebuilt when it is truncated, has a damaged index or is another file', async () => {
    const first = await openPixelCache(dataset, { shortSide: 24 });
    const whole = fs.readFileSync(first.path);
    const flipped = (at: number) => {
      const bytes = Buffer.from(whole);
      bytes[at < 0 ? whole.length + at : at] ^= 4;
      return bytes;
    };
    const damaged: Buffer[] = [
      whole.subarray(0, -1),
      whole.subarray(0, whole.length >> 1),
      Buffer.alloc(0),
      Buffer.alloc(500),
      Buffer.concat([whole, whole]),
      flipped(-64),
      flipped(-50),
      flipped(-30),
      flipped(-100),
    ];
    for (const [i, bytes] of damaged.entries()) {
      fs.writeFileSync(first.path, bytes);
      let decoded = 0;
      assert.deepEqual(
        await openPixelCache(dataset, { shortSide: 24, onProgress: ({ done }) => (decoded = done) }),
        first,
        String(i),
      );
      assert.equal(decoded, 34, String(i));
      assert.ok(fs.readFileSync(first.path).equals(whole), String(i));
    }
  });

  it('finds a flipped bit among the pixels when asked to look at all, and names the image', async () => {
    const first = await openPixelCache(dataset, { shortSide: 24 });
    const whole = fs.readFileSync(first.path);
    const bytes = Buffer.from(whole);
    bytes[first.entries[7].offset + 100] ^= 1;
    fs.writeFileSync(first.path, bytes);
    assert.deepEqual(await openPixelCache(dataset, { shortSide: 24 }), first, 'not by its index');
    await assert.rejects(
      verifyPixelCache(first),
      (error: unknown) =>
        error instanceof KitError && error.message.includes(first.entries[7].file) && error.fix.includes(first.path),
    );
    await openPixelCache(dataset, { shortSide: 24, verify: true });
    assert.ok(fs.readFileSync(first.path).equals(whole));
  });

  it('two processes at once do not spoil each other, and a killed one leaves nothing that counts', async () => {
    const script = `const { datasets } = require(process.argv[1] + '/catalog.js'); const { openPixelCache } = require(process.argv[1] + '/pixels/pixel-cache.js');
      datasets.fromFolder(process.argv[2]).then((d) => openPixelCache(d, { shortSide: 24, onProgress: (p) => { if (p.done === 3 && process.argv[3]) process.kill(process.pid, 'SIGKILL'); } })).then((c) => console.log(c.hash))`;
    const data = path.join(__dirname, '..', '..', '..', 'src', 'data');
    const run = (...more: string[]) => promisify(execFile)(process.execPath, ['-e', script, data, root(), ...more]);
    await assert.rejects(run('kill'), { signal: 'SIGKILL' });
    assert.equal(caches().length, 1);
    assert.match(caches()[0], /\.partial-/);
    const [one, two] = await Promise.all([run(), run()]);
    assert.equal(one.stdout, two.stdout);
    const cache = await openPixelCache(dataset, { shortSide: 24, onProgress: () => assert.fail('it is there') });
    assert.equal(cache.hash, one.stdout.trim());
    await verifyPixelCache(cache);
    assert.deepEqual(caches(), [path.basename(cache.path)]);
  });

  it('refuses a short side that is no whole number from 1', async () => {
    for (const shortSide of [0, -1, 1.5, NaN]) await assert.rejects(openPixelCache(dataset, { shortSide }), KitError);
  });
});
