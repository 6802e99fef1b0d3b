// The official files of a data set, or what the user gives in their place, before anything is extracted.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { archiveKind } from '../fetch/archive-kind';
import type { DatasetSpec } from '../dataset';
import { download, type DownloadOptions } from '../fetch/download';
import { fetchPackage, type PackageFile } from '../fetch/registry-package';
import { FileTree } from '../readers/formats/file-tree';
import { cachePath, describeWebFile, knownHash, mismatch, stem, type WebFile } from '../fetch/remote-file';

/** A file, and the name of the folder or file that its content gets. */
interface SourceFile {
  path: string;
  as: string;
}

/** What a data set is read from. */
export interface Sources {
  /** Archives, each extracted into a folder of its name. */
  archives: SourceFile[];
  /** Lists that are no archives. */
  lists: SourceFile[];
  /** A folder of the user's that may hold the data set extracted. */
  folder?: string;
  /** Whether hashes have shown that these are the official files. */
  official: boolean;
  /** Downloaded files without a known hash: they are deleted when their content is not right. */
  unverified: string[];
  /** Which official files were found among the user's, for errors. */
  notes: string[];
}

const isPackage = (file: PackageFile | WebFile): file is PackageFile => 'package' in file;

/** A package's file as one that has no address of its own. */
const asWebFile = (file: PackageFile | WebFile): WebFile =>
  isPackage(file)
    ? {
        urls: [`the ${file.package.registry} registry, package ${file.package.name} ${file.package.version}`],
        file: file.file,
        bytes: file.bytes,
        sha256: file.sha256,
        md5: null,
      }
    : file;

/** Which files to download by hand for a data set, and what to do then. */
export function byHand(spec: DatasetSpec): string {
  const files = spec.files.map((file) => `  ${describeWebFile(asWebFile(file))}`);
  return (
    'Put these files (or a re-packed or extracted copy of their content) into a folder DIR, then run ' +
    `\`npx rifle data prepare ${spec.name} --from DIR\`:\n${files.join('\n')}`
  );
}

/**
 * The official files, downloaded and verified.
 * @throws KitError `DATASET_BY_HAND` when files must be downloaded by hand: it says which, and where to put them; those
 *   of `download` and `fetchPackage`.
 */
export async function fetchSources(spec: DatasetSpec, options: DownloadOptions): Promise<Sources> {
  const sources: Sources = { archives: [], lists: [], official: true, unverified: [], notes: [] };
  const missing: WebFile[] = [];
  for (const file of spec.files) {
    if (isPackage(file)) sources.archives.push({ path: await fetchPackage(file, options), as: file.package.name });
    else if (file.byHand !== undefined && !(await isCached(file, options.signal))) missing.push(file);
  }
  if (missing.length > 0) {
    throw new KitError(
      `The data set ${spec.name} cannot be downloaded: of ${missing.map(({ file }) => file).join(', ')} ` +
        `${missing[0].byHand}.`,
      { code: 'DATASET_BY_HAND', fix: byHand(spec) },
    );
  }
  for (const file of spec.files) {
    if (isPackage(file)) continue;
    const at = await download(file, options).catch((error: unknown) => {
      if (!(error instanceof KitError)) throw error;
      throw new KitError(error.message, { code: error.code, fix: `${error.fix}\nOr: ${byHand(spec)}`, cause: error });
    });
    if (knownHash(file) === null) {
      sources.official = false;
      sources.unverified.push(at);
    }
    if ((await archiveKind(at)) === undefined) sources.lists.push({ path: at, as: file.file });
    else sources.archives.push({ path: at, as: stem(file.file) });
  }
  return sources;
}

async function isCached(file: WebFile, signal?: AbortSignal): Promise<boolean> {
  const at = cachePath(file);
  return (
    (await fsp.stat(at).then(
      () => true,
      () => false,
    )) && (await mismatch(file, at, signal)) === undefined
  );
}

/** Most archives of the user's that are opened. */
const MOST_ARCHIVES = 24;

/**
 * What is in the user's folder `from` (or the one file `from`): the official files where all of them are there,
 * whatever their names (by size and hash); else all archives and files, to be checked by their content.
 * @throws KitError `DATASET_FROM_MISSING` when there is no such folder, `DATASET_NOT_RECOGNISED` when nothing in it
 *   could be the data set, `DOWNLOAD_DAMAGED` when a file has an official name and size but another hash.
 */
