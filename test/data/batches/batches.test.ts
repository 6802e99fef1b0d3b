// Batches: what is in them, that nothing but (seed, epoch, index) decides it, and that nothing hangs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { BatchLoader, type Batch, type BatchOptions } from '../../../src/data/batches/batches';
import { datasets } from '../../../src/data/catalog';
import type { Dataset } from '../../../src/data/dataset';
import { openPixelCache, type PixelCache } from '../../../src/data/pixels/pixel-cache';
import { KitError } from '../../../src/base/errors';
import { randomStream } from '../../../src/base/random';
import { makeImageFolder, useFreshHome } from '../fresh-home';

describe('BatchLoader', function () {
  this.timeout(20_000);
  const home = useFreshHome();
  let dataset: Dataset;
  let cache: PixelCache;
  let loaders: BatchLoader[] = [];
  const make = (options: Partial<BatchOptions> = {}) => {
    const loader = new BatchLoader(cache, dataset.train, {
      batchSize: 8,
      imageSize: 20,
      seed: 3,
      train: true,
      ...options,
    });
    loaders.push(loader);
    return loader;
  };
  beforeEach(async () => {
    await makeImageFolder(path.join(home.path, 'pets'), { train: { cat: 17, dog: 20 }, test: { cat: 1, dog: 1 } });
    dataset = await datasets.fromFolder(path.join(home.path, 'pets'));
    cache = await openPixelCache(dataset, { shortSide: 24 });
  });
  afterEach(async () => {
    await Promise.all(loaders.map((loader) => loader.close()));
    loaders = [];
  });

  type Copy = Omit<Batch, 'images' | 'labels'> & { images: Uint8Array; labels: number[] };
  const collect = async (loader: BatchLoader, epoch = 0, signal?: AbortSignal): Promise<Copy[]> => {
    const batches: Copy[] = [];
    for await (const batch of loader.epoch(epoch, { signal }))
      batches.push({ ...batch, images: batch.images.slice(), labels: [...batch.labels] });
    return batches;
  };
  const digest = (batches: Copy[]) => {
    const hash = createHash('sha256');
    for (const { images, labels } of batches) hash.update(images).update(Int32Array.from(labels));
    return hash.digest('hex');
  };
  const pixelsOf = (index: number) => {
    const { offset, width, height } = cache.entries.find(({ file }) => file === dataset.train[index].file)!;
    return { width, height, pixels: fs.readFileSync(cache.path).subarray(offset, offset + width * height * 3) };
  };
  /** The crop, pixel by pixel: mirrored as PIL's FLIP_LEFT_RIGHT, then cut. */
  const cut = (index: number, top: number, left: number, mirror: boolean, size = 20) => {
    const { width, pixels } = pixelsOf(index);
    const out: number[] = [];
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const column = mirror ? width - 1 - (left + x) : left + x;
        for (let channel = 0; channel < 3; channel++) out.push(pixels[((top + y) * width + column) * 3 + channel]);
      }
    }
    return out;
  };

  it('balances the classes, and gives the same batches when it starts within the epoch', async () => {
    const loader = make({ sampling: 'balanced' });
    const whole = await collect(loader, 1);
    const labels = whole.flatMap((batch) => batch.labels);
    const dogs = labels.filter((label) => label === 1).length; // of 37
    assert.ok(dogs === 18 || dogs === 19, `${dogs} of 37`);
    const rest: Copy[] = [];
    for await (const batch of make({ sampling: 'balanced' }).epoch(1, { from: 3 }))
      rest.push({ ...batch, images: batch.images.slice(), labels: [...batch.labels] });
    assert.equal(digest(rest), digest(whole.slice(3)));
  });

  it('for evaluation keeps the order and cuts from the centre', async () => {
    const batches = await collect(make({ train: false }));
    assert.deepEqual(
      batches.map(({ size, index, count }) => [size, index, count]),
      [
        [8, 0, 5],
        [8, 1, 5],
        [8, 2, 5],
        [8, 3, 5],
        [5, 4, 5],
      ],
    );
    assert.deepEqual(
      batches.flatMap(({ labels }) => labels),
      dataset.train.map(({ label }) => label),
    );
    const images = batches.flatMap((batch) => [...batch.images]);
    for (let index = 0; index < 37; index++) {
      const { width, height } = pixelsOf(index);
      // Python's round of the halves of 0, 1, 2, ...: 0 0 1 2, 2 2 3 4, 4 4 5 6, ...
      const offset = (length: number) => 2 * Math.floor((length - 20) / 4) + [0, 0, 1, 2][(length - 20) % 4];
      assert.deepEqual(
        images.slice(index * 1200, (index + 1) * 1200),
        cut(index, offset(height), offset(width), false),
        String(index),
      );
    }
  });

  it('takes no more memory than there are images, however large the batch may be', async () => {
    const [batch] = await collect(make({ batchSize: Number.MAX_SAFE_INTEGER, train: false }));
    assert.deepEqual([batch.size, batch.count, batch.images.length], [37, 1, 37 * 1200]);
    assert.equal(digest([batch]), digest(await collect(make({ batchSize: 37, train: false }))));
  });

  it('for training shuffles, mirrors and cuts by the streams of (seed, epoch, index)', async () => {
    for (const epoch of [0, 7]) {
      const batches = await collect(make(), epoch);
      const order = randomStream(3, 'shuffle', epoch).permutation(37);
      assert.deepEqual(
        batches.flatMap(({ labels }) => labels),
        [...order].map((index) => dataset.train[index].label),
      );
      const images = batches.flatMap((batch) => [...batch.images]);
      order.forEach((index, place) => {
        const stream = randomStream(3, 'crop', epoch, index);
        const { width, height } = pixelsOf(index);
        const mirror = stream.uniform() < 0.5;
        const top = stream.integer(height - 20 + 1);
        const left = stream.integer(width - 20 + 1);
        assert.deepEqual(
          images.slice(place * 1200, (place + 1) * 1200),
          cut(index, top, left, mirror),
          `${epoch} ${index}`,
        );
      });
    }
  });

  it('gives the same batches for any number of threads, any timing and any earlier epochs', async () => {
    const expected = digest(await collect(make(), 4));
    for (const workers of [1, 2, 3]) {
      const loader = make({ workers });
      const others = await Promise.all([collect(loader, 2)]);
      assert.notEqual(digest(others[0]), expected);
      const slow: Copy[] = [];
      for await (const batch of loader.epoch(4)) {
        await new Promise((resolve) => setTimeout(resolve, (batch.index % 3) * 10));
        slow.push({ ...batch, images: batch.images.slice(), labels: [...batch.labels] });
      }
      assert.equal(digest(slow), expected);
      assert.equal(digest(await collect(loader, 4)), expected, 'again, with the images checked already');
    }
    assert.notEqual(digest(await collect(make({ seed: 4 }), 4)), expected);
  });

  it('takes a batch larger than the data set, and a crop as large as the image', async () => {
    const batches = await collect(make({ batchSize: 100, imageSize: 24, train: false }));
    assert.deepEqual(
      batches.map(({ size }) => size),
      [37],
    );
    assert.equal(batches[0].images.length, 37 * 24 * 24 * 3);
  });

  it('prepares at most a few batches, and keeps each unchanged until the next is requested', async () => {
    const loader = make({ batchSize: 4 });
    const expected = await collect(loader, 1);
    for await (const batch of loader.epoch(1)) {
      await new Promise((resolve) => setTimeout(resolve, 15)); // time for the thread to spoil it
      assert.ok(Buffer.from(batch.images).equals(expected[batch.index].images), String(batch.index));
    }
  });

  it('counts the seconds waited', async () => {
    const loader = make();
    assert.equal(loader.waitedSeconds, 0);
    await collect(loader);
    const waited = loader.waitedSeconds;
    assert.ok(waited > 0);
    for await (const batch of loader.epoch(1))
      if (batch.index > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(loader.waitedSeconds - waited < 0.2, 'the 0.4 s of work of the consumer are not waiting');
  });

  it('can be left early and started again', async () => {
    const loader = make();
    const expected = digest(await collect(loader, 2));
    for await (const batch of loader.epoch(1)) if (batch.index === 1) break;
    assert.equal(digest(await collect(loader, 2)), expected);
  });

  it('stops when aborted, and can be started again', async () => {
    const loader = make();
    const control = new AbortController();
    let seen = 0;
    await assert.rejects(
      async () => {
        for await (const batch of loader.epoch(1, { signal: control.signal })) {
          seen++;
          if (batch.index === 1) control.abort();
        }
      },
      { name: 'AbortError' },
    );
    assert.equal(seen, 2);
    await assert.rejects(collect(loader, 1, control.signal), { name: 'AbortError' });
    assert.equal((await collect(loader, 1)).length, 5);
  });

  it('names the image whose pixels are damaged', async () => {
    const bytes = fs.readFileSync(cache.path);
    bytes[cache.entries[9].offset + 5] ^= 1;
    fs.writeFileSync(cache.path, bytes);
    await assert.rejects(
      collect(make()),
      (error: unknown) =>
        error instanceof KitError && error.message.includes(cache.entries[9].file) && error.fix.includes(cache.path),
    );
    fs.truncateSync(cache.path, cache.entries[30].offset);
    await assert.rejects(collect(make({ train: false })), KitError);
    fs.rmSync(cache.path);
    await assert.rejects(collect(make()), KitError, 'the thread cannot start');
  });

  it('refuses invalid options', async () => {
    const refuses = (options: Partial<BatchOptions>, code: string) => assert.throws(() => make(options), { code });
    refuses({ imageSize: 25 }, 'BATCH_CROP_TOO_LARGE');
    for (const value of [0, -1, 1.5, NaN]) {
      refuses({ batchSize: value }, 'BATCH_OPTION_INVALID');
      refuses({ imageSize: value }, 'BATCH_OPTION_INVALID');
      refuses({ workers: value }, 'BATCH_OPTION_INVALID');
    }
    const options = { batchSize: 8, imageSize: 20, seed: 3, train: true };
    assert.throws(() => new BatchLoader(cache, [], options), { code: 'BATCH_NO_IMAGES' });
    assert.throws(() => new BatchLoader(cache, [{ file: 'train/cat/99.png', label: 0 }], options), {
      code: 'BATCH_IMAGE_NOT_CACHED',
      message: /train\/cat\/99\.png/,
    });
    const loader = make();
    const first = loader.epoch(0);
    await first.next();
    await assert.rejects(loader.epoch(1).next(), { code: 'BATCH_EPOCH_BUSY' });
    await first.return();
    await loader.close();
    await assert.rejects(loader.epoch(0).next(), { code: 'BATCH_CLOSED' });
    await loader.close();
  });

  it('does not keep a process alive that forgets to close it', async () => {
    const script = `const { BatchLoader } = require(process.argv[1] + '/batches/batches.js');
      const [cache, samples] = JSON.parse(process.argv[2]);
      (async () => {
        const loader = new BatchLoader(cache, samples, { batchSize: 8, imageSize: 20, seed: 3, train: true });
        for await (const batch of loader.epoch(0)) if (process.argv[3] === 'break' && batch.index === 1) break;
        const abandoned = loader.epoch(1);
        await abandoned.next();
        console.log('end');
      })();`;
    const data = path.join(__dirname, '..', '..', '..', 'src', 'data');
    for (const how of ['all', 'break']) {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['-e', script, data, JSON.stringify([cache, dataset.train]), how],
        { timeout: 8000 },
      );
      assert.equal(stdout, 'end\n');
    }
  });
});
