// Opens zip archives that may be damaged, for everything in the kit that reads one.
import fsp from 'node:fs/promises';
import { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { readFully } from '../../base/files/read-fully';

const CHUNK = 1 << 20; // bytes that are read at a time

/**
 * What `use` makes of the zip archive `file`, which is closed afterwards. Entries come one by one, when asked for by
 * `zip.readEntry()`.
 * @throws Error when it is no zip archive or is damaged; whatever `use` throws.
 */
export async function withZip<T>(file: string, use: (zip: yauzl.ZipFile) => Promise<T>): Promise<T> {
  const handle = await fsp.open(file);
  try {
    const { size } = await handle.stat();
    const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
      const options = { lazyEntries: true, autoClose: false, decodeStrings: true };
      yauzl.fromRandomAccessReader(new GuardedReader(handle, size), size, options, (error, opened) =>
        error ? reject(error) : resolve(opened),
      );
    });
    try {
      return await use(zip);
    } finally {
      zip.close();
    }
  } finally {
    await handle.close();
  }
}

/**
 * A file for yauzl, which reads wherever a damaged directory points to: outside the file that is an error here, where
 * yauzl's own reader throws an exception that nobody can catch.
 */
class GuardedReader extends yauzl.RandomAccessReader {
  constructor(
    private readonly file: fsp.FileHandle,
    private readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    if (position + length > this.size)
      return void setImmediate(callback, new Error('its directory points outside the file'));
    readFully(this.file, buffer.subarray(offset, offset + length), position).then(() => callback(null), callback);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.chunks(start, end));
  }

  private async *chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += CHUNK) {
      const chunk = Buffer.alloc(Math.min(CHUNK, end - at));
      await readFully(this.file, chunk, at);
      yield chunk;
    }
  }
}
