// Extracts tar and tar.gz archives in one pass, with node-tar's parser.
import fs, { createReadStream } from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type * as tar from 'tar';
import { archiveKind } from './archive-kind';
import { tar as loadTar } from '../../base/packages';
import { refuseArchive, type ExtractWork } from './entry-gate';

const PIECE = 2 ** 20; // bytes that are written at a time
const FEED = 2 ** 16; // bytes that the parser gets at a time
/** Up to so many bytes a file goes through memory in one piece, which is several times faster than a stream. */
const SMALL = 4 * 2 ** 20;
/** Most bytes after the end of the archive that are read, to see whether the gzip stream ends well. */
const MOST_AFTER_END = 16 * 2 ** 20;

/**
 * Extracts the entries of a tar archive. Each is checked before it is written, and reading stops at the archive's end:
 * what follows it is no part of it.
 */
export async function extractTar(work: ExtractWork): Promise<number> {
  const { archive, into, gate, onProgress, signal } = work;
  const { size } = await fsp.stat(archive);
  const file = createReadStream(archive, { signal, highWaterMark: 2 ** 18 });
  const isPacked = (await archiveKind(archive)) === 'tar.gz';
  const source = isPacked ? pipeline(file, createGunzip({ chunkSize: FEED }), () => undefined) : file;
  const report = (): void =>
    onProgress?.({ task: `extract ${path.basename(archive)}`, done: file.bytesRead, total: size, unit: 'bytes' });
  const folders = new Set<string>();
  let written = 0;
  const write = async (entry: tar.ReadEntry): Promise<void> => {
    const target = path.join(into, entry.path);
    const folder = path.dirname(target);
    if (!folders.has(folder)) fs.mkdirSync(folder, { recursive: true });
    folders.add(folder);
    await writeEntry(entry, target);
    written++;
    report();
  };
  const parser = new EntryParser(
    (entry) => gate.admit(entry.path, kindOf(entry.type), entry.size),
    (entry) => void gate.admit(entry.path, entry.meta ? 'folder' : 'other', entry.size),
    write,
  );
  report();
  try {
    let [first, afterEnd] = [true, 0];
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (first && !isPlain(chunk)) throw new Error('its content is no tar archive');
      first = false;
      if (parser.ended) afterEnd += chunk.length;
      else for (let at = 0; at < chunk.length; at += FEED) await parser.feed(chunk.subarray(at, at + FEED));
      if (parser.ended && (!isPacked || afterEnd > MOST_AFTER_END)) break;
    }
    await parser.finish();
  } catch (error) {
    await parser.stop(error);
    throw error;
  } finally {
    source.destroy();
    file.destroy();
  }
  // An archive that was cut off between two entries looks whole but for this.
  if (!parser.ended)
    throw refuseArchive(
      archive,
      'ARCHIVE_DAMAGED',
      'it is damaged (it is cut off: the blocks that end a tar archive are missing)',
    );
  if (written !== gate.admitted.size) throw new Error(`${written} of ${gate.admitted.size} files were extracted`);
  return written;
}

/** Whether the beginning of a tar archive is not packed once more: the parser would unpack it. */
const isPlain = (bytes: Buffer): boolean =>
  bytes.length < 4 || (bytes.readUInt16BE(0) !== 0x1f8b && bytes.readUInt32BE(0) !== 0x28b52ffd);

function kindOf(type: string): 'file' | 'folder' | 'other' {
  if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') return 'file';
  return type === 'Directory' ? 'folder' : 'other';
}

/** node-tar's parser with back-pressure, whose entries are written one after another. */
class EntryParser {
  /** Whether the blocks that end an archive were seen. */
  ended = false;
  private readonly parser: tar.Parser;
  private readonly closed: Promise<void>;
  private readonly failed: Promise<never>;
  private fail: (error: unknown) => void = () => undefined;
  private failure: { error: unknown } | undefined;
  private jobs = Promise.resolve();
  private reading: tar.ReadEntry | undefined;
  private drained = true;
  private onDrain: () => void = () => undefined;

