// What a data check looks at in one image: its size, whether it is blank, and a perceptual hash.
import { decode } from '../pixels/decode';
import type { Image } from '../pixels/image';
import { resizeBilinear } from '../pixels/resize';

/** What is known of an image. */
export interface ImageFacts {
  width: number;
  height: number;
  /** Largest difference of two grey values, 0 to 255, after shrinking to 64 x 64: a blank image has about 0. */
  contrast: number;
  /** 64-bit difference hash (dHash), 16 hexadecimal digits: similar images differ in few bits. */
  hash: string;
}

const BLANK_SIDE = 64;
const [HASH_WIDTH, HASH_HEIGHT] = [9, 8];

/** Grey values by ITU-R BT.601, as in PIL's `convert('L')` but for rounding. */
function grey({ pixels }: Image): Float64Array {
  const values = new Float64Array(pixels.length / 3);
  for (let i = 0; i < values.length; i++)
    values[i] = 0.299 * pixels[3 * i] + 0.587 * pixels[3 * i + 1] + 0.114 * pixels[3 * i + 2];
  return values;
}

/**
 * The difference hash of an image: shrunk to 9 x 8 grey values, one bit for each pair of neighbours in a row, row by
 * row, 1 where the left one is brighter (N. Krawetz, "Kind of Like That", 2013).
 */
export function differenceHash(image: Image): string {
  const values = grey(resizeBilinear(image, HASH_WIDTH, HASH_HEIGHT));
  let bits = 0n;
  for (let y = 0; y < HASH_HEIGHT; y++) {
    for (let x = 0; x + 1 < HASH_WIDTH; x++) {
      const at = y * HASH_WIDTH + x;
      bits = (bits << 1n) | (values[at] > values[at + 1] ? 1n : 0n);
    }
  }
  return bits.toString(16).padStart(16, '0');
}

/** The facts of pixels. */
export function factsOf(image: Image): ImageFacts {
  const { width, height } = image;
  const [smallWidth, smallHeight] = [Math.min(width, BLANK_SIDE), Math.min(height, BLANK_SIDE)];
  const values = grey(resizeBilinear(image, smallWidth, smallHeight));
  const contrast =
    values.reduce((most, value) => Math.max(most, value), 0) - values.reduce((a, b) => Math.min(a, b), 255);
  return { width, height, contrast: Math.round(contrast), hash: differenceHash(image) };
}

/** The facts of an image file. @throws KitError as `decode`. */
export const inspectImage = async (file: string): Promise<ImageFacts> => factsOf(await decode(file));
