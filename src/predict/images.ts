// The images that a prediction is asked for: files, folders, or pixels; decoded ahead, in order.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../base/errors';
import { DecodePool } from '../data/pixels/decode-pool';
import { isImageName, IMAGE_ENDINGS, type Image } from '../data/pixels/image';
import { resizeShortSide } from '../data/pixels/resize';

/** Files, folders (searched below), or RGB pixels. */
export type ImageInput = string | Image | readonly (string | Image)[];

/** One image: its name, and a file or pixels. */
export interface NamedImage {
  name: string;
  source: string | Image;
}

/** One image that was decoded, or the reason why it was not. */
export type DecodedImage = { name: string } & ({ image: Image } | { message: string });

/**
 * The images of `input`, files below folders sorted by path.
 * @throws KitError `PREDICT_PATH_MISSING` for a path that does not exist, `PREDICT_NO_IMAGES` when there is none.
 */
export function listImages(input: ImageInput): NamedImage[] {
  const inputs = Array.isArray(input) ? (input as readonly (string | Image)[]) : [input as string | Image];
  const found = inputs.flatMap((each, i): NamedImage[] => {
    if (typeof each !== 'string') return [{ name: `image ${i + 1}`, source: each }];
    const stat = fs.statSync(each, { throwIfNoEntry: false });
    if (stat === undefined)
      throw new KitError(`There is no image or folder ${each}.`, {
        code: 'PREDICT_PATH_MISSING',
        fix: 'Check the path.',
      });
    return (stat.isDirectory() ? imagesBelow(each) : [each]).map((file) => ({ name: file, source: file }));
  });
  if (found.length === 0)
    throw new KitError(`No image was found in ${inputs.map(String).join(', ')}.`, {
      code: 'PREDICT_NO_IMAGES',
      fix: `Give files or folders with images. Images end in ${IMAGE_ENDINGS.join(', ')}.`,
    });
  return found;
}

/** Image files below a folder, sorted; hidden ones are left out. */
function imagesBelow(folder: string): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && fs.statSync(file).isDirectory());
      if (isFolder) return imagesBelow(file);
      return isImageName(entry.name) ? [file] : [];
    })
    .sort();
}

/**
 * The images with their short side at `shortSide` pixels, in order. `ahead` of them are decoded before they are asked
 * for, by threads where there are many.
 */
export async function* decodeImages(
  images: readonly NamedImage[],
  shortSide: number,
  ahead: number,
): AsyncGenerator<DecodedImage, void, undefined> {
  const pool = new DecodePool(images.length);
  const start = ({ name, source }: NamedImage): Promise<DecodedImage> => {
    const image =
      typeof source === 'string'
        ? pool.run(source, shortSide)
        : Promise.resolve(source).then((pixels) => resizeShortSide(pixels, shortSide));
    return image.then(
      (decoded) => ({ name, image: decoded }),
      (error: Error) => ({ name, message: error.message }),
    );
  };
  const pending: Promise<DecodedImage>[] = [];
  try {
    for (let next = 0; next < images.length || pending.length > 0;) {
      while (next < images.length && pending.length < ahead) pending.push(start(images[next++]));
      yield await pending.shift()!;
    }
  } finally {
    await Promise.all(pending);
    await pool.close();
  }
}