  /**
   * @param admit whether an entry is written; throws when the archive is refused
   * @param meet is told of every entry that the parser leaves out (unknown types, oversized headers), and may throw
   */
  constructor(
    admit: (entry: tar.ReadEntry) => boolean,
    meet: (entry: tar.ReadEntry) => void,
    private readonly write: (entry: tar.ReadEntry) => Promise<void>,
  ) {
    this.failed = new Promise((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
    this.parser = new (loadTar().Parser)({ strict: true, onReadEntry: (entry) => this.take(entry, admit) });
    const guard = (use: () => void): void => {
      try {
        use();
      } catch (error) {
        this.failWith(error);
      }
    };
    this.parser.on('ignoredEntry', (entry: tar.ReadEntry) =>
      guard(() => {
        meet(entry);
        if (entry.meta) throw new Error(`it has a header of ${entry.size} bytes`);
      }),
    );
    this.parser.on('meta', (text: string) =>
      guard(() => {
        if (/\bGNU\.sparse\./.test(text)) throw new Error('it has files that are stored with holes');
      }),
    );
    this.parser.on('eof', () => (this.ended = true));
    this.parser.on('error', (error) => this.failWith(error));
    this.parser.on('drain', () => {
      this.drained = true;
      this.onDrain();
    });
    this.closed = new Promise((resolve) => this.parser.on('close', () => resolve()));
  }

  private failWith(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.fail(error);
    this.reading?.destroy(error as Error);
  }

  private take(entry: tar.ReadEntry, admit: (entry: tar.ReadEntry) => boolean): void {
    entry.on('error', () => undefined); // `failWith` knows it
    try {
      if (this.failure !== undefined || !admit(entry)) return void entry.resume();
    } catch (error) {
      entry.resume();
      return this.failWith(error);
    }
    // One after another: for the parser an entry has ended before it is written, and the next must not overtake it.
    this.jobs = this.jobs.then(async () => {
      if (this.failure !== undefined) return;
      this.reading = entry;
      await this.write(entry);
      this.reading = undefined;
    });
    this.jobs.catch((error: unknown) => this.failWith(error));
  }

  /** Gives the parser some bytes, and waits until it can take more. */
  async feed(bytes: Buffer): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    if (this.ended) return;
    this.drained = false;
    if (this.parser.write(bytes)) return;
    const drain = new Promise<void>((resolve) => (this.onDrain = resolve));
    if (!this.drained) await Promise.race([drain, this.failed]);
  }

  /** Waits for all entries. */
  async finish(): Promise<void> {
    if (this.failure !== undefined) throw this.failure.error;
    this.parser.end();
    await Promise.race([this.closed, this.failed]);
    await Promise.race([this.jobs, this.failed]);
  }

  /** Ends what is being written: nothing is written any more once this has returned. */
  async stop(error: unknown): Promise<void> {
    this.failWith(error);
    await this.jobs.catch(() => undefined);
  }
}

/**
 * Writes a new file with the mode 644: the archive does not decide who may read or run it. The entry is read by its
 * events: iterating over it may lose its last bytes (minipass 7.1 ends when the end is known, not when it is reached).
 */
async function writeEntry(entry: tar.ReadEntry, target: string): Promise<void> {
  if (entry.destroyed) throw new Error('stopped');
  const bytes = entry.size <= SMALL ? await writeSmall(entry, target) : await writeLarge(entry, target);
  if (bytes !== entry.size)
    throw new Error(`its entry ${JSON.stringify(entry.path)} should have ${entry.size} bytes, found ${bytes}`);
}

async function writeSmall(entry: tar.ReadEntry, target: string): Promise<number> {
  const content = await entry.concat();
  const handle = fs.openSync(target, 'wx', 0o644); // synchronous: several times faster than waiting for each file
  try {
    fs.writeFileSync(handle, content);
    fs.fchmodSync(handle, 0o644);
  } finally {
    fs.closeSync(handle);
  }
  return content.length;
}

async function writeLarge(entry: tar.ReadEntry, target: string): Promise<number> {
  let bytes = 0;
  const handle = await fsp.open(target, 'wx', 0o644);
  const write = async (chunk: Buffer): Promise<void> => {
    for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
    bytes += chunk.length;
  };
  try {
    await handle.chmod(0o644);
    await new Promise<void>((resolve, reject) => {
      let writing = Promise.resolve();
      let waiting: Buffer[] = [];
      let size = 0;
      const flush = (): Promise<void> => {
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
      entry.on('end', () => flush().then(resolve, reject)); // it may come while the bytes before are being written
      entry.on('error', reject);
    });
  } finally {
    await handle.close();
  }
  return bytes;
}
