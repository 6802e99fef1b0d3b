// Makes a data set ready: fetched or brought, verified, unpacked, read, counted, hashed; whole or not at all.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError, unknownName } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import { extract } from '../fetch/archive';
import { makeAtomically } from '../../base/files/atomic';
import { mapConcurrently } from '../../base/files/concurrently';
import { hashDataset, type Dataset, type DatasetSpec, type Sample } from '../dataset';
import { sha256File } from '../../base/files/file-hash';
import { FileTree } from '../readers/formats/file-tree';
import { plainName, readFolderCopy, wantsOfCopy } from './folder-copy';
import { broughtMaterial, byHand, fetchMaterial, type Material } from './source-files';
import { readers } from '../readers';
import type { DatasetReader, Found, Reading } from '../readers/reader';
import { stem } from '../fetch/remote-file';

/** Progress and abortion of work on a data set. */
export interface WorkOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

function readerOf(spec: DatasetSpec): DatasetReader {
  if (!Object.hasOwn(readers, spec.reader))
    throw unknownName(`reader (for the data set ${spec.name})`, spec.reader, Object.keys(readers));
  return readers[spec.reader];
}

/**
 * Makes `spec` ready in the folder `home`, which appears whole or not at all: from its official files, or from what is
 * in the folder `from`.
 * @throws KitError when something cannot be fetched, or what there is is not the data set; it says what was expected
 *   and found.
 */
export async function prepare(
  home: string,
  spec: DatasetSpec,
  options: WorkOptions & { from?: string },
): Promise<Dataset> {
  const reader = readerOf(spec);
  const { from } = options;
  const material = from === undefined ? await fetchMaterial(spec, options) : await broughtMaterial(spec, from, options);
  await makeAtomically(
    home,
    async (partial) => {
      await fsp.mkdir(partial);
      const staging = path.join(partial, STAGING);
      const { tree, train, test, classes } = await understand(spec, reader, material, staging, options).catch(
        async (error: unknown) => {
          if (error instanceof KitError) for (const file of material.doubtful) await fsp.rm(file, { force: true });
          throw from === undefined || !(error instanceof KitError) ? error : notRecognised(spec, from, material, error);
        },
      );
      await putInOrder(tree, [...train, ...test], partial, staging, options);
      await fsp.rm(staging, { recursive: true, force: true });
      const digests = await digestImages({ root: partial, train, test }, `hash ${spec.name}`, options);
      const row = async ({ file, label }: Sample) => [
        file,
        label,
        (await fsp.stat(path.join(partial, file))).size,
        digests.get(file),
      ];
      const [trainRows, testRows] = await Promise.all([
        mapConcurrently(train, 16, row),
        mapConcurrently(test, 16, row),
      ]);
      const renamed = classes === spec.classes ? {} : { classes };
      const stamp = {
        format: FORMAT,
        spec: specKey(spec),
        verified: material.official ? 'hash' : 'content',
        ...renamed,
        train: trainRows,
        test: testRows,
      };
      await fsp.writeFile(path.join(partial, STAMP), `${JSON.stringify(stamp)}\n`);
      options.signal?.throwIfAborted();
    },
    () => readStamp(home, spec) !== undefined,
  );
  const made = readStamp(home, spec);
  if (made === undefined)
    throw new KitError(
      `The data set ${spec.name} was prepared in ${home}, but is not whole there: another program changed it.`,
      { fix: 'Run again.' },
    );
  return made.dataset;
}

const STAGING = '.unpacked';

