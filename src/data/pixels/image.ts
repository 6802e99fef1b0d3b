// What an image is in memory, and which files of a folder count as images.

/** RGB pixels, `[height, width, 3]`, 0 to 255, row by row from the top left. */
export interface Image {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** Endings of image files (lower case): those of torchvision's ImageFolder, .gif and .avif. */
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

/** Whether a file's name has one of `IMAGE_ENDINGS`. */
export const isImageName = (file: string): boolean =>
  IMAGE_ENDINGS.some((ending) => file.toLowerCase().endsWith(ending));

/** An image that PIL reads and this kit does not: to be converted. */
export class UnsupportedImage extends Error {}
