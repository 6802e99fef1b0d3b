// Decodes an image file to RGB bytes, as PIL does.
import fsp from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { sharp } from '../../base/packages';
import { KitError } from '../../base/errors';
import { visible } from '../../base/visible';
import { avifOrientation } from './formats/avif';
import { bmpHeader, readBmp } from './formats/bmp';
import { inverseOrientation, orient } from './formats/orientation';
import { pnmHeader, readPnm } from './formats/pnm';
import { tiffHeader, tiffProblem } from './formats/tiff';
import { UnsupportedImage, type Image } from './image';
import { gifCoversScreen, imageFormat, jpegFrame, pngHeader, type ImageFormat } from './image-format';
import { boundedSize, resizeShortSide } from './resize';

/** Most pixels of an image: above these PIL assumes a decompression bomb and refuses (2 x `Image.MAX_IMAGE_PIXELS`). */
const MOST_PIXELS = 178_956_970;

const TOO_MANY_PIXELS = `it has more than ${MOST_PIXELS} pixels, which PIL and torchvision refuse too`;

/**
 * The pixels of an image file, as PIL's `Image.open(file).convert('RGB')`, which torchvision's loader uses: grey
 * becomes RGB by repeating, an alpha channel is left out, four inks become RGB by PIL's formula, 16-bit grey is cut
 * off at 255 (all else with 16 bits is divided by 256), an animation gives its first picture, colour profiles and
 * EXIF orientation are not applied (but that of TIFF is, as in PIL). Equal to PIL bit for bit on the files tested,
 * but for AVIF, which may differ by one grey level. The content decides the format, not the name: JPEG, PNG, WebP,
 * GIF, TIFF, AVIF, BMP, and portable maps (P1 to P6).
 * @throws KitError `IMAGE_UNREADABLE` when the file is missing, no regular file, no image, damaged or truncated;
 *   `IMAGE_TOO_LARGE` above 178,956,970 pixels, as in PIL; `IMAGE_UNSUPPORTED` where PIL would give pixels that this
 *   kit cannot give: some kinds of TIFF, and GIF with transparent pixels or a first picture smaller than the screen.
 */
export async function decode(file: string): Promise<Image> {
  return withFile(file, decodeBytes);
}

/**
 * `decode`, then `resizeShortSide`. Both sizes are known, and refused, before pixels are decoded.
 * @throws KitError as `decode`; `IMAGE_TOO_LARGE` also when the resized image would have more than 16,777,216 pixels.
 */
export async function decodeResized(file: string, shortSide: number): Promise<Image> {
  return withFile(file, async (bytes, format) => {
    const { width, height } = await readSize(bytes, format);
    boundedSize(width, height, shortSide);
    return resizeShortSide(await decodeBytes(bytes, format), shortSide);
  });
}

/** What `use` makes of a file's bytes; its errors become KitErrors that name the file. */
async function withFile<T>(file: string, use: (bytes: Buffer, format: ImageFormat) => Promise<T>): Promise<T> {
  try {
    const bytes = await readRegularFile(file);
    const format = imageFormat(bytes);
    if (format === undefined) throw new Error('its content is no image of a known format');
    return await use(bytes, format);
  } catch (cause) {
    const reason = visible((cause instanceof Error ? cause.message : String(cause)).replace(/\s*\n\s*/g, '; '), 300);
    const problem =
      cause instanceof KitError
        ? { code: cause.code, fix: cause.fix, why: reason }
        : /exceeds pixel limit/.test(reason)
          ? { code: 'IMAGE_TOO_LARGE', fix: 'Make it smaller, or delete it.', why: TOO_MANY_PIXELS }
          : cause instanceof UnsupportedImage
            ? { code: 'IMAGE_UNSUPPORTED', fix: 'Convert it to PNG, or delete it.', why: reason }
            : {
                code: 'IMAGE_UNREADABLE',
                fix: 'The file is truncated, damaged or no image: download or copy it again, or delete it.',
                why: reason,
              };
    const { code, fix, why } = problem;
    throw new KitError(`The image ${file} cannot be decoded: ${why}.`, { code, fix, cause });
  }
}

/** The bytes of a file. @throws Error when it is a folder, a pipe or a device: reading those may never end. */
async function readRegularFile(file: string): Promise<Buffer> {
  if (!(await fsp.stat(file)).isFile()) throw new Error('it is no regular file');
  return fsp.readFile(file);
}

