// All images of a data set, decoded and resized once, as uint8 RGB in one file with an index and a hash: what training
// reads.
import { createHash } from 'node:crypto';
import fsp, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { KitError } from '../../base/errors';
import { kitHome } from '../../base/home';
import type { OnProgress } from '../../base/progress';
import { makeAtomically } from '../../base/files/atomic';
import { mapConcurrently } from '../../base/files/concurrently';
import { damagedPixels } from './damaged-pixels';
import { allSamples, type Dataset, type Sample } from '../dataset';
import { DecodePool } from './decode-pool';
import type { Image } from './image';

/** One image in a pixel cache. */
export interface PixelEntry {
  /** As in the data set's samples. */
  file: string;
  label: number;
  /** Byte in the cache file at which its pixels start: `[height, width, 3]`, RGB, 0 to 255. */
  offset: number;
  width: number;
  height: number;
  /** CRC-32 of its pixels: checked when they are first read for a batch. */
  crc32: number;
}

/** A pixel cache that is whole: its index agrees with its size and its hash. */
export interface PixelCache {
  path: string;
  /** Length of every image's short side in pixels. */
  shortSide: number;
  /** sha256 (hexadecimal) of the index, which holds the sha256 of all pixels. */
  hash: string;
  /** Sorted by file, training and test images alike. */
  entries: PixelEntry[];
}

/** How to open a pixel cache. */
export interface PixelCacheOptions {
  /** Length that every image's short side is resized to, in pixels. */
  shortSide: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** Check every pixel too (as `verifyPixelCache`), and rebuild the cache when one differs. Default false. */
  verify?: boolean;
}

/*
 * The file: the pixels of all images, one after another; the index (JSON); and 64 bytes: the magic, the index's offset
 * and length as little-endian 64-bit integers, its sha256, 8 zeros. Written front to back, its end says that it is
 * whole.
 */
const MAGIC = Buffer.from('RIFLEPX1');
const TRAILER_BYTES = 64;
/** Characters of a data set's name that a cache's name begins with: file systems bound names. */
const MOST_NAME = 80;
/** Raised when the layout changes, or when decoding or resizing gives other pixels. */
const FORMAT = 2;

interface Index {
  format: number;
  images: string;
  shortSide: number;
  pixelsSha256: string;
  entries: [file: string, label: number, offset: number, width: number, height: number, crc32: number][];
}

/**
 * A pixel cache in `kitHome('pixels')` that holds all images of `dataset`: the one of exactly these images; or one of
 * the same data set that holds more (so a part of a data set, limited or carved, shares the cache of the whole when
 * there is one); or it is made. Opening reads the index alone: a cache that is truncated or whose index is damaged is
 * rebuilt, and damaged pixels are found when they are first used, by their check sum.
 * @throws KitError that names the image, its class and what to do when one cannot be decoded, and when the disk is
 *   full; the signal's reason when aborted. Nothing is left behind then.
 */
export async function openPixelCache(dataset: Dataset, options: PixelCacheOptions): Promise<PixelCache> {
  const { shortSide, signal } = options;
  if (!Number.isInteger(shortSide) || shortSide < 1)
    throw new KitError(`The short side of a pixel cache must be a whole number of pixels from 1, found ${shortSide}.`, {
      code: 'PIXEL_CACHE_SIZE_INVALID',
    });
  signal?.throwIfAborted();
  const images = dataset.imagesHash ?? dataset.hash;
  const samples = [...new Map(allSamples(dataset).map((sample) => [sample.file, sample])).values()];
  samples.sort((a, b) => (a.file < b.file ? -1 : 1)); // a cache of the same name is the same, byte for byte
  const name = dataset.name.replace(/[^\w.-]/g, '_').slice(0, MOST_NAME);
  const prefix = `${name}-${shortSide}-${digest([FORMAT, images, shortSide])}-`;
  const own = `${prefix}${digest(samples.map(({ file }) => file))}.pixels`;
  const open = async (name: string) => {
    const cache = await readCache(kitHome('pixels', name), images, shortSide);
    if (cache && options.verify && (await firstDamaged(cache, signal))) return undefined;
    return cache;
  };
  const found = (await open(own)) ?? (await findLarger(prefix, samples, open));
  if (found) return found;
  await makeAtomically(
    kitHome('pixels', own),
    (partial) => writeCache(partial, dataset, samples, images, options),
    async () => (await open(own)) !== undefined,
  );
  const made = await open(own);
  if (made === undefined) {
    throw new KitError(
      `The pixel cache ${kitHome('pixels', own)} is damaged right after it was written: another program changed it, ` +
        'or the disk is failing.',
      { code: 'PIXEL_CACHE_DAMAGED', fix: 'Run again.' },
    );
  }
  return made;
}

/** The first 16 hexadecimal digits of a value's sha256. */
function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

/** A cache whose name starts with `prefix` and which holds all samples. */
async function findLarger(
  prefix: string,
  samples: readonly Sample[],
  open: (name: string) => Promise<PixelCache | undefined>,
): Promise<PixelCache | undefined> {
  const names = await fsp.readdir(kitHome('pixels')).catch(() => []);
  for (const name of names.sort()) {
    if (!name.startsWith(prefix) || !name.endsWith('.pixels')) continue;
    const cache = await open(name);
    const files = new Set(cache?.entries.map(({ file }) => file));
    if (samples.every(({ file }) => files.has(file))) return cache;
  }
  return undefined;
}

