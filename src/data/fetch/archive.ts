// Unpacks zip (wheel), tar and tar.gz archives that nobody has to trust: nothing outside the folder, no links, bounded,
// whole or not at all.
import fs, { createReadStream, createWriteStream } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type * as tar from 'tar';
import type yauzl from 'yauzl';
import { KitError } from '../../base/errors';
import { tar as loadTar } from '../../base/packages';
import type { OnProgress } from '../../base/progress';
import { archiveKind } from './archive-kind';
import { makeAtomically } from '../../base/files/atomic';
import { mapConcurrently } from '../../base/files/concurrently';
import { withZip } from './zip';

/** Bounds and choices of `extract`. */
export interface ExtractOptions {
  /** Which files to unpack, by their path in the archive with forward slashes. Default: all. */
  filter?: (file: string) => boolean;
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** Most bytes to unpack. Default 8 GiB. */
  maxBytes?: number;
  /** Most entries (files and folders, unpacked or not) that the archive may have. Default 500,000. */
  maxFiles?: number;
}

type Settings = Required<Pick<ExtractOptions, 'filter' | 'maxBytes' | 'maxFiles'>> & {
  report: (done: number, total: number) => void;
  looked: (done: number, total: number) => void;
  signal?: AbortSignal;
};

/** Most bytes that all entries of an archive may have together, unpacked or not: reading on takes time only. */
const MOST_BYTES_READ = 64 * 2 ** 30;

/**
 * Unpacks `archive` (zip, so also .whl; tar; gzipped tar: told apart by their bytes) into the folder `into`, which
 * appears whole or not at
 * all; one that stands there is replaced. All files get the mode 644. Returns the number of files unpacked.
 * @throws KitError, and leaves nothing behind, when the archive is damaged or of another kind, when any entry (unpacked
 *   or not) lies
 * outside the folder, is a link or a device or comes twice, and when it is larger than the bounds; the signal's reason
 *   when aborted.
 */
export async function extract(archive: string, into: string, options: ExtractOptions = {}): Promise<number> {
  const { filter = () => true, maxBytes = 8 * 2 ** 30, maxFiles = 500_000, onProgress, signal } = options;
  const task = `unpack ${path.basename(archive)}`;
  const report = (done: number, total: number) => onProgress?.({ task, done, total, unit: 'files' });
  const looked = (done: number, total: number) =>
    onProgress?.({ task: `look through ${path.basename(archive)}`, done, total, unit: 'bytes' });
  const kind = await archiveKind(archive).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new KitError(`The archive ${archive} is missing.`, { cause: error }) : error;
  });
  if (kind === undefined)
    throw new KitError(
      `${archive} is not unpacked: it is no archive of a kind that is known (zip, tar, tar.gz), or is damaged at its beginning.`,
    );
  const unpack = kind === 'zip' ? unzip : untar;
  return makeAtomically(into, async (partial) => {
    await fsp.mkdir(partial);
    try {
      return await unpack(archive, partial, { filter, maxBytes, maxFiles, report, looked, signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof KitError || isWriteError(error)) throw error;
      throw refuse(archive, `it is damaged (${(error as Error).message})`, error);
    }
  });
}

function isWriteError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EMFILE', 'ENOENT'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}

function refuse(archive: string, why: string, cause?: unknown): KitError {
  return new KitError(`The archive ${archive} is not unpacked: ${why}.`, {
    fix: 'Delete the file, so that it is fetched again.',
    cause,
  });
}

/**
 * Counts what an archive holds, and refuses what is outside the bounds or not a plain file or folder below the target.
 */
class Gate {
  readonly wanted = new Set<string>();
  private entries = 0;
  private bytes = 0;
  private bytesRead = 0;

  constructor(
    private readonly archive: string,
    private readonly settings: Settings,
  ) {}

