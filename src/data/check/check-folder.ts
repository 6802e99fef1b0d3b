// Checks a data set: duplicates, near duplicates, images that are blank, tiny or unreadable, class counts.
import path from 'node:path';
import { KitError } from '../../base/errors';
import { mapConcurrently } from '../../base/files/concurrently';
import { sha256File } from '../../base/files/file-hash';
import type { OnProgress } from '../../base/progress';
import type { Dataset } from '../dataset';
import { inspectImage, type ImageFacts } from './inspect-image';
import { nearPairs } from './near-duplicates';

/** An image with its class and its split. */
export interface CheckedImage {
  file: string;
  class: string;
  split: 'train' | 'validation' | 'test';
}

/** Two images that are the same or nearly so. */
export interface Pair {
  first: CheckedImage;
  second: CheckedImage;
  /** In two splits: a model is tested on what it has learnt. */
  acrossSplits: boolean;
  /** With two labels: at least one is wrong. */
  acrossClasses: boolean;
}

/** What a check found. */
export interface DataReport {
  name: string;
  root: string;
  images: number;
  /** Images of each class in each split. */
  classes: { name: string; train: number; validation: number; test: number }[];
  /** Largest class divided by the smallest, by training images. */
  imbalance: number;
  /** Images with the same bytes: each later one with the first. */
  exact: Pair[];
  /** Images whose difference hashes differ in at most 3 of 64 bits, without exact and blank ones. */
  near: Pair[];
  /** Images of one grey value, up to 4 levels. */
  blank: CheckedImage[];
  /** Images with a side below 32 pixels. */
  tiny: (CheckedImage & { width: number; height: number })[];
  /** Images that cannot be decoded, and why. */
  unreadable: (CheckedImage & { reason: string })[];
}

const BLANK_CONTRAST = 4;
const TINY_SIDE = 32;

/**
 * Reads every image of a data set and reports what a user should look at. Nothing is changed or left out.
 * @throws the signal's reason when aborted.
 */
export async function checkDataset(
  dataset: Dataset,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<DataReport> {
  const images = (['train', 'validation', 'test'] as const).flatMap((split) =>
    (dataset[split] ?? []).map(({ file, label }): CheckedImage => ({ file, class: dataset.classes[label], split })),
  );
  let done = 0;
  const facts = await mapConcurrently(
    images,
    4,
    async ({ file }): Promise<{ digest: string; facts: ImageFacts | string }> => {
      const at = path.join(dataset.root, file);
      const digest = await sha256File(at, signal);
      const found = await inspectImage(at).catch((error: unknown) => {
        if (error instanceof KitError) return error.message;
        throw error;
      });
      onProgress?.({ task: `check ${dataset.name}`, done: ++done, total: images.length, unit: 'images' });
      return { digest, facts: found };
    },
    signal,
  );
  const report: DataReport = {
    name: dataset.name,
    root: dataset.root,
    images: images.length,
    ...countClasses(dataset),
    exact: [],
    near: [],
    blank: [],
    tiny: [],
    unreadable: [],
  };
  const first = new Map<string, number>();
  const hashes = facts.map(({ digest, facts: found }, i): string | null => {
    if (typeof found === 'string') {
      report.unreadable.push({ ...images[i], reason: found });
      return null;
    }
    const { width, height, contrast, hash } = found;
    if (Math.min(width, height) < TINY_SIDE) report.tiny.push({ ...images[i], width, height });
    const isBlank = contrast <= BLANK_CONTRAST;
    if (isBlank) report.blank.push(images[i]);
    const before = first.get(digest);
    if (before === undefined) first.set(digest, i);
    else report.exact.push(pairOf(images[before], images[i]));
    return isBlank || before !== undefined ? null : hash;
  });
  report.near = nearPairs(hashes).map(([a, b]) => pairOf(images[a], images[b]));
  return report;
}

const pairOf = (first: CheckedImage, second: CheckedImage): Pair => ({
  first,
  second,
  acrossSplits: first.split !== second.split,
  acrossClasses: first.class !== second.class,
});

function countClasses({ classes, train, validation = [], test }: Dataset): Pick<DataReport, 'classes' | 'imbalance'> {
  const rows = classes.map((name) => ({ name, train: 0, validation: 0, test: 0 }));
  for (const { label } of train) rows[label].train++;
  for (const { label } of validation) rows[label].validation++;
  for (const { label } of test) rows[label].test++;
  const sizes = rows.map((row) => row.train);
  return { classes: rows, imbalance: Math.max(...sizes) / Math.max(1, Math.min(...sizes)) };
}
