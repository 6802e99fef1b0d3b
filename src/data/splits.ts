// Pure functions that divide a data set's samples: limits, train and test, validation, folds, groups.
import { KitError } from '../base/errors';
import { randomStream } from '../base/random';
import { quoted } from '../base/visible';
import { allSamples, filesOf, hashOf, type Dataset, type Sample, type SplitRule } from './dataset';
import { groupFolds } from './group-folds';

/** Seed of the split of data sets that come without one: fixed, so that everybody has the same. */
export const SPLIT_SEED = 2020;

const byFile = (a: Sample, b: Sample): number => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0);

/** The positions of each label's samples, in the samples' order; the label is the index. */
function positionsByLabel(samples: readonly Sample[]): number[][] {
  const positions: number[][] = [];
  samples.forEach(({ label }, position) => (positions[label] ??= []).push(position));
  return Array.from(positions, (list) => list ?? []);
}

/** The positions that are drawn: of each label `count(n)` of its n, by the stream (seed, name, 0, label). */
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
 * @throws KitError `LIMIT_INVALID` when `limit` is no whole number from 1.
 */
export function limitPerClass(samples: Sample[], limit: number, seed: number): Sample[] {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new KitError(`A limit of images per class must be a whole number from 1, found ${limit}.`, {
      code: 'LIMIT_INVALID',
    });
  }
  const drawn = drawByLabel(samples, () => limit, seed, 'limit');
  return samples.filter((_, position) => drawn.has(position));
}

/** How `splitByRule` splits. */
export interface SplitOptions {
  /** Fraction of each class's images that go to test, in (0, 1). Default 1/4. */
  test?: number;
  /** Default `SPLIT_SEED`. */
  seed?: number;
  /** The group of each image by its file: no group is divided. An image without one is a group of its own. */
  groups?: Readonly<Record<string, string>>;
}

/**
 * The kit's split for data sets that come without one, and the rule to record. Images are sorted by file (by UTF-16
 * code units). Of each class with n images, round(n * test) go to test, at least 1 and at most n - 1: the first of the
 * permutation drawn by the stream (seed, `split`, 0, label). With groups, whole groups are dealt to round(1 / test)
 * folds by `groupFolds`, and the first fold that holds every class and leaves some of every class is test. Train and
 * test keep the order by file.
 * @throws KitError `SPLIT_FRACTION_INVALID` when `test` is not in (0, 1); `SPLIT_CLASS_TOO_SMALL` when a class would
 *   have no image in one of the splits.
 */
export function splitByRule<T extends Sample>(
  samples: readonly T[],
  options: SplitOptions = {},
): { train: T[]; test: T[]; split: SplitRule } {
  const { test: fraction = 1 / 4, seed = SPLIT_SEED, groups } = options;
  requireFraction(fraction, 'go to test');
  const sorted = [...samples].sort(byFile);
  const drawn = drawFraction(sorted, fraction, { seed, stream: 'split', groups });
  const [train, test] = [sorted.filter((_, i) => !drawn.has(i)), sorted.filter((_, i) => drawn.has(i))];
  const [inTrain, inTest] = [new Set(train.map(({ label }) => label)), new Set(test.map(({ label }) => label))];
  const lacking = sorted.find(({ label }) => !inTrain.has(label) || !inTest.has(label));
  if (lacking !== undefined) {
    throw new KitError(
      `The class of ${quoted(lacking.file)} cannot be split: it would have no image in ` +
        `"${inTrain.has(lacking.label) ? 'test' : 'train'}".`,
      {
        code: 'SPLIT_CLASS_TOO_SMALL',
        fix: groups === undefined ? 'Give each class at least two images.' : 'Give each class at least two groups.',
      },
    );
  }
  const rule = groups === undefined ? 'stratified' : 'grouped';
  return { train, test, split: { rule, version: 1, test: fraction, seed } };
}

/** The rule of a split in one sentence. */
export function describeSplit({ rule, test, seed }: SplitRule): string {
  const groups = rule === 'grouped' ? ', without dividing a group' : '';
  return `Split by the kit: ${Number((100 * test).toFixed(1))} % of each class are test${groups} (seed ${seed}).`;
}