async function writeCache(
  partial: string,
  dataset: Dataset,
  samples: readonly Sample[],
  images: string,
  options: PixelCacheOptions,
): Promise<void> {
  const { shortSide, onProgress, signal } = options;
  const task = `decode ${dataset.name} at ${shortSide} px`;
  const pixelsHash = createHash('sha256');
  const entries: Index['entries'] = [];
  let offset = 0;
  onProgress?.({ task, done: 0, total: samples.length, unit: 'images' });
  const handle = await fsp.open(partial, 'wx');
  const pool = new DecodePool(samples.length);
  try {
    let lastWritten = Promise.resolve();
    await mapConcurrently(
      samples,
      pool.size * 3,
      async ({ file, label }) => {
        // Jobs start in order; each waits for the one before it to be written, so that the file is the same whoever is
        // faster.
        const before = lastWritten;
        let done!: () => void;
        lastWritten = new Promise((resolve) => (done = resolve));
        try {
          const image = await decodeSample(pool, dataset, file, label, shortSide);
          await before;
          await writeAll(handle, image.pixels);
          pixelsHash.update(image.pixels);
          entries.push([file, label, offset, image.width, image.height, crc32(image.pixels)]);
          offset += image.pixels.length;
          onProgress?.({ task, done: entries.length, total: samples.length, unit: 'images' });
        } finally {
          done();
        }
      },
      signal,
    );
    const index = Buffer.from(
      JSON.stringify({
        format: FORMAT,
        images,
        shortSide,
        pixelsSha256: pixelsHash.digest('hex'),
        entries,
      } satisfies Index),
    );
    const trailer = Buffer.alloc(TRAILER_BYTES);
    MAGIC.copy(trailer);
    trailer.writeBigUInt64LE(BigInt(offset), 8);
    trailer.writeBigUInt64LE(BigInt(index.length), 16);
    createHash('sha256').update(index).digest().copy(trailer, 24);
    await writeAll(handle, Buffer.concat([index, trailer]));
    await handle.sync();
  } finally {
    await pool.close();
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
}

async function decodeSample(
  pool: DecodePool,
  dataset: Dataset,
  file: string,
  label: number,
  shortSide: number,
): Promise<Image> {
  try {
    return await pool.run(path.join(dataset.root, file), shortSide);
  } catch (cause) {
    if (!(cause instanceof KitError)) throw cause;
    throw new KitError(
      `${cause.message} It is an image of the class "${dataset.classes[label]}" of the data set ${dataset.name}.`,
      { code: cause.code, fix: cause.fix, cause },
    );
  }
}

/** The cache in `file`; undefined when it is missing, truncated, of other images or its index is damaged. */
async function readCache(file: string, images: string, shortSide: number): Promise<PixelCache | undefined> {
  let handle: FileHandle;
  try {
    handle = await fsp.open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    if (size < TRAILER_BYTES) return undefined;
    const trailer = Buffer.alloc(TRAILER_BYTES);
    await handle.read(trailer, 0, TRAILER_BYTES, size - TRAILER_BYTES);
    const start = Number(trailer.readBigUInt64LE(8));
    const length = Number(trailer.readBigUInt64LE(16));
    if (!trailer.subarray(0, 8).equals(MAGIC) || start + length + TRAILER_BYTES !== size) return undefined;
    const text = Buffer.alloc(length);
    await handle.read(text, 0, length, start);
    const hash = createHash('sha256').update(text).digest();
    if (!hash.equals(trailer.subarray(24, 56))) return undefined;
    const index = JSON.parse(text.toString()) as Index;
    if (index.format !== FORMAT || index.images !== images || index.shortSide !== shortSide) return undefined;
    const entries = index.entries.map(([name, label, offset, width, height, sum]) => ({
      file: name,
      label,
      offset,
      width,
      height,
      crc32: sum,
    }));
    return { path: file, shortSide, hash: hash.toString('hex'), entries };
  } finally {
    await handle.close();
  }
}

/** The first image whose pixels are not as they were written. */
async function firstDamaged(cache: PixelCache, signal?: AbortSignal): Promise<PixelEntry | undefined> {
  const handle = await fsp.open(cache.path, 'r');
  try {
    for (const entry of cache.entries) {
      signal?.throwIfAborted();
      const pixels = Buffer.alloc(entry.width * entry.height * 3);
      const { bytesRead } = await handle.read(pixels, 0, pixels.length, entry.offset);
      if (bytesRead !== pixels.length || crc32(pixels) !== entry.crc32) return entry;
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/**
 * Checks every pixel of a cache.
 * @throws KitError that names the cache and the first image whose pixels are not as they were written.
 */
export async function verifyPixelCache(cache: PixelCache, options: { signal?: AbortSignal } = {}): Promise<void> {
  const damaged = await firstDamaged(cache, options.signal);
  if (damaged) throw damagedPixels(cache.path, damaged.file);
}
