// Prepares a data set: downloaded or provided by the user, verified, extracted, read, counted, hashed; all or nothing.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError, unknownName } from '../../base/errors';
import { makeAtomically } from '../../base/files/atomic';
import { mapConcurrently } from '../../base/files/concurrently';
import { sha256File } from '../../base/files/file-hash';
import type { OnProgress } from '../../base/progress';
import { visible } from '../../base/visible';
import type { Dataset, DatasetSpec, Sample } from '../dataset';
import { allSamples } from '../dataset';
import { extract } from '../fetch/archive';
import { stem } from '../fetch/remote-file';
import { readers } from '../readers';
import { FileTree } from '../readers/formats/file-tree';
import type { DatasetReader, Found, Reading } from '../readers/reader';
import { checkReading, type CheckedReading } from './check-reading';
import { readFolderCopy, wantsOfCopy } from './folder-copy';
import { byHand, fetchSources, userSources, type Sources } from './source-files';
import { makeStamp, readStamp, STAMP, type StampRow } from './stamp';

/** Progress and abortion of work on a data set. */
export interface WorkOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

function readerOf(spec: DatasetSpec): DatasetReader {
  if (!Object.hasOwn(readers, spec.reader)) throw unknownName('reader', spec.reader, Object.keys(readers));
  return readers[spec.reader];
}

/**
 * Prepares `spec` in the folder `home`, which appears whole or not at all: from its official files, or from what is in
 * the folder `from`.
 * @param options.reader finds images and labels; default: the kit's reader that the spec names
 * @throws KitError `DATASET_CONTENT_MISMATCH` or `DATASET_NOT_RECOGNISED` when the files are not the data set: it says
 *   what was expected and found; those of the downloads.
 */
export async function prepare(
  home: string,
  spec: DatasetSpec,
  options: WorkOptions & { from?: string; reader?: DatasetReader },
): Promise<Dataset> {
  const { from, reader = readerOf(spec) } = options;
  const sources = from === undefined ? await fetchSources(spec, options) : await userSources(spec, from, options);
  await makeAtomically(
    home,
    async (partial) => {
      await fsp.mkdir(partial);
      const staging = path.join(partial, STAGING);
      const { tree, train, test, classes } = await readSources(spec, reader, sources, staging, options).catch(
        async (error: unknown) => {
          if (error instanceof KitError) for (const file of sources.unverified) await fsp.rm(file, { force: true });
          throw from === undefined || !(error instanceof KitError) ? error : notRecognised(spec, from, sources, error);
        },
      );
      await placeImages(tree, [...train, ...test], partial, staging, options);
      await fsp.rm(staging, { recursive: true, force: true });
      const digests = await digestImages({ root: partial, train, test }, `hash ${spec.name}`, options);
      const toRow = async ({ file, label }: Sample): Promise<StampRow> => [
        file,
        label,
        (await fsp.stat(path.join(partial, file))).size,
        digests.get(file)!,
      ];
      const stamp = makeStamp(spec, {
        verified: sources.official ? 'hash' : 'content',
        ...(classes !== spec.classes && { classes }),
        train: await mapConcurrently(train, 16, toRow),
        test: await mapConcurrently(test, 16, toRow),
      });
      await fsp.writeFile(path.join(partial, STAMP), stamp);
      options.signal?.throwIfAborted();
    },
    () => readStamp(home, spec) !== undefined,
  );
  const prepared = readStamp(home, spec);
  if (prepared !== undefined) return prepared.dataset;
  throw new KitError(`The data set ${spec.name} was prepared in ${home}, but another program changed it there.`, {
    code: 'DATASET_DAMAGED',
    fix: 'Run the same command again.',
  });
}

const STAGING = '.unpacked';

/** Extracts and reads: the samples, once all about them is as the spec says. */
async function readSources(
  spec: DatasetSpec,
  reader: DatasetReader,
  sources: Sources,
  staging: string,
  options: WorkOptions,
): Promise<{ tree: FileTree } & CheckedReading> {
  if (sources.folder !== undefined) {
    // The user may have extracted everything: nothing of it is changed.
    try {
      const tree = await new FileTree().add(sources.folder);
      const reading = await readOrCopy(spec, reader, tree, false);
      if (reading !== undefined) return { tree, ...checkReading(spec, tree, reading, false) };
    } catch (error) {
      // What is missing may be in an archive.
      if (!(error instanceof KitError) || sources.archives.length === 0) throw error;
    }
  }
  const wants = sources.official ? reader.wants : (file: string) => reader.wants(file) || wantsOfCopy(file);
  for (const { path: archive, as } of sources.archives)
    await extract(archive, path.join(staging, as), { ...options, filter: wants });
  await fsp.mkdir(staging, { recursive: true });
  for (const { path: list, as } of sources.lists) await fsp.copyFile(list, path.join(staging, as));
  let tree = await new FileTree().add(staging);
  for (const inner of tree.paths.filter((file) => reader.nested?.(file))) {
    await extract(tree.at(inner), path.join(staging, path.dirname(inner), stem(inner)), { ...options, filter: wants });
    await fsp.rm(tree.at(inner));
    tree = await new FileTree().add(staging);
  }
  if (sources.folder !== undefined) await tree.add(sources.folder, 'user/');
  const reading = await readOrCopy(spec, reader, tree, true);
  return { tree, ...checkReading(spec, tree, reading!, sources.official) };
}

/** What the reader finds, else a re-packed copy. Neither: the reader's error is thrown, or undefined returned. */
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

function notRecognised(spec: DatasetSpec, from: string, sources: Sources, cause: KitError): KitError {
  const notes = sources.official ? '' : `\nOf the official files: ${sources.notes.join('; ')}.`;
  const message = `${path.resolve(from)} is not recognised as the data set ${spec.name}: ${cause.message}${notes}`;
  return new KitError(message, { code: 'DATASET_NOT_RECOGNISED', fix: byHand(spec), cause });
}

/** Moves the images (copies those of the user) to where the prepared data set has them. */
async function placeImages(
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
  dataset: Pick<Dataset, 'root' | 'train' | 'validation' | 'test'>,
  task: string,
  { onProgress, signal }: WorkOptions,
): Promise<Map<string, string>> {
  const samples = allSamples(dataset);
  let done = 0;
  const rows = await mapConcurrently(
    samples,
    8,
    async ({ file }) => {
      const digest = await sha256File(path.join(dataset.root, file), signal).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        throw new KitError(`The image ${visible(file)} is missing in ${dataset.root}.`, {
          code: 'DATASET_DAMAGED',
          cause: error,
        });
      });
      onProgress?.({ task, done: ++done, total: samples.length, unit: 'images' });
      return [file, digest] as const;
    },
    signal,
  );
  return new Map(rows);
}