/** Unpacks and reads: the samples, once all about them is as the spec says. */
async function understand(
  spec: DatasetSpec,
  reader: DatasetReader,
  material: Material,
  staging: string,
  options: WorkOptions,
): Promise<{ tree: FileTree } & Checked> {
  if (material.folder !== undefined) {
    // The user may have unpacked everything: nothing of it is touched.
    try {
      const tree = await new FileTree().add(material.folder);
      const reading = await readOrCopy(spec, reader, tree, false);
      if (reading !== undefined) return { tree, ...check(spec, tree, reading, false) };
    } catch (error) {
      // else what is missing may be in an archive
      if (!(error instanceof KitError) || material.archives.length === 0) throw error;
    }
  }
  const wants = material.official ? reader.wants : (file: string) => reader.wants(file) || wantsOfCopy(file);
  for (const { path: archive, as } of material.archives)
    await extract(archive, path.join(staging, as), { ...options, filter: wants });
  await fsp.mkdir(staging, { recursive: true });
  for (const { path: list, as } of material.lists) await fsp.copyFile(list, path.join(staging, as));
  let tree = await new FileTree().add(staging);
  for (const inner of tree.paths.filter((file) => reader.nested?.(file))) {
    await extract(tree.at(inner), path.join(staging, path.dirname(inner), stem(inner)), { ...options, filter: wants });
    await fsp.rm(tree.at(inner));
    tree = await new FileTree().add(staging);
  }
  if (material.folder !== undefined) await tree.add(material.folder, 'brought/');
  const reading = await readOrCopy(spec, reader, tree, true);
  return { tree, ...check(spec, tree, reading!, material.official) };
}

/**
 * What the reader finds, else a re-packed copy; when it is neither, why it is not what the reader expects, or
 * undefined.
 */
async function readOrCopy(
  spec: DatasetSpec,
  reader: DatasetReader,
  tree: FileTree,
  must: boolean,
): Promise<Reading | undefined> {
  try {
    return await reader.read(tree);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    const copy = readFolderCopy(tree, spec);
    if (copy !== undefined || !must) return copy;
    throw error;
  }
}

function notRecognised(spec: DatasetSpec, from: string, material: Material, cause: KitError): KitError {
  const notes = material.official ? '' : `\nOf the official files: ${material.notes.join('; ')}.`;
  return new KitError(
    `${path.resolve(from)} is not recognised as the data set ${spec.name}: ${cause.message}${notes}`,
    { fix: byHand(spec), cause },
  );
}

/** Samples that are as they should be, and the classes' names: the manifest's, but where official files have others. */
type Checked = Pick<Reading, 'train' | 'test'> & { classes: string[] };

/** The samples, once they exist, are all different, and are as many in each split and class as they should be. */
function check(spec: DatasetSpec, tree: FileTree, { train, test, classes }: Reading, official: boolean): Checked {
  const { counts, perClass } = spec;
  const all = [...train, ...test];
  const wrong = all.find(({ label }) => !(label >= 0 && label < spec.classes.length));
  if (wrong)
    throw new KitError(
      `The data set ${spec.name} has ${spec.classes.length} classes, but ${wrong.file} has label ${wrong.label}.`,
    );
  if (classes !== null && classes.length !== spec.classes.length) {
    throw new KitError(
      `The data set ${spec.name} should have ${spec.classes.length} classes, found ${classes.length}.`,
    );
  }
  const renamed =
    classes === null ? -1 : classes.findIndex((name, label) => plainName(name) !== plainName(spec.classes[label]));
  if (renamed >= 0 && !official)
    throw new KitError(
      `Class ${renamed + 1} of the data set ${spec.name} should be "${spec.classes[renamed]}", found "${classes![renamed]}".`,
    );
  if (train.length !== counts.train || test.length !== counts.test) {
    throw new KitError(
      `The data set ${spec.name} should have ${counts.train} training and ${counts.test} test images, found ${train.length} and ${test.length}.`,
      {
        fix: 'The manifest and the reader of this data set do not fit its files.',
      },
    );
  }
  for (const [split, samples] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const number = new Array<number>(spec.classes.length).fill(0);
    for (const { label } of samples) number[label]++;
    const odd = number.findIndex((n) => n !== (perClass?.[split] ?? n) || n === 0);
    if (odd >= 0)
      throw new KitError(
        `The class "${spec.classes[odd]}" of the data set ${spec.name} should have ${perClass?.[split] ?? 'some'} images in ${split}, found ${number[odd]}.`,
      );
  }
  const files = new Set<string>();
  const twice = all.find(({ file }) => files.size === files.add(file).size);
  if (twice) throw new KitError(`The lists of the data set ${spec.name} name ${twice.file} twice.`);
  const missing = all.filter(({ from }) => !tree.has(from));
  if (missing.length > 0) {
    const names = missing
      .slice(0, 3)
      .map(({ file }) => file)
      .join(', ');
    throw new KitError(
      `Of the images that the lists of the data set ${spec.name} name, ${missing.length} are missing: ${names}${missing.length > 3 ? ' ...' : ''}.`,
    );
  }
  return { train, test, classes: renamed >= 0 ? classes! : spec.classes };
}

