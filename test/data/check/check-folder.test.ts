// The check of a data set: what it reports of made images, and its parts against hand calculation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { checkDataset } from '../../../src/data/check/check-folder';
import { differenceHash, factsOf } from '../../../src/data/check/inspect-image';
import { bitsApart, nearPairs } from '../../../src/data/check/near-duplicates';
import { readImageFolder } from '../../../src/data/folder/image-folder';
import { packageRoot } from '../../../src/base/home';
import { useFreshHome } from '../fresh-home';

const photo = (name: string): string => path.join(packageRoot(), 'test', 'fixtures', 'data', name);

describe('differenceHash', () => {
  it('has a bit for each pair of neighbours, 1 where the left one is brighter', () => {
    const pixels = new Uint8Array(9 * 8 * 3);
    const set = (x: number, y: number, value: number) => pixels.fill(value, (y * 9 + x) * 3, (y * 9 + x) * 3 + 3);
    set(0, 0, 200); // row 0: bright, then dark: the first bit
    set(8, 7, 200); // row 7: dark, then bright: no bit
    set(4, 2, 200); // row 2: up, then down: bit 4
    assert.equal(differenceHash({ width: 9, height: 8, pixels }), '8000080000000000');
  });
});

describe('nearPairs', () => {
  it('gives the pairs that differ in at most 3 bits, as comparing all does', () => {
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const hashes = Array.from(
      { length: 60 },
      () => BigInt(Math.floor(random() * 2 ** 32)) * 2n ** 32n + BigInt(Math.floor(random() * 2 ** 32)),
    ).flatMap((hash) =>
      [0, 1, 2, 3, 4, 5].map((count) => {
        let changed = hash;
        for (let i = 0; i < count; i++) changed ^= 1n << BigInt(Math.floor(random() * 64));
        return changed.toString(16).padStart(16, '0');
      }),
    );
    const all: [number, number][] = [];
    hashes.forEach((a, i) => hashes.slice(i + 1).forEach((b, k) => bitsApart(a, b) <= 3 && all.push([i, i + 1 + k])));
    assert.ok(all.length > 200);
    assert.deepEqual(nearPairs(hashes), all);
    assert.deepEqual(nearPairs([hashes[0], null, hashes[0]]), [[0, 2]]);
  });
});

describe('checkDataset', () => {
  const home = useFreshHome();

  it('finds duplicates, near duplicates, blank, tiny and unreadable images, and counts classes', async () => {
    const root = path.join(home.path, 'photos');
    const write = (file: string, bytes: Buffer) => {
      fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), bytes);
    };
    const [cat, rocket] = [fs.readFileSync(photo('cat-420.jpg')), fs.readFileSync(photo('rocket.jpg'))];
    write('train/a/cat.jpg', cat);
    write('train/a/tiny.png', await sharp(rocket).resize(20, 24, { fit: 'fill' }).png().toBuffer());
    write('train/b/rocket.jpg', rocket);
    write(
      'train/b/blank.png',
      await sharp({ create: { width: 50, height: 40, channels: 3, background: '#777' } })
        .png()
        .toBuffer(),
    );
    write('train/b/cut.jpg', cat.subarray(0, cat.length / 2));
    write('test/a/cat-again.jpg', cat);
    write('test/b/rocket-small.jpg', await sharp(rocket).resize(300).jpeg({ quality: 60 }).toBuffer());
    const report = await checkDataset(await readImageFolder(root));
    const files = (list: { file: string }[]) => list.map(({ file }) => file);
    assert.deepEqual(files(report.unreadable), ['train/b/cut.jpg']);
    assert.deepEqual(files(report.blank), ['train/b/blank.png']);
    assert.deepEqual(files(report.tiny), ['train/a/tiny.png']);
    assert.deepEqual(
      report.exact.map(({ first, second, acrossSplits, acrossClasses }) => [
        first.file,
        second.file,
        acrossSplits,
        acrossClasses,
      ]),
      [['train/a/cat.jpg', 'test/a/cat-again.jpg', true, false]],
    );
    const near = report.near.map(({ first, second }) => `${first.file} ${second.file}`);
    assert.ok(near.includes('train/b/rocket.jpg test/b/rocket-small.jpg'), near.join());
    assert.deepEqual(report.classes, [
      { name: 'a', train: 2, validation: 0, test: 1 },
      { name: 'b', train: 3, validation: 0, test: 1 },
    ]);
    assert.equal(report.imbalance, 1.5);
  });

  it('takes an image for blank by its grey values, not its size', () => {
    const pixels = new Uint8Array(300 * 300 * 3).fill(90);
    assert.equal(factsOf({ width: 300, height: 300, pixels }).contrast, 0);
    pixels.fill(160, 0, 300 * 150 * 3);
    assert.equal(factsOf({ width: 300, height: 300, pixels }).contrast, 70);
  });
});
