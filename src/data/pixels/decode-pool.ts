// Decodes and resizes images on worker threads, so that all cores work and this thread stays free.
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorFromFields, type ErrorFields } from '../../base/errors';
import { decodeResized } from './decode';
import type { Image } from './image';

/**
 * What `decode-worker` is asked for: the image in `file`, resized so that its shorter side has `shortSide` pixels; or
 * `END`, to finish and end.
 */
export interface DecodeTask {
  id: number;
  file: string;
  shortSide: number;
}

export const END = 'end';

/** What it answers to the task `id`: the image, or why it cannot be had. */
export type DecodeReply = { id: number; image: Image } | { id: number; error: ErrorFields };

const ENDED = new Error('a thread that decodes images ended');

/**
 * Milliseconds that a thread may take to finish before it is terminated all the same: a large image takes a second or
 * two.
 */
const GRACE = 20_000;

/** Worker threads that turn files into images of a short side; `close` when done. */
export class DecodePool {
  /** Number of images that are worked on at once. */
  readonly size: number;
  private readonly workers: Worker[];
  private readonly waiting = new Map<number, { resolve: (image: Image) => void; reject: (error: unknown) => void }>();
  private asked = 0;
  private closing = false;

  /**
   * A pool for about `images` images: one thread a core, at most 16; none for fewer than 64 images, which are done
   * before threads start.
   */
  constructor(images: number) {
    this.size = Math.min(availableParallelism(), 16);
    this.workers = Array.from({ length: images < 64 ? 0 : this.size }, () => this.start());
  }

  private start(): Worker {
    const worker = new Worker(path.join(__dirname, 'decode-worker.js'), { execArgv: [] });
    worker.on('message', (reply: DecodeReply) => {
      const asked = this.waiting.get(reply.id);
      if (asked === undefined) return; // given up when another thread failed
      this.waiting.delete(reply.id);
      if ('image' in reply) asked.resolve(reply.image);
      else asked.reject(errorFromFields(reply.error));
    });
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', () => this.closing || this.fail(ENDED));
    return worker;
  }

  private fail(error: unknown): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  /**
   * The image in `file`, its short side resized to `shortSide` pixels. See `decode` and `resizeShortSide`.
   * @throws KitError when the file cannot be decoded.
   */
  async run(file: string, shortSide: number): Promise<Image> {
    if (this.workers.length === 0) return decodeResized(file, shortSide);
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.workers[id % this.workers.length].postMessage({ id, file, shortSide } satisfies DecodeTask);
    });
  }

  /**
   * Ends the threads, each when it has finished what it is at: to terminate one inside the image library could leave
   * the library's memory, which is the process's, in disorder.
   */
  async close(): Promise<void> {
    this.closing = true;
    await Promise.all(
      this.workers.map(async (worker) => {
        if (worker.threadId < 0) return; // it has failed and ended
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.postMessage(END);
        const late = setTimeout(() => void worker.terminate(), GRACE);
        await ended;
        clearTimeout(late);
      }),
    );
    this.fail(ENDED);
  }
}