  /** Whether the entry is a file to unpack. */
  admit(name: string, kind: 'file' | 'folder' | 'other', bytes: number): boolean {
    const { filter, maxBytes, maxFiles } = this.settings;
    if (++this.entries > maxFiles) throw refuse(this.archive, `it has more than ${maxFiles} entries`);
    this.bytesRead += bytes;
    if (this.bytesRead > MOST_BYTES_READ)
      throw refuse(this.archive, `its entries have more than ${MOST_BYTES_READ} bytes`);
    const parts = name.split(/[/\\]/);
    if (
      name === '' ||
      name.includes('\0') ||
      parts.includes('..') ||
      path.isAbsolute(name) ||
      path.win32.isAbsolute(name) ||
      /^[a-z]:/i.test(name)
    ) {
      throw refuse(this.archive, `its entry ${JSON.stringify(name)} lies outside the folder that it is unpacked to`);
    }
    if (kind === 'other') throw refuse(this.archive, `its entry ${JSON.stringify(name)} is a link or a device`);
    if (kind === 'folder' || !filter(name)) return false;
    if (this.wanted.has(name)) throw refuse(this.archive, `its entry ${JSON.stringify(name)} comes twice`);
    this.bytes += bytes;
    if (this.bytes > maxBytes) throw refuse(this.archive, `it would unpack to more than ${maxBytes} bytes`);
    this.wanted.add(name);
    return true;
  }
}

async function unzip(archive: string, into: string, settings: Settings): Promise<number> {
  const gate = new Gate(archive, settings);
  return withZip(archive, async (zip) => {
    const wanted: yauzl.Entry[] = [];
    await new Promise<void>((resolve, reject) => {
      zip.on('error', (error: Error) => {
        const outside = /^(absolute path|invalid relative path|invalid characters in fileName): (.*)$/.exec(
          error.message,
        );
        reject(
          outside
            ? refuse(archive, `its entry ${JSON.stringify(outside[2])} lies outside the folder that it is unpacked to`)
            : error,
        );
      });
      zip.on('end', resolve);
      zip.on('entry', (entry: yauzl.Entry) => {
        try {
          if (gate.admit(entry.fileName, zipKind(entry), entry.uncompressedSize)) wanted.push(entry);
          zip.readEntry();
        } catch (error) {
          reject(error as Error);
        }
      });
      zip.readEntry();
    });
    let done = 0;
    settings.report(0, wanted.length);
    await mapConcurrently(
      wanted,
      4,
      async (entry) => {
        await unzipEntry(zip, entry, archive, path.join(into, entry.fileName), settings.signal);
        settings.report(++done, wanted.length);
      },
      settings.signal,
    );
    return wanted.length;
  });
}

const LARGE = 64 * 2 ** 20; // bytes from which on looking through an archive takes long enough to be told
const PIECE = 2 ** 20; // bytes that are written at a time
// bytes up to which a file goes through memory in one piece, which is several times faster than a stream
const SMALL = 4 * 2 ** 20;

async function unzipEntry(
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
  let sum = 0;
  if (entry.uncompressedSize <= SMALL) {
    const chunks: Buffer[] = [];
    for await (const chunk of source) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    sum = crc32(bytes);
    await fsp.writeFile(target, bytes, { flag: 'wx' });
  } else {
    const summing = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        sum = crc32(chunk, sum);
        next(null, chunk);
      },
    });
    await pipeline(source, summing, createWriteStream(target, { flags: 'wx' }), { signal });
  }
  if (sum !== entry.crc32)
    throw refuse(archive, `its entry ${JSON.stringify(entry.fileName)} is damaged (its check sum does not match)`);
}

function zipKind(entry: yauzl.Entry): 'file' | 'folder' | 'other' {
  if (entry.fileName.endsWith('/')) return 'folder';
  const madeOnUnix = entry.versionMadeBy >>> 8 === 3;
  const type = madeOnUnix ? (entry.externalFileAttributes >>> 16) & 0o170000 : 0;
  return type === 0 || type === 0o100000 ? 'file' : 'other';
}

/** Two passes: the first looks at every entry and writes nothing, the second unpacks what was admitted. */
async function untar(archive: string, into: string, settings: Settings): Promise<number> {
  const gate = new Gate(archive, settings);
  const { size } = await fsp.stat(archive);
  const looked = (done: number) => size > LARGE && settings.looked(done, size);
  const ended = await parseTar(
    archive,
    settings.signal,
    (entry) => void gate.admit(entry.path, tarKind(entry.type), entry.size),
    looked,
  );
  // An archive that was cut off between two entries looks whole but for this.
  if (!ended) throw refuse(archive, 'it is damaged (it is cut off: the blocks that end a tar archive are missing)');
  let done = 0;
  const total = gate.wanted.size;
  const folders = new Set<string>();
  settings.report(0, total);
  await parseTar(archive, settings.signal, (entry) => {
    if (!gate.wanted.has(entry.path)) return undefined;
    return async () => {
      const target = path.join(into, entry.path);
      const folder = path.dirname(target);
      if (!folders.has(folder)) fs.mkdirSync(folder, { recursive: true });
      folders.add(folder);
      await writeTarEntry(entry, target);
      settings.report(++done, total);
    };
  });
  if (done !== total) throw new Error(`${done} of ${total} files were unpacked`);
  return total;
}

