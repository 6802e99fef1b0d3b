// One image: decoded to RGB bytes, and resized exactly as PIL does it.
import fsp from 'node:fs/promises';
import sharp from 'sharp';
import { KitError } from '../../base/errors';
import { imageKind } from './image-kind';

/** RGB pixels, `[height, width, 3]`, 0 to 255, row by row from the top left. */
export interface Image {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Endings of the files that are taken for images (lower case): those of torchvision's ImageFolder, .gif and .avif. */
export const IMAGE_ENDINGS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
  '.bmp',
  '.ppm',
  '.pgm',
];

/**
 * Most pixels of an image: more than these PIL takes for a decompression bomb, and refuses (2 x
 * `Image.MAX_IMAGE_PIXELS`).
 */
const MOST_PIXELS = 178_956_970;

/**
 * The pixels of an image file, as PIL's `Image.open(file).convert('RGB')`, which torchvision's loader uses: grey
 * becomes RGB by repeating, an
 * alpha channel is left out, four inks become RGB by PIL's formula, 16-bit grey is cut off at 255 (all else with 16
 * bits is divided by 256),
 * an animation gives its first picture, colour profiles and EXIF orientation are not applied. Equal to it bit for bit
 * on the files
 * tested.
 * @throws KitError when the file is missing, is no image that can be read, or is truncated; when it has more than
 *   178,956,970 pixels, as
 *   in PIL; and where PIL could but this cannot: BMP, PPM, and GIF with transparent pixels.
 */
export async function decode(file: string): Promise<Image> {
  try {
    return await decodeBytes(await fsp.readFile(file));
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s*\n\s*/g, '; ');
    const tooLarge = /exceeds pixel limit/.test(reason);
    const otherKind = /\.(bmp|ppm|pgm)$/i.test(file) || cause instanceof NotThisKind;
    throw new KitError(
      `The image ${file} cannot be decoded: ${tooLarge ? `it has more than ${MOST_PIXELS} pixels, as many as PIL and torchvision refuse` : reason}.`,
      {
        fix: tooLarge
          ? 'Make it smaller, or delete it.'
          : otherKind
            ? 'Convert it to PNG, or delete it.'
            : 'The file is truncated, damaged or no image: fetch it again, or delete it.',
        cause,
      },
    );
  }
}

/** An image that PIL can read and this cannot. */
class NotThisKind extends Error {}

async function decodeBytes(bytes: Buffer): Promise<Image> {
  const input = () => sharp(bytes, { ignoreIcc: true, failOn: 'truncated', limitInputPixels: MOST_PIXELS });
  let kind = imageKind(bytes);
  if (kind === 'ask') {
    const { space } = await input().metadata();
    kind = space === 'cmyk' || space === 'grey16' ? space : 'plain';
  }
  if (kind === 'cmyk') {
    const { data, info } = await input()
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: inksToRgb(data) };
  }
  if (kind === 'grey16') {
    const { data, info } = await input()
      .pipelineColourspace('grey16')
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: deepGreyToRgb(data, info.channels) };
  }
  if (kind === 'gif' && !(await input().stats()).isOpaque)
    throw new NotThisKind('it is a GIF with transparent pixels, whose colours are not known here as they are in PIL');
  const { data, info } = await input()
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

/**
 * PIL's conversion of cyan, magenta, yellow and black (Convert.c, `cmyk2rgb`): (255 - ink) (255 - black) / 255,
 * rounded, without a colour profile.
 */
function inksToRgb(inks: Buffer): Uint8Array {
  const pixels = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, at = 0; from < inks.length; from += 4) {
    const light = 255 - inks[from + 3];
    for (let i = 0; i < 3; i++) {
      const product = inks[from + i] * light + 128;
      pixels[at++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return pixels;
}

/** PIL's conversion of 16-bit grey: what is above 255 is white. */
function deepGreyToRgb(data: Buffer, channels: number): Uint8Array {
  const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const pixels = new Uint8ClampedArray((values.length / channels) * 3);
  for (let from = 0, at = 0; from < values.length; from += channels, at += 3) pixels.fill(values[from], at, at + 3);
  return new Uint8Array(pixels.buffer);
}

const PRECISION_BITS = 22; // of the fixed-point weights: 32 - 8 (bits of a pixel) - 2 (room), as in Pillow's Resample.c

/**
 * Which input pixels an output pixel is made of: `count[i]` from `first[i]` on, with `weights[i * taps ...]`, summing
 * to about 2^22.
 */
interface Taps {
  taps: number;
  first: Int32Array;
  count: Int32Array;
  weights: Int32Array;
}

/** The triangle filter along one axis, widened by the scale when shrinking: what makes the resize antialiased. */
function triangleTaps(inputSize: number, outputSize: number): Taps {
  const scale = inputSize / outputSize;
  const support = Math.max(scale, 1);
  const inverse = 1 / support;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputSize);
  const count = new Int32Array(outputSize);
  const weights = new Int32Array(outputSize * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < outputSize; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(inputSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let k = 0; k < high - low; k++) {
      exact[k] = Math.max(0, 1 - Math.abs((k + low - center + 0.5) * inverse));
      sum += exact[k];
    }
    for (let k = 0; k < high - low; k++)
      weights[i * taps + k] = Math.trunc(0.5 + (exact[k] / sum) * (1 << PRECISION_BITS));
    first[i] = low;
    count[i] = high - low;
  }
  return { taps, first, count, weights };
}

/**
 * `image` at another size by PIL's antialiased bilinear filter, bit for bit: `Image.resize((width, height),
 * Image.BILINEAR)`, which is
 * torchvision's default. Two passes in fixed point with 22 bits, rounded to 8 bits between them: along rows and then
 * along columns, but, as
 * Pillow does since version 13, the other way round when the height shrinks by more than twice as many pixels as the
 * width (where
 * earlier versions may differ by one grey level).
 */
export function resizeBilinear(image: Image, width: number, height: number): Image {
  for (const [name, size] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(size) || size < 1)
      throw new KitError(`An image's ${name} must be a whole number of pixels from 1, found ${size}.`);
  }
  if (width === image.width && height === image.height) return { ...image, pixels: image.pixels.slice() };
  const rowsFirst = !(image.height > height && image.height - height > (image.width - width) * 2);
  return rowsFirst ? alongColumns(alongRows(image, width), height) : alongRows(alongColumns(image, height), width);
}

