// What a data set is, and the pure functions on it: its hash, its split, a part of it.
import { createHash } from 'node:crypto';
import { KitError } from '../base/errors';
import { randomStream } from '../base/random';
import type { PackageFile } from './fetch/registry-package';
import type { WebFile } from './fetch/remote-file';

/** One image with its class. */
export interface Sample {
  /** Path relative to the data set's root, with forward slashes. */
  file: string;
  /** Index into the data set's classes. */
  label: number;
}

/** A data set that is ready to be read: where its images are, and how they are split. */
export interface Dataset {
  name: string;
  /** Absolute path of the folder that the samples' files are relative to. */
  root: string;
  classes: string[];
  train: Sample[];
  test: Sample[];
  /** sha256 (hexadecimal) over the class names, the splits in their order, and the bytes of every image. */
  hash: string;
  /**
   * sha256 over the class names and the images with their labels, whatever the split: what a pixel cache goes by.
   * Default: `hash`.
   */
  imagesHash?: string;
  /** SPDX expression or a few words; empty for a folder of one's own. */
  licence: string;
  citation: string;
  /**
   * What says that these are the official files: their hashes; or only their content (lists, classes and counts are
   * right), because the user
   * brought a re-packed copy, or no hash is known. Undefined for a folder of one's own.
   */
  verified?: 'hash' | 'content';
}

/** What the catalog knows of a data set: data, one JSON file in `data-scripts/manifests/datasets`. */
export interface DatasetSpec {
  /** The name to load it by. */
  name: string;
  title: string;
  classes: string[];
  /** The files that hold it: of a package registry, or on the web. */
  files: (PackageFile | WebFile)[];
  /** Images of each split, checked after every preparation. */
  counts: { train: number; test: number };
  /** Images of each class in a split, where all classes have as many; checked too. */
  perClass?: { train?: number; test?: number };
  licence: string;
  citation: string;
  /** Name of the reader, in `readers/`, that finds images and labels in the unpacked files. */
  reader: string;
  /** What a user should know: where the split comes from, what is left out. */
  note?: string;
}