/**
 * Writes a new file with the mode 644: whoever made the archive has no say in who may read or run it. The entry is read
 * by its events:
 * iterating over it may lose its last bytes (minipass 7.1 ends when the end is known, not when it is reached).
 */
async function writeTarEntry(entry: tar.ReadEntry, target: string): Promise<void> {
  if (entry.destroyed) throw new Error('stopped');
  let bytes = 0;
  if (entry.size <= SMALL) {
    const content = await entry.concat();
    bytes = content.length;
    fs.writeFileSync(target, content, { flag: 'wx', mode: 0o644 }); // several times faster than waiting for it
  } else {
    const handle = await fsp.open(target, 'wx', 0o644);
    const write = async (chunk: Buffer) => {
      for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
      bytes += chunk.length;
    };
    try {
      await new Promise<void>((resolve, reject) => {
        let writing = Promise.resolve();
        let waiting: Buffer[] = [];
        let size = 0;
        const flush = () => {
          const chunk = Buffer.concat(waiting);
          [waiting, size] = [[], 0];
          writing = writing.then(() => write(chunk));
          return writing;
        };
        entry.on('data', (chunk) => {
          waiting.push(chunk);
          size += chunk.length;
          if (size < PIECE) return;
          entry.pause();
          flush().then(() => entry.resume(), reject);
        });
        entry.on('end', () => flush().then(resolve, reject)); // which may come while the bytes before are being written
        entry.on('error', reject);
      });
    } finally {
      await handle.close();
    }
  }
  if (bytes !== entry.size)
    throw new Error(`its entry ${JSON.stringify(entry.path)} should have ${entry.size} bytes, found ${bytes}`);
}

/**
 * Feeds the archive to node-tar's parser, and each entry to `use`, which may give a job that reads it; the next entry
 * comes when it is
 * done. Returns whether the end of the archive was seen. When anything fails, no job runs any more once this has
 * thrown.
 */
async function parseTar(
  archive: string,
  signal: AbortSignal | undefined,
  use: (entry: tar.ReadEntry) => (() => Promise<void>) | undefined | void,
  onBytes?: (read: number) => void,
): Promise<boolean> {
  const source = createReadStream(archive, { signal, highWaterMark: 1 << 18 });
  let jobs = Promise.resolve();
  let reading: tar.ReadEntry | undefined;
  let ended = false;
  let failed = false;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => {
        if (failed) return;
        failed = true;
        source.destroy();
        reject(error as Error);
        reading?.destroy(error as Error);
      };
      const parser = new (loadTar().Parser)({
        strict: true,
        onReadEntry: (entry) => {
          entry.on('error', () => undefined); // `fail` has told it
          try {
            const job = failed ? undefined : use(entry);
            if (typeof job !== 'function') return void entry.resume();
            // One after another: an entry has ended for the parser before it is written, and the next must not overtake
            // it.
            jobs = jobs.then(async () => {
              if (failed) return;
              reading = entry;
              await job();
              reading = undefined;
            });
            jobs.catch(fail);
          } catch (error) {
            entry.resume();
            fail(error);
          }
        },
      });
      parser.on('eof', () => (ended = true));
      parser.on('error', fail);
      parser.on('close', () => void jobs.then(resolve, fail));
      parser.on('drain', () => source.resume());
      source.on('error', fail);
      source.on('data', (chunk) => {
        onBytes?.(source.bytesRead);
        if (!parser.write(chunk as Buffer)) source.pause();
      });
      source.on('end', () => parser.end());
    });
  } finally {
    await jobs.catch(() => undefined);
  }
  return ended;
}

function tarKind(type: string): 'file' | 'folder' | 'other' {
  if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') return 'file';
  return type === 'Directory' ? 'folder' : 'other';
}
