// Images of unusual kinds: the same pixels as PIL's convert("RGB") (data-scripts/golden/odd_images.py and
// image_formats.py), or refused with the file's name.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { decode, decodeResized } from '../../../src/data/pixels/decode';
import { resizeShortSide } from '../../../src/data/pixels/resize';
import { openPixelCache } from '../../../src/data/pixels/pixel-cache';
import { readImageFolder } from '../../../src/data/folder/image-folder';
import { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { makeImageFolder, useFreshHome } from '../fresh-home';

interface Golden {
  bombPixels: number;
  images: Record<string, { width: number; height: number; pixels: string } | { refused: string }>;
}

const folderOf = (name: string): string => path.join(packageRoot(), 'test', 'fixtures', 'data', name);
const goldenOf = (name: string): Golden =>
  JSON.parse(fs.readFileSync(path.join(folderOf(name), 'pil.json'), 'utf8')) as Golden;
const ODD = folderOf('odd');

/** Kinds that PIL reads and the kit refuses, by name. */
const REFUSED: readonly string[] = [
  'animated-transparent.gif',
  'associated-alpha.tif',
  'float.tif',
  'int32.tif',
  'lab.tif',
  'lzma.tif',
  'signed.tif',
  'small-first.gif',
  'ycbcr.tif',
  'zstd.tif',
];

/** Grey levels by which a format may differ from PIL. */
const tolerance = (name: string): number => (name.endsWith('.avif') ? 1 : 0);

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

  const refuses = async (name: string, bytes: Buffer, code: string) => {
    const file = path.join(home.path, name);
    fs.writeFileSync(file, bytes);
    await assert.rejects(
      decode(file),
      (error: unknown) =>
        error instanceof KitError && error.code === code && error.message.includes(file) && error.fix !== '',
    );
  };

  for (const set of ['odd', 'formats']) {
    for (const [name, expected] of Object.entries(goldenOf(set).images)) {
      const file = path.join(folderOf(set), name);
      if (REFUSED.includes(name)) {
        it(`refuses ${name}, and says to convert it`, () => refuses(name, fs.readFileSync(file), 'IMAGE_UNSUPPORTED'));
      } else if ('refused' in expected) {
        it(`refuses ${name}, as PIL does`, async () => {
          const refusal = (error: KitError) => ['IMAGE_UNREADABLE', 'IMAGE_UNSUPPORTED'].includes(error.code);
          await assert.rejects(decode(file), refusal);
        });
      } else {
        it(`sees ${name} as PIL does`, async () => {
          const image = await decode(file);
          assert.deepEqual([image.width, image.height], [expected.width, expected.height]);
          const pixels = Buffer.from(expected.pixels, 'base64');
          assert.equal(image.pixels.length, pixels.length);
          const worst = pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - image.pixels[i])), 0);
          assert.ok(worst <= tolerance(name), `differs by ${worst}`);
        });
      }
    }
  }

  it('makes one pixel as large as is asked for', async () => {
    const one = await decode(path.join(ODD, 'one-pixel.png'));
    const { width, height, pixels } = resizeShortSide(one, 224);
    assert.deepEqual([width, height], [224, 224]);
    for (let i = 0; i < pixels.length; i++) assert.equal(pixels[i], one.pixels[i % 3]);
  });

  it('refuses 20,000 x 20,000 pixels as PIL does, and takes what is below its limit', async () => {
    assert.equal(goldenOf('odd').bombPixels, 178_956_970); // PIL refuses more than these
    await refuses('bomb.png', blackPng(20_000, 20_000), 'IMAGE_TOO_LARGE');
    await refuses('bomb.ppm', Buffer.from('P6 20000 20000 255\n'), 'IMAGE_TOO_LARGE');
    const file = path.join(home.path, 'long.png');
    fs.writeFileSync(file, blackPng(30_000, 10));
    assert.equal((await decode(file)).pixels.length, 900_000);
  });

  it('refuses to enlarge a long thin image, by its name, before it is decoded', async () => {
    for (const [width, height] of [
      [1, 200_000],
      [20_000, 2],
      [10_000_000, 1],
    ]) {
      const file = path.join(home.path, `thin-${width}.png`);
      fs.writeFileSync(file, blackPng(width, height));
      const memory = process.memoryUsage.rss();
      await assert.rejects(
        decodeResized(file, 256),
        (error: KitError) => error.code === 'IMAGE_TOO_LARGE' && error.message.includes(file),
      );
      assert.ok(process.memoryUsage.rss() - memory < 64 * 2 ** 20);
    }
    const [width, height] = [20_000, 2];
    assert.throws(() => resizeShortSide({ width, height, pixels: new Uint8Array(3 * width * height) }, 256), {
      code: 'IMAGE_TOO_LARGE',
    });
  });

  it('lets the content decide, not the name: SVG, PDF, HEIC and text are no images', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    for (const text of [svg, `<?xml version="1.0"?>\n${svg}`, '%PDF-1.7\n', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'])
      await refuses('image.png', Buffer.from(text, 'latin1'), 'IMAGE_UNREADABLE');
    const file = path.join(home.path, 'a.bmp');
    fs.copyFileSync(path.join(ODD, 'rgb-16.png'), file);
    assert.equal((await decode(file)).width, 8);
  });

  it('refuses what is no image, is cut off, or empty', async () => {
    await refuses('text.jpg', Buffer.from('no image at all, but more than thirty bytes of text'), 'IMAGE_UNREADABLE');
    await refuses('empty.png', Buffer.alloc(0), 'IMAGE_UNREADABLE');
    for (const [set, name] of [
      ['odd', 'cmyk.jpg'],
      ['odd', 'grey-16.png'],
      ['formats', 'turned-6.tif'],
      ['formats', 'tiff_deflate.tif'],
      ['formats', 'rle-8-whole.bmp'],
      ['formats', 'p5-deep.pgm'],
    ]) {
      const bytes = fs.readFileSync(path.join(folderOf(set), name));
      await refuses(name, bytes.subarray(0, bytes.length - Math.ceil(bytes.length / 4)), 'IMAGE_UNREADABLE');
    }
  });

  it('never reads a pipe or a folder', async () => {
    const pipe = path.join(home.path, 'pipe.png');
    execFileSync('mkfifo', [pipe]);
    for (const file of [pipe, home.path]) await assert.rejects(decode(file), { code: 'IMAGE_UNREADABLE' });
  });

  it('names the file when a folder holds a bad one', async () => {
    const root = path.join(home.path, 'photos');
    await makeImageFolder(root, { train: { a: 2, b: 2 }, test: { a: 1, b: 1 } });
    fs.writeFileSync(path.join(root, 'train', 'b', 'scan.bmp'), Buffer.from('BM, but no bitmap'));
    const dataset = await readImageFolder(root);
    await assert.rejects(
      openPixelCache(dataset, { shortSide: 8 }),
      (error: unknown) =>
        error instanceof KitError &&
        error.code === 'IMAGE_UNREADABLE' &&
        /train\/b\/scan\.bmp.*the class "b"/.test(error.message),
    );
  });
});