/** The two hashes of a data set; `digests` holds the sha256 of each image's bytes by its file. */
export function hashDataset(
  dataset: Pick<Dataset, 'classes' | 'train' | 'test'>,
  digests: ReadonlyMap<string, string>,
): { hash: string; imagesHash: string } {
  const { classes, train, test } = dataset;
  const images = [...train, ...test].map(({ file, label }) => [file, label, digests.get(file)] as const);
  images.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const imagesHash = sha256(JSON.stringify([classes, images]));
  return {
    imagesHash,
    hash: sha256(JSON.stringify([imagesHash, train.map(({ file }) => file), test.map(({ file }) => file)])),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The positions of each label's samples, in the samples' order; the label is the index. */
function positionsByLabel(samples: readonly Sample[]): number[][] {
  const positions: number[][] = [];
  samples.forEach(({ label }, position) => (positions[label] ??= []).push(position));
  return Array.from(positions, (list) => list ?? []);
}

/** Which of the samples are drawn: of each label `count(n)` of its n, by the stream (seed, name, 0, label). */
function drawByLabel(
  samples: readonly Sample[],
  count: (n: number) => number,
  seed: number,
  name: string,
): Set<number> {
  const drawn = new Set<number>();
  positionsByLabel(samples).forEach((positions, label) => {
    const order = randomStream(seed, name, 0, label).permutation(positions.length);
    for (const i of order.subarray(0, count(positions.length))) drawn.add(positions[i]);
  });
  return drawn;
}

/**
 * At most `limit` samples of each class, drawn by `seed` (stream `limit`), in the order they had.
 * @throws KitError when `limit` is no whole number from 1.
 */
export function limitPerClass(samples: Sample[], limit: number, seed: number): Sample[] {
  if (!Number.isInteger(limit) || limit < 1)
    throw new KitError(`A limit of images per class must be a whole number from 1, found ${limit}.`);
  const drawn = drawByLabel(samples, () => limit, seed, 'limit');
  return samples.filter((_, position) => drawn.has(position));
}

/** Seed of the split of data sets that come without one: fixed, so that everybody has the same. */
export const SPLIT_SEED = 2020;

/**
 * The kit's split for data sets that come without an official one. Images are sorted by file name (by UTF-16 code
 * units); of each class
 * with n images, round(n / 4) go to test: the first of the permutation drawn by the stream (`SPLIT_SEED`, `split`, 0,
 * label). The rest is
 * train. Both keep the order by file name.
 */
export function splitByRule(samples: readonly Sample[]): { train: Sample[]; test: Sample[] } {
  const sorted = [...samples].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const drawn = drawByLabel(sorted, (n) => Math.round(n / 4), SPLIT_SEED, 'split');
  return { train: sorted.filter((_, i) => !drawn.has(i)), test: sorted.filter((_, i) => drawn.has(i)) };
}

/**
 * The kit's rule for data sets of which only a part is used, or which are split by a number of training images. Images
 * are sorted by file
 * (by UTF-16 code units); the n of each class are put into the order drawn by the stream (`SPLIT_SEED`, `split`, 0,
 * label); the first `test` are
 * test and the `train` after them are train. With `test: 'rest'`, the last `train` are train and all others test. Both
 * keep the order by
 * file. So the training images of a smaller `train` are among those of a larger one, and the test images are the same.
 * @throws KitError when a class has too few images.
 */
export function drawPerClass<T extends Sample>(
  samples: readonly T[],
  options: { train: number; test: number | 'rest' },
): { train: T[]; test: T[] } {
  const sorted = [...samples].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const [train, test] = [new Set<number>(), new Set<number>()];
  positionsByLabel(sorted).forEach((positions, label) => {
    const first = options.test === 'rest' ? positions.length - options.train : options.test;
    if (first < 0 || first + options.train > positions.length) {
      throw new KitError(
        `The class with label ${label} has ${positions.length} images, of which ${options.train} are to be train and ${options.test} test.`,
      );
    }
    const order = [...randomStream(SPLIT_SEED, 'split', 0, label).permutation(positions.length)].map(
      (i) => positions[i],
    );
    order.slice(0, first).forEach((position) => test.add(position));
    order.slice(first, first + options.train).forEach((position) => train.add(position));
  });
  return { train: sorted.filter((_, i) => train.has(i)), test: sorted.filter((_, i) => test.has(i)) };
}

/**
 * A data set whose `test` is a part of the given one's train, and whose `train` is the rest: for choosing anything
 * (never choose on
 * test). Of each class with n training images round(n * fraction) are carved, at least 1 and at most n - 1, drawn by
 * `seed`
 * (stream `validation`). It shares the pixel cache of the given one.
 * @throws KitError when the fraction is not in (0, 1) or a class has only one training image.
 */
export function carveValidation(dataset: Dataset, options: { fraction: number; seed: number }): Dataset {
  const { fraction, seed } = options;
  if (!(fraction > 0 && fraction < 1))
    throw new KitError(`The fraction carved for validation must be between 0 and 1, found ${fraction}.`);
  const lone = positionsByLabel(dataset.train).findIndex((positions) => positions.length === 1);
  if (lone >= 0) {
    throw new KitError(
      `No validation split can be carved from ${dataset.name}: its class "${dataset.classes[lone]}" has one training image only.`,
      {
        fix: 'Add images to this class, or leave it out.',
      },
    );
  }
  const drawn = drawByLabel(
    dataset.train,
    (n) => Math.min(n - 1, Math.max(1, Math.round(n * fraction))),
    seed,
    'validation',
  );
  const train = dataset.train.filter((_, position) => !drawn.has(position));
  const test = dataset.train.filter((_, position) => drawn.has(position));
  const hash = sha256(
    JSON.stringify(['validation', dataset.hash, train.map(({ file }) => file), test.map(({ file }) => file)]),
  );
  return { ...dataset, train, test, hash, imagesHash: dataset.imagesHash ?? dataset.hash };
}