const open = (bytes: Buffer, failOn: 'truncated' | 'error' = 'truncated'): Sharp =>
  sharp()(bytes, { ignoreIcc: true, failOn, limitInputPixels: MOST_PIXELS });

/** The size of an image's pixels as they are decoded, from its headers alone. */
async function readSize(bytes: Buffer, format: ImageFormat): Promise<{ width: number; height: number }> {
  if (format === 'bmp') return bmpHeader(bytes);
  if (format === 'pnm') return pnmHeader(bytes);
  const own = format === 'jpeg' ? jpegFrame(bytes) : format === 'png' ? pngHeader(bytes) : undefined;
  const { width, height } = own ?? (await open(bytes).metadata());
  if (!width || !height) throw new Error('its size is not known');
  const swaps = format === 'tiff' && tiffHeader(bytes).orientation >= 5;
  return swaps ? { width: height, height: width } : { width, height };
}

async function decodeBytes(bytes: Buffer, format: ImageFormat): Promise<Image> {
  switch (format) {
    case 'bmp':
    case 'pnm': {
      const { width, height } = await readSize(bytes, format);
      if (width * height > MOST_PIXELS) throw new Error('exceeds pixel limit');
      return format === 'bmp' ? readBmp(bytes) : readPnm(bytes);
    }
    case 'jpeg':
      return jpegFrame(bytes)?.components === 4 ? decodeInks(open(bytes)) : decodePlain(open(bytes));
    case 'png': {
      const header = pngHeader(bytes);
      const isDeepGrey = header?.depth === 16 && header.colourType === 0;
      return isDeepGrey ? decodeDeepGrey(open(bytes)) : decodePlain(open(bytes));
    }
    case 'tiff': {
      const header = tiffHeader(bytes);
      const problem = tiffProblem(header);
      if (problem !== undefined) throw new UnsupportedImage(`it is ${problem}, which is not read here as PIL reads it`);
      return orient(await decodeTiff(bytes), header.orientation);
    }
    case 'avif':
      return orient(await decodePlain(open(bytes)), inverseOrientation(avifOrientation(bytes)));
    case 'gif':
      if (!gifCoversScreen(bytes))
        throw new UnsupportedImage('it is a GIF whose first picture is smaller than its screen');
      if (!(await open(bytes).stats()).isOpaque)
        throw new UnsupportedImage('it is a GIF with transparent pixels, whose colours are not read here as in PIL');
      return decodePlain(open(bytes));
    case 'webp':
      return decodePlain(open(bytes));
  }
}

async function decodeTiff(bytes: Buffer): Promise<Image> {
  const input = open(bytes, 'error'); // what libtiff calls an error leaves black pixels behind
  const { space } = await input.metadata();
  if (space === 'cmyk') return decodeInks(input);
  return space === 'grey16' ? decodeDeepGrey(input) : decodePlain(input);
}

async function decodePlain(input: Sharp): Promise<Image> {
  const { data, info } = await input
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

async function decodeInks(input: Sharp): Promise<Image> {
  const { data, info } = await input
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: inksToRgb(data, info.channels) };
}

async function decodeDeepGrey(input: Sharp): Promise<Image> {
  const { data, info } = await input
    .pipelineColourspace('grey16')
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: deepGreyToRgb(data, info.channels) };
}

/**
 * PIL's conversion of cyan, magenta, yellow and black (Convert.c, `cmyk2rgb`): (255 - ink) (255 - black) / 255,
 * rounded, without a colour profile.
 */
function inksToRgb(inks: Buffer, channels: number): Uint8Array {
  const pixels = new Uint8Array((inks.length / channels) * 3);
  for (let from = 0, at = 0; from < inks.length; from += channels) {
    const light = 255 - inks[from + 3];
    for (let i = 0; i < 3; i++) {
      const product = inks[from + i] * light + 128;
      pixels[at++] = light - (((product >> 8) + product) >> 8);
    }
  }
  return pixels;
}

/** PIL's conversion of 16-bit grey: values above 255 are white. */
function deepGreyToRgb(data: Buffer, channels: number): Uint8Array {
  const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const pixels = new Uint8ClampedArray((values.length / channels) * 3);
  for (let from = 0, at = 0; from < values.length; from += channels, at += 3) pixels.fill(values[from], at, at + 3);
  return new Uint8Array(pixels.buffer);
}
