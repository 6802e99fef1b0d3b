// Extracts zip archives (so also wheels): the directory is checked first, then the files are written.
import fsp from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type yauzl from 'yauzl';
import { mapConcurrently } from '../../base/files/concurrently';
import { quoted } from '../../base/visible';
import { refuseArchive, type ExtractWork } from './entry-gate';
import { withZip } from './zip';

/** Extracts the entries of a zip archive, each checked by its CRC-32. */
export async function extractZip(work: ExtractWork): Promise<number> {
  const { archive, into, onProgress, signal } = work;
  const task = `extract ${path.basename(archive)}`;
  return withZip(archive, async (zip) => {
    const entries = await admittedEntries(zip, work);
    let done = 0;
    const report = (): void => onProgress?.({ task, done, total: entries.length, unit: 'files' });
    report();
    await mapConcurrently(
      entries,
      4,
      async (entry) => {
        await writeEntry(zip, entry, archive, path.join(into, entry.fileName), signal);
        done++;
        report();
      },
      signal,
    );
    return entries.length;
  });
}

/** The files to extract, when all entries of the directory are as they should be. */
function admittedEntries(zip: yauzl.ZipFile, { archive, gate }: ExtractWork): Promise<yauzl.Entry[]> {
  const admitted: yauzl.Entry[] = [];
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => {
      const [, name] =
        /^(?:absolute path|invalid relative path|invalid characters in fileName): (.*)$/s.exec(error.message) ?? [];
      reject(
        name === undefined
          ? error
          : refuseArchive(
              archive,
              'ARCHIVE_ENTRY_OUTSIDE',
              `its entry ${quoted(name)} lies outside the folder that it is extracted to`,
            ),
      );
    });
    zip.on('end', () => resolve(admitted));
    zip.on('entry', (entry: yauzl.Entry) => {
      try {
        if (gate.admit(entry.fileName, kindOf(entry), entry.uncompressedSize)) admitted.push(entry);
        zip.readEntry();
      } catch (error) {
        reject(error as Error);
      }
    });
    zip.readEntry();
  });
}

async function writeEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  archive: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  await fsp.mkdir(path.dirname(target), { recursive: true });
  const source = await new Promise<Readable>((resolve, reject) =>
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream))),
  );
  const handle = await fsp.open(target, 'wx', 0o644);
  let sum = 0;
  try {
    await handle.chmod(0o644);
    for await (const chunk of source as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      sum = crc32(chunk, sum);
      for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
    }
  } finally {
    source.destroy();
    await handle.close();
  }
  if (sum !== entry.crc32)
    throw refuseArchive(
      archive,
      'ARCHIVE_DAMAGED',
      `its entry ${quoted(entry.fileName)} is damaged (its checksum does not match)`,
    );
}

function kindOf(entry: yauzl.Entry): 'file' | 'folder' | 'other' {
  if (entry.fileName.endsWith('/')) return 'folder';
  const madeOnUnix = entry.versionMadeBy >>> 8 === 3;
  const type = madeOnUnix ? (entry.externalFileAttributes >>> 16) & 0o170000 : 0;
  return type === 0 || type === 0o100000 ? 'file' : 'other';
}