/** The positions of a fraction of each class, or of whole groups of about that fraction. */
function drawFraction(
  samples: readonly Sample[],
  fraction: number,
  { seed, stream, groups }: { seed: number; stream: string; groups?: Readonly<Record<string, string>> },
): Set<number> {
  if (groups === undefined) {
    const count = (n: number): number => Math.min(n - 1, Math.max(1, Math.round(n * fraction)));
    return drawByLabel(samples, count, seed, stream);
  }
  const of = Math.max(2, Math.round(1 / fraction));
  const folds = groupFolds(samples, groups, of, randomStream(seed, stream));
  const classes = new Set(samples.map(({ label }) => label)).size;
  const classesIn = (isIn: (fold: number) => boolean): number =>
    new Set(samples.filter((_, i) => isIn(folds[i])).map(({ label }) => label)).size;
  const isWhole = (index: number): boolean =>
    classesIn((fold) => fold === index) === classes && classesIn((fold) => fold !== index) === classes;
  const drawn = Math.max(0, [...Array(of).keys()].findIndex(isWhole));
  return new Set(folds.flatMap((fold, position) => (fold === drawn ? [position] : [])));
}

function requireFraction(fraction: number, purpose: string): void {
  if (fraction > 0 && fraction < 1) return;
  throw new KitError(`The fraction of images that ${purpose} must be between 0 and 1, found ${fraction}.`, {
    code: 'SPLIT_FRACTION_INVALID',
  });
}

/**
 * The kit's rule for data sets of which a given number of images per class is used. Images are sorted by file (by
 * UTF-16 code units); the n of each class are put into the order drawn by the stream (`SPLIT_SEED`, `split`, 0,
 * label). The first `test` are test and the `train` after them are train. With `test: 'rest'`, the last `train` are
 * train and all others test. Both keep the order by file. So the training images of a smaller `train` are among
 * those of a larger one, and the test images are the same.
 * @throws KitError `SPLIT_CLASS_TOO_SMALL` when a class has too few images.
 */
export function drawPerClass<T extends Sample>(
  samples: readonly T[],
  options: { train: number; test: number | 'rest' },
): { train: T[]; test: T[] } {
  const sorted = [...samples].sort(byFile);
  const [train, test] = [new Set<number>(), new Set<number>()];
  positionsByLabel(sorted).forEach((positions, label) => {
    const first = options.test === 'rest' ? positions.length - options.train : options.test;
    if (first < 0 || first + options.train > positions.length) {
      throw new KitError(
        `The class with label ${label} has ${positions.length} images, of which ${options.train} are to be train ` +
          `and ${options.test} test.`,
        { code: 'SPLIT_CLASS_TOO_SMALL' },
      );
    }
    const permutation = randomStream(SPLIT_SEED, 'split', 0, label).permutation(positions.length);
    const order = [...permutation].map((i) => positions[i]);
    order.slice(0, first).forEach((position) => test.add(position));
    order.slice(first, first + options.train).forEach((position) => train.add(position));
  });
  return { train: sorted.filter((_, i) => train.has(i)), test: sorted.filter((_, i) => test.has(i)) };
}

/**
 * A data set whose `test` is its validation images: for choosing anything (never choose on test). The validation split
 * that the data set came with is used where there is one. Otherwise, of each class with n training images,
 * round(n * fraction) are carved, at least 1 and at most n - 1, drawn by `seed` (stream `validation`); with groups,
 * whole groups. It shares the pixel cache of the given data set.
 * @throws KitError `SPLIT_FRACTION_INVALID` when the fraction is not in (0, 1); `SPLIT_CLASS_TOO_SMALL` when a class
 *   has one training image only.
 */
export function carveValidation(dataset: Dataset, options: { fraction: number; seed: number }): Dataset {
  const { fraction, seed } = options;
  requireFraction(fraction, 'are carved for validation');
  const imagesHash = dataset.imagesHash ?? dataset.hash;
  const { validation, ...rest } = dataset;
  if (validation !== undefined) {
    const hash = hashOf(['validation', dataset.hash, filesOf(dataset.train), filesOf(validation)]);
    return { ...rest, test: validation, hash, imagesHash };
  }
  const lone = positionsByLabel(dataset.train).findIndex((positions) => positions.length === 1);
  if (lone >= 0) {
    throw new KitError(
      `No validation split can be carved from ${dataset.name}: its class ${quoted(dataset.classes[lone])} has one ` +
        'training image only.',
      { code: 'SPLIT_CLASS_TOO_SMALL', fix: 'Add images to this class, or leave it out.' },
    );
  }
  const drawn = drawFraction(dataset.train, fraction, { seed, stream: 'validation', groups: dataset.groups });
  const train = dataset.train.filter((_, position) => !drawn.has(position));
  const test = dataset.train.filter((_, position) => drawn.has(position));
  return {
    ...rest,
    train,
    test,
    hash: hashOf(['validation', dataset.hash, filesOf(train), filesOf(test)]),
    imagesHash,
  };
}

