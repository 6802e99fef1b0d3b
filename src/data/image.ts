// One image: decoded to RGB bytes, and resized exactly as PIL does it.
import sharp from 'sharp';
import { KitError } from '../engine/errors';

/** RGB pixels, `[height, width, 3]`, 0 to 255, row by row from the top left. */
export interface Image {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Endings of the files that are taken for images (lower case). */
export const IMAGE_ENDINGS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'];

/**
 * The pixels of an image file: grey becomes RGB by repeating, an alpha channel is left out, colour profiles and EXIF orientation are not
 * applied, as PIL's `Image.open(file).convert('RGB')`, which torchvision's loader uses. Equal to it bit for bit on the JPEGs tested.
 * @throws KitError when the file is missing, is no image that can be read, or is truncated.
 */
export async function decode(file: string): Promise<Image> {
  try {
    const { data, info } = await sharp(file, { ignoreIcc: true, failOn: 'truncated' })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s*\n\s*/g, '; ');
    throw new KitError(`The image ${file} cannot be decoded: ${reason}.`, {
      fix: 'The file is truncated, damaged or no image: fetch it again, or delete it.',
      cause,
    });
  }
}

const PRECISION_BITS = 22; // of the fixed-point weights: 32 - 8 (bits of a pixel) - 2 (room), as in Pillow's Resample.c

/** Which input pixels an output pixel is made of: `count[i]` from `first[i]` on, with `weights[i * taps ...]`, summing to about 2^22. */
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
    for (let k = 0; k < high - low; k++) weights[i * taps + k] = Math.trunc(0.5 + (exact[k] / sum) * (1 << PRECISION_BITS));
    first[i] = low;
    count[i] = high - low;
  }
  return { taps, first, count, weights };
}

/**
 * `image` at another size by PIL's antialiased bilinear filter, bit for bit: `Image.resize((width, height), Image.BILINEAR)`, which is
 * torchvision's default. Two passes in fixed point with 22 bits, rounded to 8 bits between them: along rows and then along columns, but, as
 * Pillow does since version 13, the other way round when the height shrinks by more than twice as many pixels as the width (where
 * earlier versions may differ by one grey level).
 */
export function resizeBilinear(image: Image, width: number, height: number): Image {
  for (const [name, size] of [['width', width], ['height', height]] as const) {
    if (!Number.isInteger(size) || size < 1) throw new KitError(`An image's ${name} must be a whole number of pixels from 1, found ${size}.`);
  }
  if (width === image.width && height === image.height) return { ...image, pixels: image.pixels.slice() };
  const rowsFirst = !(image.height > height && image.height - height > (image.width - width) * 2);
  return rowsFirst ? alongColumns(alongRows(image, width), height) : alongRows(alongColumns(image, height), width);
}

function alongRows(image: Image, width: number): Image {
  if (width === image.width) return image;
  const { taps, first, count, weights } = triangleTaps(image.width, width);
  const { height, pixels } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++, at += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = row + first[x] * 3;
      const start = x * taps;
      for (let k = start, end = start + count[x]; k < end; k++, from += 3) {
        const weight = weights[k];
        red += pixels[from] * weight;
        green += pixels[from + 1] * weight;
        blue += pixels[from + 2] * weight;
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
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * taps + k];
      const row = (first[y] + k) * stride;
      for (let x = 0; x < stride; x++) sums[x] += pixels[row + x] * weight;
    }
    const at = y * stride;
    for (let x = 0; x < stride; x++) out[at + x] = sums[x] >> PRECISION_BITS;
  }
  return { width: image.width, height, pixels: out };
}

const HALF = 1 << (PRECISION_BITS - 1); // so that the shift rounds

/** The size, `[width, height]`, of a `width` x `height` image whose short side becomes `size`: the long side is truncated (torchvision). */
export function shortSideSize(width: number, height: number, size: number): [number, number] {
  return width <= height ? [size, Math.trunc((size * height) / width)] : [Math.trunc((size * width) / height), size];
}

/** `image` with its short side at `size` pixels and its shape kept: torchvision's `Resize(size)`. */
export function resizeShortSide(image: Image, size: number): Image {
  return resizeBilinear(image, ...shortSideSize(image.width, image.height, size));
}
