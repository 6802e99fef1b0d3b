// Decoding and resizing against PIL; the values come from data-scripts/golden/pil_resize.py.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { decode } from '../../../src/data/pixels/decode';
import type { Image } from '../../../src/data/pixels/image';
import { resizeBilinear, resizeShortSide, shortSideSize } from '../../../src/data/pixels/resize';

const FIXTURES = path.join(packageRoot(), 'test', 'fixtures', 'data');
const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'pil.json'), 'utf8')) as {
  resizes: { input: string; width: number; height: number; sha256: string; first: number[] }[];
  decoded: { file: string; expected: string | null; sha256: string; width?: number; height?: number }[];
  ends: { file: string; shortSide: number; expected: string; sha256: string }[];
  others: { file: string; pixels: string }[];
};

/** The maker's noise: x <- 1664525 x + 1013904223 mod 2^32, byte x >> 24. */
function noise(width: number, height: number, seed: number): Image {
  const pixels = new Uint8Array(width * height * 3);
  let x = seed;
  for (let i = 0; i < pixels.length; i++) {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    pixels[i] = x >>> 24;
  }
  return { width, height, pixels };
}

const sha256 = (image: Image) => createHash('sha256').update(image.pixels).digest('hex');

function largestDifference(a: Image, b: Image): number {
  assert.deepEqual([a.width, a.height], [b.width, b.height]);
  return a.pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - b.pixels[i])), 0);
}

describe('resizeBilinear', () => {
  const inputs = [...new Set(golden.resizes.map(({ input }) => input))];
  for (const input of inputs) {
    it(`equals PIL bit for bit: ${input}`, async () => {
      const [, width, height, seed] = /^noise-(\d+)x(\d+)-(\d+)$/.exec(input) ?? [];
      const image = width
        ? noise(Number(width), Number(height), Number(seed))
        : await decode(path.join(FIXTURES, input));
      for (const expected of golden.resizes.filter((one) => one.input === input)) {
        const result = resizeBilinear(image, expected.width, expected.height);
        const size = `${expected.width}x${expected.height}`;
        assert.deepEqual([...result.pixels.subarray(0, 12)], expected.first, size);
        assert.equal(sha256(result), expected.sha256, size);
      }
    });
  }

  it('returns new pixels also for the same size', () => {
    const image = noise(4, 3, 1);
    const result = resizeBilinear(image, 4, 3);
    result.pixels[0] ^= 255;
    assert.notEqual(image.pixels[0], result.pixels[0]);
  });

  it('refuses a size that is no whole number from 1', () => {
    for (const size of [0, -1, 2.5, NaN]) assert.throws(() => resizeBilinear(noise(4, 3, 1), size, 3), KitError);
  });
});

describe('shortSideSize', () => {
  it("follows torchvision's rule: the long side is truncated", () => {
    assert.deepEqual(shortSideSize(500, 375, 256), [341, 256]); // 256 * 500 / 375 = 341.33
    assert.deepEqual(shortSideSize(333, 501, 256), [256, 385]); // 385.15
    assert.deepEqual(shortSideSize(299, 447, 128), [128, 191]); // 191.36
    assert.deepEqual(shortSideSize(100, 199, 256), [256, 509]); // 509.44
    assert.deepEqual(shortSideSize(300, 300, 110), [110, 110]);
  });
});

describe('decode', () => {
  for (const { file, expected, sha256: hash, width, height } of golden.decoded) {
    it(`is within one grey level of PIL: ${file}`, async () => {
      const image = await decode(path.join(FIXTURES, file));
      if (expected === null) assert.deepEqual([image.width, image.height], [width, height]);
      else assert.ok(largestDifference(image, await decode(path.join(FIXTURES, expected))) <= 1);
      // With the decoders of today it is even the same; a decoder that rounds otherwise may differ by one.
      if (sha256(image) !== hash)
        assert.notEqual(expected, null, 'differs from PIL: make a fixture of the decoded pixels to see by how much');
    });
  }

  for (const { file, shortSide, expected } of golden.ends) {
    it(`and resizeShortSide are within one grey level of PIL: ${file} at ${shortSide}`, async () => {
      const result = resizeShortSide(await decode(path.join(FIXTURES, file)), shortSide);
      assert.ok(largestDifference(result, await decode(path.join(FIXTURES, expected))) <= 1);
    });
  }

  for (const { file, pixels } of golden.others) {
    it(`sees ${file} as PIL's convert("RGB") does`, async () => {
      assert.deepEqual([...(await decode(path.join(FIXTURES, file))).pixels], [...Buffer.from(pixels, 'base64')]);
    });
  }

  it('names a file that is truncated, empty, no image or missing', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-image-'));
    try {
      const whole = fs.readFileSync(path.join(FIXTURES, 'rocket.jpg'));
      const files: Record<string, Buffer | null> = {
        'truncated.jpg': whole.subarray(0, whole.length / 2),
        'empty.jpg': Buffer.alloc(0),
        'text.png': Buffer.from('no image'),
        'missing.png': null,
        'truncated.png': fs.readFileSync(path.join(FIXTURES, 'cat-97x61.png')).subarray(0, 7000),
      };
      for (const [name, bytes] of Object.entries(files)) {
        const file = path.join(folder, name);
        if (bytes) fs.writeFileSync(file, bytes);
        await assert.rejects(
          decode(file),
          (error: unknown) => error instanceof KitError && error.message.includes(file) && error.fix !== '',
        );
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
