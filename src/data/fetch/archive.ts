// Extracts zip (wheel), tar and tar.gz archives of strangers: nothing outside the folder, no links, bounded, whole or
// not at all.
import fsp from 'node:fs/promises';
import { KitError } from '../../base/errors';
import { makeAtomically } from '../../base/files/atomic';
import type { OnProgress } from '../../base/progress';
import { archiveKind } from './archive-kind';
import { EntryGate, refuseArchive, type ExtractWork } from './entry-gate';
import { extractTar } from './extract-tar';
import { extractZip } from './extract-zip';

/** Bounds and choices of `extract`. */
export interface ExtractOptions {
  /** Which files to extract, by their path in the archive with forward slashes. Default: all. */
  filter?: (file: string) => boolean;
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** Most bytes to extract. Default 8 GiB. */
  maxBytes?: number;
  /** Most entries (files, folders and all others, extracted or not) that the archive may have. Default 500,000. */
  maxFiles?: number;
}

/**
 * Extracts `archive` (zip, so also .whl; tar; gzipped tar: told apart by their bytes) into the folder `into`, which
 * appears whole or not at all; one that stands there is replaced. The archive is read once: entries are written into a
 * folder beside `into`, which is renamed when all of them were checked. All files get the mode 644. Returns the
 * number of files extracted.
 * @throws KitError `ARCHIVE_MISSING`; `ARCHIVE_KIND_UNKNOWN`; `ARCHIVE_DAMAGED`; `ARCHIVE_ENTRY_OUTSIDE`,
 *   `ARCHIVE_ENTRY_LINK` (or device, or unknown) and `ARCHIVE_ENTRY_TWICE` for any entry, extracted or not;
 *   `ARCHIVE_TOO_LARGE`. Nothing is left behind then, nor when the signal aborts.
 */
export async function extract(archive: string, into: string, options: ExtractOptions = {}): Promise<number> {
  const { filter = () => true, maxBytes = 8 * 2 ** 30, maxFiles = 500_000, onProgress, signal } = options;
  const kind = await archiveKind(archive).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new KitError(`The archive ${archive} is missing.`, { code: 'ARCHIVE_MISSING', cause });
  });
  if (kind === undefined) {
    throw new KitError(
      `${archive} is not extracted: it is no archive of a known kind (zip, tar, tar.gz), or its beginning is damaged.`,
      { code: 'ARCHIVE_KIND_UNKNOWN', fix: 'Download the file again.' },
    );
  }
  return makeAtomically(into, async (partial) => {
    await fsp.mkdir(partial);
    const gate = new EntryGate(archive, { filter, maxBytes, maxFiles });
    const work: ExtractWork = { archive, into: partial, gate, onProgress, signal };
    try {
      return await (kind === 'zip' ? extractZip(work) : extractTar(work));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof KitError || isWriteError(error)) throw error;
      throw refuseArchive(archive, 'ARCHIVE_DAMAGED', `it is damaged (${(error as Error).message})`, error);
    }
  });
}

function isWriteError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EMFILE', 'ENOENT'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
