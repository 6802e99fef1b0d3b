// Counts what an archive holds, and refuses what exceeds the bounds or is no plain file or folder below the target.
import path from 'node:path';
import { KitError } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import { quoted } from '../../base/visible';

/** Most bytes that all entries of an archive may have together, extracted or not: reading them takes time only. */
const MOST_BYTES_READ = 64 * 2 ** 30;

/** Most characters of an entry's name. */
const MOST_NAME = 4096;

/** Why an archive is not extracted. */
export type ArchiveCode =
  'ARCHIVE_DAMAGED' | 'ARCHIVE_TOO_LARGE' | 'ARCHIVE_ENTRY_OUTSIDE' | 'ARCHIVE_ENTRY_LINK' | 'ARCHIVE_ENTRY_TWICE';

/** The error for an archive that is not extracted. */
export const refuseArchive = (archive: string, code: ArchiveCode, why: string, cause?: unknown): KitError =>
  new KitError(`The archive ${archive} is not extracted: ${why}.`, {
    code,
    fix: 'Delete the file, so that it is downloaded again.',
    cause,
  });

/** The bounds of one extraction, and what was counted so far. */
export class EntryGate {
  /** Names of the files that were admitted. */
  readonly admitted = new Set<string>();
  private entries = 0;
  private bytes = 0;
  private bytesRead = 0;

  constructor(
    private readonly archive: string,
    private readonly bounds: { filter: (file: string) => boolean; maxBytes: number; maxFiles: number },
  ) {}

  /**
   * Whether the entry is a file to extract.
   * @throws KitError with an `ArchiveCode`.
   */
  admit(name: string, kind: 'file' | 'folder' | 'other', bytes: number): boolean {
    const { filter, maxBytes, maxFiles } = this.bounds;
    const refuse = (code: ArchiveCode, why: string): KitError => refuseArchive(this.archive, code, why);
    if (++this.entries > maxFiles) throw refuse('ARCHIVE_TOO_LARGE', `it has more than ${maxFiles} entries`);
    this.bytesRead += bytes;
    if (this.bytesRead > MOST_BYTES_READ)
      throw refuse('ARCHIVE_TOO_LARGE', `its entries have more than ${MOST_BYTES_READ} bytes`);
    if (!staysInside(name))
      throw refuse(
        'ARCHIVE_ENTRY_OUTSIDE',
        `its entry ${quoted(name)} lies outside the folder that it is extracted to`,
      );
    if (kind === 'other')
      throw refuse('ARCHIVE_ENTRY_LINK', `its entry ${quoted(name)} is a link, a device or unknown`);
    if (kind === 'folder' || !filter(name)) return false;
    if (this.admitted.has(name)) throw refuse('ARCHIVE_ENTRY_TWICE', `its entry ${quoted(name)} comes twice`);
    this.bytes += bytes;
    if (this.bytes > maxBytes) throw refuse('ARCHIVE_TOO_LARGE', `it would extract to more than ${maxBytes} bytes`);
    this.admitted.add(name);
    return true;
  }
}

const staysInside = (name: string): boolean =>
  name !== '' &&
  name.length <= MOST_NAME &&
  !name.includes('\0') &&
  !name.split(/[/\\]/).includes('..') &&
  !path.isAbsolute(name) &&
  !path.win32.isAbsolute(name) &&
  !/^[a-z]:/i.test(name);

/** What `extractTar` and `extractZip` work with. */
export interface ExtractWork {
  archive: string;
  /** An empty folder of their own: it is deleted when they fail. */
  into: string;
  gate: EntryGate;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}
