// A folder of the user's images as a data set: split folders, class folders, or `labels.csv`.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import { quoted } from '../../base/visible';
import type { Dataset } from '../dataset';
import { duplicatesNotice } from '../duplicates';
import { describeSplit } from '../splits';
import { LAYOUTS, readClassFolders, readSplitFolders, VALIDATION_FOLDERS } from './class-folders';
import { hashFolder } from './folder-hash';
import { LABELS_FILE, readLabels, type Samples } from './labels-csv';

/**
 * The data set in the folder `dir`, in one of three layouts:
 * - `labels.csv`: see `readLabels`;
 * - `train/<class>/*`, `test/<class>/*` and perhaps `val/<class>/*`;
 * - `<class>/*`: split by `splitByRule`.
 *
 * Classes are the folders' names, sorted by UTF-16 code units; images are the files below them with one of
 * `IMAGE_ENDINGS`, sorted by path. Hidden files are left out. The hash reads every image once; it is kept in
 * `kitHome('pixels')` for as long as names, sizes and times stay the same.
 * @throws KitError `DATASET_LAYOUT_UNKNOWN`, `DATASET_SPLIT_MISSING`, `DATASET_NO_IMAGES`, `DATASET_ONE_CLASS`,
 *   `DATASET_CLASS_EMPTY`, `DATASET_CLASS_MISMATCH`, `DATASET_CLASS_NAMES_ALIKE`; those of `ImageWalk.list`,
 *   `readLabels` and `splitByRule`; and when the hash cannot be kept.
 */
export async function readImageFolder(
  dir: string,
  options: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<Dataset> {
  const root = path.resolve(dir);
  const samples = await readSamples(root, options.signal);
  const { duplicates, ...hashes } = await hashFolder(root, samples, options);
  const notices = [
    ...(samples.split === undefined ? [] : [describeSplit(samples.split)]),
    ...duplicatesNotice(duplicates),
  ];
  const dataset = { name: path.basename(root), root, ...samples, ...hashes, licence: '', citation: '' };
  return notices.length > 0 ? { ...dataset, notices } : dataset;
}

/** Whether `dir` looks like one of the layouts, without looking at the images. */
export function isImageFolder(dir: string): boolean {
  const names = fs.existsSync(dir) && fs.statSync(dir).isDirectory() ? fs.readdirSync(dir) : [];
  if (names.includes(LABELS_FILE)) return true;
  return names.includes('train') === names.includes('test') && names.some((name) => !name.startsWith('.'));
}

const SPLIT_NAMES = new Set(['train', 'training', 'test', 'testing', ...VALIDATION_FOLDERS]);

async function readSamples(root: string, signal?: AbortSignal): Promise<Samples> {
  const entries = await fsp.readdir(root, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    const { code = String(cause) } = cause;
    const found =
      code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is no folder' : `cannot be read (${code})`;
    throw new KitError(`The data set folder ${root} ${found}.`, { code: 'DATASET_UNREADABLE', fix: LAYOUTS, cause });
  });
  const names = entries.map(({ name }) => name);
  if (names.includes(LABELS_FILE)) return readLabels(root, signal);
  const validation = VALIDATION_FOLDERS.filter((name) => names.includes(name));
  if (names.includes('train') && names.includes('test')) {
    if (validation.length < 2) return readSplitFolders(root, validation[0]);
    throw unknownLayout(root, names, `has more than one validation folder: ${validation.join(', ')}`);
  }
  const missing = names.includes('train') ? 'test' : names.includes('test') ? 'train' : undefined;
  if (missing !== undefined) {
    throw new KitError(`The data set folder ${root} has no folder "${missing}". Found ${contents(names)}.`, {
      code: 'DATASET_SPLIT_MISSING',
      fix: `${LAYOUTS} To have one folder split by the rule, move the classes out of "train" or "test".`,
    });
  }
  const odd = names.find((name) => SPLIT_NAMES.has(name.toLowerCase()));
  if (odd !== undefined)
    throw unknownLayout(root, names, `has the folder ${quoted(odd)}, but no folders "train" and "test"`);
  const isFolder = (entry: (typeof entries)[number]): boolean => entry.isDirectory() || entry.isSymbolicLink();
  if (!entries.some((entry) => isFolder(entry) && !entry.name.startsWith('.')))
    throw unknownLayout(root, names, 'has no folders');
  return readClassFolders(root);
}

const unknownLayout = (root: string, names: readonly string[], why: string): KitError =>
  new KitError(`The data set folder ${root} ${why}. Found ${contents(names)}.`, {
    code: 'DATASET_LAYOUT_UNKNOWN',
    fix: LAYOUTS,
  });

/** What a folder holds, in words. */
function contents(names: readonly string[]): string {
  if (names.length === 0) return 'an empty folder';
  const shown = [...names]
    .sort()
    .slice(0, 8)
    .map((name) => quoted(name))
    .join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
