// Reads a text file of a store, which may be anything: a pipe, a folder, or gigabytes.
import fs from 'node:fs';
import { KitError } from '../../../base/errors';

/**
 * The text of `file`, or null where there is none.
 * @param most bytes that it may have.
 * @throws KitError STORE_FILE_REFUSED when it is not a regular file or is larger; the system's error when it cannot be
 *   read.
 */
export function boundedText(file: string, most: number): string | null {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile()) throw refused(file, 'it is not a regular file');
  if (stat.size > most)
    throw refused(file, `it has ${stat.size} bytes, more than the ${most} that such a file may have`);
  return fs.readFileSync(file, 'utf8');
}

/**
 * The lines of a text file that is only appended to. Of one with more than `most` bytes: those within the first and the
 * last `most / 2`, without the lines that this cuts.
 * @throws as `boundedText`.
 */
export function boundedLines(file: string, most: number): string[] {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isFile()) throw refused(file, 'it is not a regular file');
  if (stat.size <= most) return fs.readFileSync(file, 'utf8').split('\n');
  const half = Math.floor(most / 2);
  const handle = fs.openSync(file, 'r');
  try {
    const read = (from: number): string[] => {
      const bytes = Buffer.alloc(half);
      return bytes.toString('utf8', 0, fs.readSync(handle, bytes, 0, half, from)).split('\n');
    };
    return [...read(0).slice(0, -1), ...read(stat.size - half).slice(1)];
  } finally {
    fs.closeSync(handle);
  }
}

const refused = (file: string, why: string): KitError =>
  new KitError(`The file ${file} is not read: ${why}.`, {
    code: 'STORE_FILE_REFUSED',
    fix: 'Move it out of the folder of runs.',
  });
