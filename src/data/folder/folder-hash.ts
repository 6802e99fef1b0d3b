// The hashes of a folder of images, kept for as long as names, sizes and times stay the same.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { makeAtomically } from '../../base/files/atomic';
import { mapConcurrently } from '../../base/files/concurrently';
import { sha256File } from '../../base/files/file-hash';
import { kitHome } from '../../base/home';
import type { OnProgress } from '../../base/progress';
import { allSamples, filesOf, hashDataset, hashOf, type Sample } from '../dataset';
import { duplicatesAcross, type Duplicates } from '../duplicates';
import type { Samples } from './labels-csv';

/** What is computed from all bytes of a folder's images. */
export interface FolderHashes {
  hash: string;
  imagesHash: string;
  /** Images with the same bytes in two splits. */
  duplicates: Duplicates;
}

/**
 * The hashes of the samples below `root`. Every image is read once; the result is kept in `kitHome('pixels')` under a
 * key of the samples and of each file's size and times, with a checksum of its own.
 * @throws KitError when the result cannot be kept, because the disk is full or the kit's home cannot be written.
 */
export async function hashFolder(
  root: string,
  samples: Samples,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal },
): Promise<FolderHashes> {
  const files = filesOf(allSamples(samples));
  const stats = await mapConcurrently(files, 16, (file) => fsp.stat(path.join(root, file)), signal);
  const rows = (list: readonly Sample[] | undefined): unknown => list?.map(({ file, label }) => [file, label]) ?? null;
  const { classes, train, validation, test, split = null } = samples;
  const key = hashOf([
    root,
    [classes, rows(train), rows(validation), rows(test), split],
    stats.map(({ size, mtimeMs, ctimeMs }) => [size, mtimeMs, ctimeMs]),
  ]);
  const kept = kitHome('pixels', 'folders', `${key.slice(0, 32)}.json`);
  const known = await readKept(kept, key);
  if (known !== undefined) return known;
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
  const byFile = new Map(files.map((file, i) => [file, digests[i]]));
  const hashes = { ...hashDataset(samples, byFile), duplicates: duplicatesAcross(samples, byFile) };
  const text = JSON.stringify({ key, hashes, sum: hashOf([key, hashes]) });
  await makeAtomically(kept, (partial) => fsp.writeFile(partial, `${text}\n`));
  return hashes;
}

/** The kept hashes; undefined when there are none, they are of other files, or they were changed. */
async function readKept(file: string, key: string): Promise<FolderHashes | undefined> {
  try {
    const kept = JSON.parse(await fsp.readFile(file, 'utf8')) as { key: string; hashes: FolderHashes; sum: string };
    return kept.key === key && kept.sum === hashOf([key, kept.hashes]) ? kept.hashes : undefined;
  } catch {
    return undefined;
  }
}
