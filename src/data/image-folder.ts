// A folder of one's own images, `train/<class>/*` and `test/<class>/*`, as a data set.
import { createHash } from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../base/errors';
import { kitHome } from '../base/home';
import type { OnProgress } from '../base/progress';
import { makeAtomically } from '../base/files/atomic';
import { mapConcurrently } from '../base/files/concurrently';
import { hashDataset, type Dataset, type Sample } from './dataset';
import { sha256File } from './fetch/registry-package';
import { IMAGE_ENDINGS } from './pixels/image';

type Split = 'train' | 'test';
const SPLITS: readonly Split[] = ['train', 'test'];
const LAYOUT = 'Expected are `train/<class>/<image>` and `test/<class>/<image>`, with the same classes in both.';

/**
 * The data set in the folder `dir`: classes are the folders' names, sorted; images are the files below them with one of
 * `IMAGE_ENDINGS`,
 * sorted by path. Hidden files are left out. The hash reads every image once; it is kept in
 * `kitHome('pixels')` for as long as names, sizes and times stay the same.
 * @throws KitError when a split or all images are missing, there is one class only, a class is empty, or the splits'
 *   classes differ; and
 *   when the hash cannot be kept, because the disk is full or the kit's home cannot be written.
 */
export async function readImageFolder(
  dir: string,
  options: { onProgress?: OnProgress; signal?: AbortSignal } = {},
): Promise<Dataset> {
  const root = path.resolve(dir);
  const found = { train: await listClasses(root, 'train'), test: await listClasses(root, 'test') };
  const classes = checkClasses(root, found);
  const toSamples = (split: Split) =>
    classes.flatMap((name, label) => found[split].get(name)!.images.map((file): Sample => ({ file, label })));
  const samples = { classes, train: toSamples('train'), test: toSamples('test') };
  const hashes = await hashFolder(root, samples, options);
  return { name: path.basename(root), root, ...samples, ...hashes, licence: '', citation: '' };
}

interface ClassFolder {
  /** Relative to the root, sorted. */
  images: string[];
  /** Number of files that are no images. */
  others: number;
}

async function listClasses(root: string, split: Split): Promise<Map<string, ClassFolder>> {
  const folder = path.join(root, split);
  const entries = await fsp.readdir(folder, { withFileTypes: true }).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
    throw new KitError(`The data set folder ${root} has no folder "${split}". Found ${await contents(root)}.`, {
      fix: LAYOUT,
      cause,
    });
  });
  const classes = new Map<string, ClassFolder>();
  for (const entry of entries.sort(byName)) {
    if (entry.name.startsWith('.') || !(await isFolder(path.join(folder, entry.name)))) continue;
    const found: ClassFolder = { images: [], others: 0 };
    await listImages(root, `${split}/${entry.name}`, found);
    found.images.sort();
    classes.set(entry.name, found);
  }
  return classes;
}

async function listImages(root: string, folder: string, found: ClassFolder): Promise<void> {
  for (const entry of await fsp.readdir(path.join(root, folder), { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(path.join(root, file)))))
      await listImages(root, file, found);
    else if (IMAGE_ENDINGS.includes(path.extname(entry.name).toLowerCase())) found.images.push(file);
    else found.others++;
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

async function isFolder(target: string): Promise<boolean> {
  return fsp.stat(target).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}

/** What a folder holds, in words. */
async function contents(folder: string): Promise<string> {
  const names = await fsp.readdir(folder).catch((error: NodeJS.ErrnoException) => error.code ?? 'nothing');
  if (typeof names === 'string')
    return names === 'ENOENT' ? 'that it does not exist' : `that it is no folder (${names})`;
  if (names.length === 0) return 'an empty folder';
  const shown = names
    .sort()
    .slice(0, 8)
    .map((name) => `"${name}"`)
    .join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

/** The class names, once everything about them is as it should be. */
function checkClasses(root: string, found: Record<Split, Map<string, ClassFolder>>): string[] {
  const complain = (message: string, fix: string) => new KitError(`The data set folder ${root} ${message}`, { fix });
  const imagesIn = (split: Split) => [...found[split].values()].reduce((sum, { images }) => sum + images.length, 0);
  for (const split of SPLITS) {
    if (imagesIn(split) > 0) continue;
    const others = [...found[split].values()].reduce((sum, folder) => sum + folder.others, 0);
    throw complain(
      `has no images in "${split}": found ${found[split].size} class folders and ${others} other files in them.`,
      `${LAYOUT} Images end in ${IMAGE_ENDINGS.join(', ')}.`,
    );
  }
  const onlyIn = (here: Split, there: Split) => [...found[here].keys()].filter((name) => !found[there].has(name));
  const [onlyTrain, onlyTest] = [onlyIn('train', 'test'), onlyIn('test', 'train')];
  if (onlyTrain.length + onlyTest.length > 0) {
    const parts = [['train', onlyTrain] as const, ['test', onlyTest] as const]
      .filter(([, names]) => names.length > 0)
      .map(
        ([split, names]) =>
          `only in "${split}": ${names
            .slice(0, 5)
            .map((name) => `"${name}"`)
            .join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
      );
    throw complain(
      `has other classes in "train" than in "test": ${parts.join('; ')}.`,
      'Give both the same class folders; remove those that are in one only.',
    );
  }
  const classes = [...found.train.keys()];
  if (classes.length < 2)
    throw complain(`has one class only, "${classes[0]}": a classifier needs at least two.`, LAYOUT);
  for (const split of SPLITS) {
    for (const [name, { images, others }] of found[split]) {
      if (images.length === 0) {
        const what = others > 0 ? `${others} files, none of which ends in ${IMAGE_ENDINGS.join(', ')}` : 'no files';
        throw complain(
          `has an empty class: "${split}/${name}" holds ${what}.`,
          'Put images there, or remove the class from both splits.',
        );
      }
    }
  }
  return classes;
}

async function hashFolder(
  root: string,
  samples: Pick<Dataset, 'classes' | 'train' | 'test'>,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal },
): Promise<{ hash: string; imagesHash: string }> {
  const files = [...samples.train, ...samples.test].map(({ file }) => file);
  const stats = await mapConcurrently(files, 16, (file) => fsp.stat(path.join(root, file)), signal);
  const listing = files.map((file, i) => [file, stats[i].size, stats[i].mtimeMs, stats[i].ctimeMs]);
  const key = createHash('sha256')
    .update(JSON.stringify([root, samples.classes, listing]))
    .digest('hex');
  const kept = kitHome('pixels', 'folders', `${key.slice(0, 32)}.json`);
  const known = await fsp
    .readFile(kept, 'utf8')
    .then((text) => JSON.parse(text) as Record<string, unknown>)
    .catch(() => undefined);
  if (known && isHash(known.hash) && isHash(known.imagesHash))
    return { hash: known.hash, imagesHash: known.imagesHash };
  let done = 0;
  const digests = await mapConcurrently(
    files,
    8,
    async (file) => {
      const digest = await sha256File(path.join(root, file), signal);
      onProgress?.({ task: `hash ${path.basename(root)}`, done: ++done, total: files.length, unit: 'images' });
      return digest;
    },
    signal,
  );
  const hashes = hashDataset(samples, new Map(files.map((file, i) => [file, digests[i]])));
  await makeAtomically(kept, (partial) => fsp.writeFile(partial, `${JSON.stringify(hashes)}\n`));
  return hashes;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