export async function userSources(spec: DatasetSpec, from: string, options: DownloadOptions): Promise<Sources> {
  const { signal, onProgress } = options;
  const target = path.resolve(from);
  const stat = await fsp.stat(target).catch(() => undefined);
  if (stat === undefined)
    throw new KitError(`There is no folder ${target}.`, { code: 'DATASET_FROM_MISSING', fix: byHand(spec) });
  const folder = stat.isDirectory() ? target : path.dirname(target);
  const tree = stat.isDirectory() ? await new FileTree().add(target) : undefined;
  const paths = tree?.paths ?? [path.basename(target)];
  const sizes = new Map<string, number>();
  for (const file of paths) sizes.set(file, (await fsp.stat(path.join(folder, file))).size);

  const sources: Sources = { archives: [], lists: [], official: true, unverified: [], notes: [] };
  for (const [done, file] of spec.files.map(asWebFile).entries()) {
    onProgress?.({ task: `inspect ${path.basename(target)}`, done, total: spec.files.length, unit: 'files' });
    const found = await findOfficial(file, folder, sizes, signal);
    sources.notes.push(`${file.file}: ${found.note}`);
    if (found.path === undefined) sources.official = false;
    else if ((await archiveKind(found.path)) === undefined) sources.lists.push({ path: found.path, as: file.file });
    else
      sources.archives.push({
        path: found.path,
        as: isPackage(spec.files[done]) ? spec.files[done].package.name : stem(file.file),
      });
    if (found.path !== undefined && knownHash(file) === null) sources.official = false;
  }
  onProgress?.({
    task: `inspect ${path.basename(target)}`,
    done: spec.files.length,
    total: spec.files.length,
    unit: 'files',
  });
  if (sources.archives.length + sources.lists.length === spec.files.length) return sources;

  // Not all of the official files: what there is, by its content.
  const archives: SourceFile[] = [];
  for (const file of paths) {
    if (!/\.(zip|tar|tgz|tar\.gz|whl)$/i.test(file) || (await archiveKind(path.join(folder, file))) === undefined)
      continue;
    archives.push({ path: path.join(folder, file), as: `${archives.length}-${stem(file)}` });
    if (archives.length > MOST_ARCHIVES)
      throw new KitError(`The folder ${target} has more than ${MOST_ARCHIVES} archives.`, {
        code: 'DATASET_NOT_RECOGNISED',
        fix: 'Give a folder that holds the data set only.',
      });
  }
  if (archives.length === 0 && (tree === undefined || paths.length === 0)) {
    throw new KitError(
      `${target} holds nothing of the data set ${spec.name}: no archive that can be extracted, and no images.`,
      { code: 'DATASET_NOT_RECOGNISED', fix: byHand(spec) },
    );
  }
  return { ...sources, archives, lists: [], official: false, folder: tree === undefined ? undefined : folder };
}

/**
 * The file that is the official one, by its size and hash, or, when no hash is known, by its name; and what was found,
 * in words.
 */
async function findOfficial(
  file: WebFile,
  folder: string,
  sizes: ReadonlyMap<string, number>,
  signal?: AbortSignal,
): Promise<{ path?: string; note: string }> {
  const isNamed = (name: string) => path.posix.basename(name).toLowerCase() === file.file.toLowerCase();
  const named = [...sizes.keys()].filter(isNamed);
  const hash = knownHash(file);
  if (hash === null) {
    return named.length > 0
      ? { path: path.join(folder, named[0]), note: 'found by its name; no hash is known' }
      : { note: 'not found' };
  }
  const candidates =
    file.bytes === null ? named : [...sizes].filter(([, size]) => size === file.bytes).map(([name]) => name);
  for (const name of candidates) {
    const at = path.join(folder, name);
    const wrong = await mismatch(file, at, signal);
    if (wrong === undefined) return { path: at, note: `found, ${hash.algorithm} right` };
    if (isNamed(name) && file.bytes !== null) {
      throw new KitError(`${at} has the name and the size of the official file, but is damaged: ${wrong}.`, {
        code: 'DOWNLOAD_DAMAGED',
        fix: `Download it again: ${describeWebFile(file)}.`,
      });
    }
  }
  if (named.length === 0) return { note: 'not found' };
  return {
    note:
      file.bytes === null
        ? `one of this name has another ${hash.algorithm}`
        : `one of this name has ${sizes.get(named[0])} bytes, the official one ${file.bytes}`,
  };
}
