// Turns and mirrors pixels by EXIF's eight orientations.
import type { Image } from '../image';

/**
 * The image as it is to be seen when its stored pixels have EXIF's `orientation` (1 to 8; anything else leaves it as it
 * is). The same as PIL's `ImageOps.exif_transpose`.
 */
export function orient(image: Image, orientation: number): Image {
  if (!(orientation >= 2 && orientation <= 8)) return image;
  const { width, height, pixels } = image;
  const swaps = orientation >= 5;
  const [outWidth, outHeight] = swaps ? [height, width] : [width, height];
  const out = new Uint8Array(pixels.length);
  const [mirrorX, mirrorY] = [[2, 3, 7, 8].includes(orientation), [3, 4, 6, 7].includes(orientation)];
  for (let y = 0, to = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++, to += 3) {
      const [column, row] = swaps ? [y, x] : [x, y];
      const from = ((mirrorY ? height - 1 - row : row) * width + (mirrorX ? width - 1 - column : column)) * 3;
      out[to] = pixels[from];
      out[to + 1] = pixels[from + 1];
      out[to + 2] = pixels[from + 2];
    }
  }
  return { width: outWidth, height: outHeight, pixels: out };
}

/** The orientation that undoes `orientation`. */
export const inverseOrientation = (orientation: number): number =>
  orientation === 6 ? 8 : orientation === 8 ? 6 : orientation;
