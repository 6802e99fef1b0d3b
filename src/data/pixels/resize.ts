// Resizes images exactly as PIL does.
import { KitError } from '../../base/errors';
import type { Image } from './image';

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
 * Image.BILINEAR)`, torchvision's default. Two passes in fixed point with 22 bits, rounded to 8 bits between them:
 * along rows, then along columns. As in Pillow since version 13, the order is reversed when the height shrinks by
 * more than twice as many pixels as the width (earlier versions may differ by one grey level there).
 * @throws KitError `IMAGE_SIZE_INVALID` when a side is no whole number from 1, or the result exceeds 2^31 bytes.
 */
export function resizeBilinear(image: Image, width: number, height: number): Image {
  for (const [name, size] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(size) || size < 1)
      throw new KitError(`An image's ${name} must be a whole number of pixels from 1, found ${size}.`, {
        code: 'IMAGE_SIZE_INVALID',
      });
  }
  if (width * Math.max(height, image.height) * 3 >= 2 ** 31)
    throw new KitError(`An image of ${image.width} x ${image.height} pixels cannot become ${width} x ${height}.`, {
      code: 'IMAGE_SIZE_INVALID',
      fix: 'Ask for a smaller size.',
    });
  if (width === image.width && height === image.height) return { ...image, pixels: image.pixels.slice() };
  const rowsFirst = !(image.height > height && image.height - height > (image.width - width) * 2);
  return rowsFirst ? alongColumns(alongRows(image, width), height) : alongRows(alongColumns(image, height), width);
}

/*
 * Preparing a data set spends its time in the two passes below. Whole-number products by Math.imul, and sums cut to 32
 * bits, keep the engine from checking each for overflow. The pass along columns takes four rows at once, so that sums
 * stay in registers.
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

/** Most pixels of an image that is resized by its short side: 48 MB, which only long thin images exceed. */
const MOST_RESIZED_PIXELS = 2 ** 24;

/**
 * `shortSideSize`, refused when it would take too much memory: a file of 200 bytes may hold 1 x 100,000 pixels.
 * @throws KitError `IMAGE_TOO_LARGE` when the result has more than 16,777,216 pixels.
 */
export function boundedSize(width: number, height: number, size: number): [number, number] {
  const resized = shortSideSize(width, height, size);
  if (resized[0] * resized[1] <= MOST_RESIZED_PIXELS) return resized;
  throw new KitError(
    `it has ${width} x ${height} pixels, which would become ${resized[0]} x ${resized[1]}: ` +
      `a resized image has at most ${MOST_RESIZED_PIXELS} pixels`,
    { code: 'IMAGE_TOO_LARGE', fix: 'Crop it, delete it, or choose a smaller image size.' },
  );
}

/**
 * `image` with its short side at `size` pixels and its shape kept: torchvision's `Resize(size)`.
 * @throws KitError `IMAGE_TOO_LARGE` when the result has more than 16,777,216 pixels.
 */
export function resizeShortSide(image: Image, size: number): Image {
  return resizeBilinear(image, ...boundedSize(image.width, image.height, size));
}