/** One of k folds. */
export interface Fold {
  /** Number of folds: 2 or more. */
  of: number;
  /** Which fold is test, from 0. */
  index: number;
  /** Which images are dealt: `all` of the data set, or `train` (its test images are then left out). Default `all`. */
  over?: 'all' | 'train';
  /** Default `SPLIT_SEED`. */
  seed?: number;
}

/**
 * The fold of each sample, in [0, of), in the samples' order. Stratified: the images are sorted by file, the n of each
 * class are put into the order drawn by the stream (seed, `folds`, 0, label), and all classes, one after another, are
 * dealt to the folds in turn. So the folds' sizes differ by 1 at most, and so do those of each class. With groups,
 * whole groups are dealt by `groupFolds`.
 * @throws KitError `FOLDS_INVALID` when `of` is no whole number from 2; `FOLDS_CLASS_TOO_SMALL` when a class (or the
 *   number of groups) is smaller than `of`.
 */
export function assignFolds(
  samples: readonly Sample[],
  { of, seed = SPLIT_SEED, groups }: { of: number; seed?: number; groups?: Readonly<Record<string, string>> },
): number[] {
  if (!Number.isInteger(of) || of < 2)
    throw new KitError(`The number of folds must be a whole number from 2, found ${of}.`, { code: 'FOLDS_INVALID' });
  const order = [...samples.keys()].sort((a, b) => byFile(samples[a], samples[b]));
  const sorted = order.map((position) => samples[position]);
  const folds = new Array<number>(samples.length);
  const classes = positionsByLabel(sorted);
  const small = classes.find((positions) => positions.length > 0 && positions.length < of);
  if (small !== undefined) {
    throw new KitError(
      `The class of ${quoted(sorted[small[0]].file)} has ${small.length} images, fewer than the ${of} folds.`,
      { code: 'FOLDS_CLASS_TOO_SMALL', fix: 'Use fewer folds, or add images to this class.' },
    );
  }
  if (groups !== undefined) {
    groupFolds(sorted, groups, of, randomStream(seed, 'folds')).forEach((fold, i) => (folds[order[i]] = fold));
    return folds;
  }
  let dealt = 0;
  classes.forEach((positions, label) => {
    for (const i of randomStream(seed, 'folds', 0, label).permutation(positions.length))
      folds[order[positions[i]]] = dealt++ % of;
  });
  return folds;
}

/**
 * The data set whose `test` is one fold of its images and whose `train` is all other folds (see `assignFolds`). It
 * shares the pixel cache of the given one. Runs on the same data set, seed and `of` are paired by their `index`.
 * @throws KitError as `assignFolds`; `FOLDS_INVALID` when `index` is not in [0, of).
 */
export function foldDataset(dataset: Dataset, fold: Fold): Dataset {
  const { of, index, over = 'all', seed = SPLIT_SEED } = fold;
  const samples = (over === 'all' ? allSamples(dataset) : [...dataset.train]).sort(byFile);
  const folds = assignFolds(samples, { of, seed, groups: dataset.groups });
  if (!Number.isInteger(index) || index < 0 || index >= of) {
    throw new KitError(`The index of a fold must be a whole number from 0 to ${of - 1}, found ${index}.`, {
      code: 'FOLDS_INVALID',
    });
  }
  const train = samples.filter((_, i) => folds[i] !== index);
  const test = samples.filter((_, i) => folds[i] === index);
  const { validation: _validation, split: _split, ...rest } = dataset;
  const hash = hashOf([
    'fold',
    dataset.imagesHash ?? dataset.hash,
    over,
    of,
    index,
    seed,
    filesOf(train),
    filesOf(test),
  ]);
  return { ...rest, train, test, hash, imagesHash: dataset.imagesHash ?? dataset.hash };
}
