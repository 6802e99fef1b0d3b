// Which square of an image goes into a batch, and how it gets there.
import type { RandomStream } from '../../base/random';

/** A square of an image: its top left corner, and whether the image is mirrored before it is cut. */
export interface Crop {
  top: number;
  left: number;
  mirror: boolean;
}

/**
 * Python's `int(round((length - size) / 2.0))`, which rounds halves to the even number: the offset of torchvision's
 * centre crop.
 */
export function centerOffset(length: number, size: number): number {
  const half = (length - size) / 2;
  const floor = Math.floor(half);
  return half - floor === 0.5 ? floor + (floor % 2) : Math.round(half);
}

/** torchvision's `CenterCrop(size)` of an image at least that large. */
export function centerCrop(width: number, height: number, size: number): Crop {
  return { top: centerOffset(height, size), left: centerOffset(width, size), mirror: false };
}

/**
 * The authors' `RandomHorizontalFlip()` and then `RandomCrop(size)`: mirrored with probability 1/2, then cut at a
 * uniformly random place.
 * Draws from `stream`, in this order: mirror, top, left.
 */
export function randomCrop(width: number, height: number, size: number, stream: RandomStream): Crop {
  const mirror = stream.uniform() < 0.5;
  return { mirror, top: stream.integer(height - size + 1), left: stream.integer(width - size + 1) };
}

/**
 * Copies the square `crop` of `size` pixels into `target` from byte `at` on. `rows` holds rows of `width` RGB pixels,
 * the first of which is the image's row `firstRow`.
 */
export function copyCrop(
  rows: Uint8Array,
  firstRow: number,
  width: number,
  crop: Crop,
  size: number,
  target: Uint8Array,
  at: number,
): void {
  for (let y = 0; y < size; y++) {
    const row = (crop.top - firstRow + y) * width;
    if (!crop.mirror) {
      const from = (row + crop.left) * 3;
      target.set(rows.subarray(from, from + size * 3), at);
      at += size * 3;
      continue;
    }
    // Column x of the crop is column left + x of the mirrored image, which is column width - 1 - left - x of the image.
    let from = (row + width - 1 - crop.left) * 3;
    for (let x = 0; x < size; x++, from -= 3, at += 3) {
      target[at] = rows[from];
      target[at + 1] = rows[from + 1];
      target[at + 2] = rows[from + 2];
    }
  }
}
