// Images of unusual kinds: the same pixels as PIL's convert("RGB") (data-scripts/golden/odd_images.py), or refused with
// the file's name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { decode, resizeShortSide } from '../../../src/data/pixels/image';
import { openPixelCache } from '../../../src/data/pixels/pixel-cache';
import { readImageFolder } from '../../../src/data/image-folder';
import { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { makeImageFolder, useFreshHome } from '../fresh-home';

const ODD = path.join(packageRoot(), 'test', 'fixtures', 'data', 'odd');
const golden = JSON.parse(fs.readFileSync(path.join(ODD, 'pil.json'), 'utf8')) as {
  bombPixels: number;
  images: Record<string, { width: number; height: number; pixels: string }>;
};

/** Kinds that PIL reads and the kit refuses, by name. */
const REFUSED: Record<string, RegExp> = {
  'grey.pgm': /unsupported image format/,
  'rgb.ppm': /unsupported image format/,
  'animated-transparent.gif': /GIF with transparent pixels/,
};

/** A black PNG of one bit a pixel. */
function blackPng(width: number, height: number): Buffer {
  const chunk = (kind: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1; // bits
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('images of unusual kinds', function () {
  this.timeout(30_000);
  const home = useFreshHome();

  const refuses = async (name: string, bytes: Buffer, why: RegExp, fix = /./) => {
    const file = path.join(home.path, name);
    fs.writeFileSync(file, bytes);
    await assert.rejects(
      decode(file),
      (error: unknown) =>
        error instanceof KitError && error.message.includes(file) && why.test(error.message) && fix.test(error.fix),
    );
  };

  for (const [name, expected] of Object.entries(golden.images)) {
    if (REFUSED[name]) {
      it(`refuses ${name}, and says to convert it`, () =>
        refuses(name, fs.readFileSync(path.join(ODD, name)), REFUSED[name], /Convert it to PNG/));
      continue;
    }
    it(`sees ${name} as PIL does`, async () => {
      const image = await decode(path.join(ODD, name));
      assert.deepEqual([image.width, image.height], [expected.width, expected.height]);
      assert.ok(Buffer.from(image.pixels).equals(Buffer.from(expected.pixels, 'base64')));
    });
  }

  it('makes one pixel as large as is asked for', async () => {
    const one = await decode(path.join(ODD, 'one-pixel.png'));
    const { width, height, pixels } = resizeShortSide(one, 224);
    assert.deepEqual([width, height], [224, 224]);
    for (let i = 0; i < pixels.length; i++) assert.equal(pixels[i], one.pixels[i % 3]);
  });

  it('refuses 20,000 x 20,000 pixels as PIL does, and takes what is below its limit', async () => {
    assert.equal(golden.bombPixels, 178_956_970); // PIL refuses more than these
    await refuses(
      'bomb.png',
      blackPng(20_000, 20_000),
      /more than 178956970 pixels, as many as PIL and torchvision refuse/,
    );
    const file = path.join(home.path, 'long.png');
    fs.writeFileSync(file, blackPng(30_000, 10));
    assert.equal((await decode(file)).pixels.length, 900_000);
  });

  it('refuses what is no image, is cut off, or empty', async () => {
    await refuses(
      'text.jpg',
      Buffer.from('no image at all, but more than thirty bytes of text'),
      /unsupported image format/,
      /no image/,
    );
    await refuses('empty.png', Buffer.alloc(0), /./);
    for (const name of ['cmyk.jpg', 'grey-16.png']) {
      const bytes = fs.readFileSync(path.join(ODD, name));
      await refuses(name, bytes.subarray(0, bytes.length - Math.ceil(bytes.length / 4)), /./);
    }
  });

  it('names the file when a folder holds a bad one', async () => {
    const root = path.join(home.path, 'photos');
    await makeImageFolder(root, { train: { a: 2, b: 2 }, test: { a: 1, b: 1 } });
    fs.writeFileSync(path.join(root, 'train', 'b', 'scan.bmp'), Buffer.from('BM, a kind that is not read'));
    const dataset = await readImageFolder(root);
    await assert.rejects(
      openPixelCache(dataset, { shortSide: 8 }),
      (error: unknown) =>
        error instanceof KitError &&
        /train\/b\/scan\.bmp.*the class "b"/.test(error.message) &&
        /Convert it to PNG/.test(error.fix),
    );
  });
});