/*
 * The two passes below are where preparing a data set spends its time. Whole-number products by Math.imul, and sums cut
 * to 32 bits, keep
 * the engine from checking each for overflow; the columns' pass goes over four rows at once, so that sums stay in
 * registers.
 */

function alongRows(image: Image, width: number): Image {
  if (width === image.width) return image;
  const { taps, first, count, weights } = triangleTaps(image.width, width);
  const { height, pixels } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.imul(y, image.width * 3);
    for (let x = 0; x < width; x++, at += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = (row + Math.imul(first[x], 3)) | 0;
      const start = Math.imul(x, taps);
      const end = (start + count[x]) | 0;
      for (let k = start; k < end; k = (k + 1) | 0, from = (from + 3) | 0) {
        const weight = weights[k];
        red = (red + Math.imul(pixels[from], weight)) | 0;
        green = (green + Math.imul(pixels[from + 1], weight)) | 0;
        blue = (blue + Math.imul(pixels[from + 2], weight)) | 0;
      }
      out[at] = red >> PRECISION_BITS;
      out[at + 1] = green >> PRECISION_BITS;
      out[at + 2] = blue >> PRECISION_BITS;
    }
  }
  return { width, height, pixels: out };
}

function alongColumns(image: Image, height: number): Image {
  if (height === image.height) return image;
  const { taps, first, count, weights } = triangleTaps(image.height, height);
  const stride = image.width * 3;
  const { pixels } = image;
  const out = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    const start = Math.imul(y, taps);
    const at = Math.imul(y, stride);
    let row = Math.imul(first[y], stride);
    let left = count[y];
    if (left > 4) sums.fill(HALF);
    // Four rows at a time while there are more; the last up to four give the pixels. A row that is not there has the
    // weight 0.
    for (let k = start; ; k += 4, row += 4 * stride, left -= 4) {
      const second = left > 1 ? row + stride : row;
      const third = left > 2 ? second + stride : row;
      const fourth = left > 3 ? third + stride : row;
      const [a, b, c, d] = [
        weights[k],
        left > 1 ? weights[k + 1] : 0,
        left > 2 ? weights[k + 2] : 0,
        left > 3 ? weights[k + 3] : 0,
      ];
      if (left > 4) addRows(sums, pixels, row, second, third, fourth, a, b, c, d);
      else {
        lastRows(out, at, stride, count[y] > 4 ? sums : undefined, pixels, row, second, third, fourth, a, b, c, d);
        break;
      }
    }
  }
  return { width: image.width, height, pixels: out };
}

function addRows(
  sums: Int32Array,
  pixels: Uint8Array,
  first: number,
  second: number,
  third: number,
  fourth: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  for (let x = 0; x < sums.length; x++) {
    sums[x] +=
      Math.imul(pixels[first + x], a) +
      Math.imul(pixels[second + x], b) +
      Math.imul(pixels[third + x], c) +
      Math.imul(pixels[fourth + x], d);
  }
}

function lastRows(
  out: Uint8Array,
  at: number,
  stride: number,
  sums: Int32Array | undefined,
  pixels: Uint8Array,
  first: number,
  second: number,
  third: number,
  fourth: number,
  a: number,
  b: number,
  c: number,
  d: number,
): void {
  if (sums === undefined) {
    for (let x = 0; x < stride; x = (x + 1) | 0) {
      const sum =
        (HALF +
          Math.imul(pixels[first + x], a) +
          Math.imul(pixels[second + x], b) +
          Math.imul(pixels[third + x], c) +
          Math.imul(pixels[fourth + x], d)) |
        0;
      out[at + x] = sum >> PRECISION_BITS;
    }
    return;
  }
  for (let x = 0; x < stride; x = (x + 1) | 0) {
    const sum =
      (sums[x] +
        Math.imul(pixels[first + x], a) +
        Math.imul(pixels[second + x], b) +
        Math.imul(pixels[third + x], c) +
        Math.imul(pixels[fourth + x], d)) |
      0;
    out[at + x] = sum >> PRECISION_BITS;
  }
}

const HALF = 1 << (PRECISION_BITS - 1); // so that the shift rounds

/**
 * The size, `[width, height]`, of a `width` x `height` image whose short side becomes `size`: the long side is
 * truncated (torchvision).
 */
export function shortSideSize(width: number, height: number, size: number): [number, number] {
  return width <= height ? [size, Math.trunc((size * height) / width)] : [Math.trunc((size * width) / height), size];
}

/** `image` with its short side at `size` pixels and its shape kept: torchvision's `Resize(size)`. */
export function resizeShortSide(image: Image, size: number): Image {
  return resizeBilinear(image, ...shortSideSize(image.width, image.height, size));
}
