// Bytes read in order through a window, so that only the part of a large file that is being read is in memory.
import { KitError } from '../../../base/errors';
import type { ByteSource } from './torch/pickle-machine';

/** Reads `count` bytes at `at`; fewer only when the file has become shorter. */
export type ReadAt = (at: number, count: number) => Buffer;

/** Longest line, in bytes: names of modules and classes are much shorter. */
const longestLine = 4096;

/** Bytes that are read at a time: more than the pickles of most weights files have. */
const windowSize = 1 << 16;

/** The bytes of a file of `size` bytes, from the start; set `position` to read elsewhere. */
export class ByteStream implements ByteSource {
  position = 0;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(
    private readonly size: number,
    private readonly readAt: ReadAt,
  ) {}

  /** The bytes of `buffer`. */
  static of(buffer: Buffer): ByteStream {
    return new ByteStream(buffer.length, (at, count) => buffer.subarray(at, at + count));
  }

  /** @throws KitError when fewer than `count` bytes are left. */
  require(count: number): void {
    if (this.position + count > this.size) throw truncated(this.size, this.position + count - this.size);
  }

  take(count: number): Buffer {
    this.require(count);
    const within = this.position - this.windowStart;
    if (within < 0 || within + count > this.window.length) {
      this.windowStart = this.position;
      this.window = this.readAt(this.position, Math.min(Math.max(count, windowSize), this.size - this.position));
      if (this.window.length < count) throw truncated(this.position + this.window.length, count - this.window.length);
    }
    const from = this.position - this.windowStart;
    this.position += count;
    return this.window.subarray(from, from + count);
  }

  /** One byte, without the view that `take` makes. */
  byte(): number {
    const within = this.position - this.windowStart;
    if (within < 0 || within >= this.window.length) return this.take(1)[0];
    this.position++;
    return this.window[within];
  }

  line(): string {
    const bytes: number[] = [];
    for (let byte = this.byte(); byte !== 0x0a; byte = this.byte()) {
      if (bytes.push(byte) > longestLine)
        throw new KitError(`It has a line of more than ${longestLine} bytes.`, { code: 'PICKLE_MALFORMED' });
    }
    return Buffer.from(bytes).toString('utf8');
  }
}

/** The error for a file that ends at byte `at` with `wanted` bytes still expected. */
export function truncated(at: number, wanted: number): KitError {
  return new KitError(`It is truncated: it ends at byte ${at}, expected ${wanted} more.`, {
    code: 'WEIGHTS_TRUNCATED',
    fix: 'Download or save the file again.',
  });
}
