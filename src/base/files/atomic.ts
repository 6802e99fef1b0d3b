// Files and folders that appear whole or not at all: written under another name beside it, then renamed.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { KitError } from '../errors';
import { machineKey } from './machine';

let made = 0;

/**
 * Makes the file or folder `final`: `make` writes it at the path that it is given (in the same folder, named
 * `<final>.partial-<pid>-<machine>-<n>`), and only what it has finished is renamed into place. When `make` fails,
 * what it left is removed. Partials of processes of this machine that have died are removed first.
 * @param isWhole tells whether what stands at `final` after `make` (put there by another process meanwhile) will do;
 *   then that one stays and ours is dropped. Without it, ours replaces it.
 * @throws KitError when the disk is full or the folder cannot be written; otherwise the error of `make`.
 */
export async function makeAtomically<T>(
  final: string,
  make: (partial: string) => Promise<T>,
  isWhole: () => Promise<boolean> | boolean = () => false,
): Promise<T> {
  const folder = path.dirname(final);
  const partial = partialPath(final);
  try {
    await fsp.mkdir(folder, { recursive: true });
    for (const abandoned of await abandonedPartials(final)) await remove(abandoned);
    const result = await make(partial);
    if (await isWhole()) await remove(partial);
    else await putInPlace(partial, final);
    return result;
  } catch (error) {
    await remove(partial).catch(() => undefined);
    throw explainWriteError(error, folder);
  }
}

/**
 * Renames `partial` to `final`; a folder that stands there is moved aside first, since a rename does not replace a full
 * folder.
 */
async function putInPlace(partial: string, final: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fsp.rename(partial, final);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (attempt === 3 || !['ENOTEMPTY', 'EEXIST', 'EISDIR', 'ENOTDIR'].includes(code)) throw error;
    }
    const aside = `${partial}-replaced`;
    await fsp.rename(final, aside).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await remove(aside);
  }
}

async function remove(target: string): Promise<void> {
  await fsp.rm(target, { recursive: true, force: true });
}

/** A path beside `final` for what is not whole yet, which no other process and no other call uses. */
export function partialPath(final: string): string {
  return `${final}.partial-${process.pid}-${machineKey()}-${made++}`;
}

/**
 * The partials of `final` that processes of this machine, boot and PID namespace left when they were killed. Whether
 * others still run cannot be known here, so theirs are left alone.
 */
export async function abandonedPartials(final: string): Promise<string[]> {
  const folder = path.dirname(final);
  const prefix = `${path.basename(final)}.partial-`;
  const names = await fsp.readdir(folder);
  return names
    .filter((name) => {
      if (!name.startsWith(prefix)) return false;
      const [, pid, machine] = /^(\d+)-(.*)-\d+(?:-[a-z]+)?(?:\.json)?$/.exec(name.slice(prefix.length)) ?? [];
      return machine === machineKey() && !isAlive(Number(pid));
    })
    .map((name) => path.join(folder, name));
}

/** Whether the process `pid` of this machine lives, ours or another's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A KitError for what a disk refuses (full, read-only, not ours); any other error as it is. */
export function explainWriteError(error: unknown, folder: string): unknown {
  const { code, path: refused } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new KitError(
      `The disk that holds ${folder} is full${freeSpace(folder)}. Writing stopped, and the unfinished file is deleted.`,
      {
        code: 'DISK_FULL',
        fix: 'Free some space there, or set RIFLE_HOME to a folder on a larger disk, then run the same command again.',
        cause: error,
      },
    );
  }
  // EACCES of a file elsewhere (one that was to be read) is not about this folder.
  const ours = refused === undefined || path.resolve(refused).startsWith(path.resolve(folder));
  if (ours && (code === 'EACCES' || code === 'EROFS' || (code === 'EPERM' && refused !== undefined))) {
    return new KitError(`The folder ${folder} cannot be written (${code}).`, {
      code: 'FOLDER_NOT_WRITABLE',
      fix: 'Give yourself the right to write there, or set RIFLE_HOME to a folder of your own.',
      cause: error,
    });
  }
  if (code === 'ENAMETOOLONG') {
    return new KitError(`A name in ${folder} is too long for the disk.`, {
      code: 'NAME_TOO_LONG',
      fix: 'Use shorter names, or set RIFLE_HOME to a folder with a shorter path.',
      cause: error,
    });
  }
  return error;
}

function freeSpace(folder: string): string {
  try {
    const { bavail, bsize } = fs.statfsSync(folder);
    return ` (${((bavail * bsize) / 1e6).toFixed(0)} MB free now)`;
  } catch {
    return '';
  }
}
