// What a data set is, and its hash.
import { createHash } from 'node:crypto';
import type { PackageFile } from './fetch/registry-package';
import type { WebFile } from './fetch/remote-file';

/** One image with its class. */
export interface Sample {
  /** Path relative to the data set's root, with forward slashes. */
  file: string;
  /** Index into the data set's classes. */
  label: number;
}

/** How the kit has split a data set that has no split of its own. */
export interface SplitRule {
  /** `stratified`: by class; `grouped`: by class, and no group is divided. See `splitByRule`. */
  rule: 'stratified' | 'grouped';
  /** Raised when the rule gives another split for the same images. */
  version: number;
  /** Fraction of each class's images that go to test. */
  test: number;
  seed: number;
}

/** A data set that is ready to be read: where its images are, and how they are split. */
export interface Dataset {
  name: string;
  /** Absolute path of the folder that the samples' files are relative to. */
  root: string;
  classes: string[];
  train: Sample[];
  /** Images to choose by (best epoch, learning rate); undefined when the data set has none of its own. */
  validation?: Sample[];
  test: Sample[];
  /** The group of an image by its file (a patient, a solar module): no split or fold divides a group. */
  groups?: Readonly<Record<string, string>>;
  /** How the kit has split it; undefined when it came with its split. */
  split?: SplitRule;
  /** sha256 (hexadecimal) over the class names, the splits in their order, the split rule, and every image's bytes. */
  hash: string;
  /** sha256 over the class names and the images with their labels, independent of the split: the pixel cache's key. */
  imagesHash?: string;
  /** SPDX expression or a few words; empty for a folder of the user's. */
  licence: string;
  citation: string;
  /**
   * `hash`: hashes show that these are the official files. `content`: only lists, classes and counts are right, because
   * the user brought a re-packed copy or no hash is known. Undefined for a folder of the user's.
   */
  verified?: 'hash' | 'content';
  /** What the user should be told when it is loaded: the split rule, images that are in two splits. */
  notices?: string[];
}

/** All samples of a data set: train, validation, test. */
export const allSamples = ({
  train,
  validation = [],
  test,
}: Pick<Dataset, 'train' | 'validation' | 'test'>): Sample[] => [...train, ...validation, ...test];

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
  /** The official metric, where it is not top-1: the mean accuracy per class. */
  metric?: 'meanPerClass';
  licence: string;
  citation: string;
  /** Name of the reader, in `readers/`, that finds images and labels in the unpacked files. */
  reader: string;
  /** What a user should know: where the split comes from, what is left out. */
  note?: string;
}

/** The two hashes of a data set; `digests` holds the sha256 of each image's bytes by its file. */
export function hashDataset(
  dataset: Pick<Dataset, 'classes' | 'train' | 'validation' | 'test' | 'split'>,
  digests: ReadonlyMap<string, string>,
): { hash: string; imagesHash: string } {
  const { classes, train, validation, test, split } = dataset;
  const images = allSamples(dataset).map(({ file, label }) => [file, label, digests.get(file)] as const);
  images.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const imagesHash = hashOf([classes, images]);
  const lists: unknown[] = [imagesHash, filesOf(train), filesOf(test)];
  if (validation !== undefined || split !== undefined) lists.push(filesOf(validation ?? []));
  if (split !== undefined) lists.push([split.rule, split.version, split.test, split.seed]);
  return { imagesHash, hash: hashOf(lists) };
}

/** The files of samples, in their order. */
export const filesOf = (samples: readonly Sample[]): string[] => samples.map(({ file }) => file);

/** sha256 (hexadecimal) of a value's JSON. */
export const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