/** Moves the images (copies those of the user) to where the prepared data set has them. */
async function putInOrder(
  tree: FileTree,
  images: readonly Found[],
  home: string,
  staging: string,
  { onProgress, signal }: WorkOptions,
): Promise<void> {
  const folders = new Set(images.map(({ file }) => path.dirname(path.join(home, file))));
  for (const folder of folders) await fsp.mkdir(folder, { recursive: true });
  let done = 0;
  await mapConcurrently(
    images,
    16,
    async ({ from, file }) => {
      const at = tree.at(from);
      const target = path.join(home, file);
      if (at.startsWith(`${staging}${path.sep}`)) await fsp.rename(at, target);
      else {
        await fsp.copyFile(at, target, fs.constants.COPYFILE_FICLONE);
        onProgress?.({ task: 'copy images', done: ++done, total: images.length, unit: 'images' });
      }
    },
    signal,
  );
}

/** The sha256 of every image of a data set. */
export async function digestImages(
  dataset: Pick<Dataset, 'root' | 'train' | 'test'>,
  task: string,
  { onProgress, signal }: WorkOptions,
): Promise<Map<string, string>> {
  const samples = [...dataset.train, ...dataset.test];
  let done = 0;
  const rows = await mapConcurrently(
    samples,
    8,
    async ({ file }) => {
      const digest = await sha256File(path.join(dataset.root, file), signal).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        throw new KitError(`The image ${file} is missing in ${dataset.root}.`, { cause: error });
      });
      onProgress?.({ task, done: ++done, total: samples.length, unit: 'images' });
      return [file, digest] as const;
    },
    signal,
  );
  return new Map(rows);
}

const STAMP = 'dataset.json';
const FORMAT = 1;

/** What a prepared folder depends on: when the manifest changes in any of this, it is prepared anew. */
function specKey({ classes, files, counts, reader }: DatasetSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([classes, files, counts, reader]))
    .digest('hex');
}

/**
 * The prepared data set in `home`; undefined when it is missing, of another spec, or any image is missing or of another
 * size.
 */
export function readStamp(
  home: string,
  spec: DatasetSpec,
): { dataset: Dataset; digests: Map<string, string> } | undefined {
  type Row = [file: string, label: number, bytes: number, sha256: string];
  try {
    const stamp = JSON.parse(fs.readFileSync(path.join(home, STAMP), 'utf8')) as {
      format: number;
      spec: string;
      verified?: 'hash' | 'content';
      classes?: string[];
      train: Row[];
      test: Row[];
    };
    if (stamp.format !== FORMAT || stamp.spec !== specKey(spec)) return undefined;
    const rows = [...stamp.train, ...stamp.test];
    if (rows.some(([file, , bytes]) => fs.statSync(path.join(home, file)).size !== bytes)) return undefined;
    const toSamples = (list: Row[]) => list.map(([file, label]): Sample => ({ file, label }));
    const samples = {
      classes: stamp.classes ?? spec.classes,
      train: toSamples(stamp.train),
      test: toSamples(stamp.test),
    };
    const digests = new Map(rows.map(([file, , , digest]) => [file, digest]));
    const { licence, citation } = spec;
    const dataset: Dataset = {
      name: spec.name,
      root: path.resolve(home),
      ...samples,
      ...hashDataset(samples, digests),
      licence,
      citation,
      verified: stamp.verified ?? 'hash',
    };
    return { dataset, digests };
  } catch {
    return undefined;
  }
}
