// Reads the weights of a Keras `.h5` file on a thread of its own, which ends when the file breaks it or makes it hang.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { KitError } from '../../../../base/errors';
import type { OnProgress } from '../../../../base/progress';
import type { H5Reply, H5Task } from './keras-h5-worker';
import type { StateDict } from '../state-dict';

const again = 'Fetch or save the file again.';

/**
 * The weights in an HDF5 file of Keras (`save_weights` or `save`, Keras 1 or later, not its `.keras`), by names as
 * `conv1/kernel`, with Keras's
 * layouts. Needs as much memory as the weights, twice the largest of them, and about 60 MB for the library.
 * @throws KitError when it is no such file, is truncated or damaged, or holds anything but plain numbers.
 */
export async function readKerasH5(file: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<StateDict> {
  const found: StateDict = new Map();
  try {
    if (!fs.existsSync(file)) throw new KitError('There is no such file.', { fix: 'Correct the path.' });
    const thread = new H5Thread();
    try {
      await thread.read(path.resolve(file), ({ name, shape, dtype, data, bytes, total }) => {
        found.set(name, { shape, dtype, data });
        onProgress?.({ task: 'read weights', done: bytes, total, unit: 'bytes' });
      });
    } finally {
      await thread.end();
    }
  } catch (cause) {
    const { message, fix } = cause as Error & { fix?: string };
    throw new KitError(`The weights file ${file} cannot be read as a Keras HDF5 file. ${message}`, {
      fix: fix || again,
      cause,
    });
  }
  return found;
}

type Weight = Extract<H5Reply, { kind: 'weight' }>;

/** The file that a thread is at: what to do with its answers. */
interface Reading {
  onWeight(weight: Weight): void;
  settle(error: KitError | null): void;
}

/** A thread with the HDF5 library; it can read one file after another until one of them breaks it. */
export class H5Thread {
  // The library prints what it finds wrong: the message says enough.
  private readonly worker = new Worker(path.join(__dirname, 'keras-h5-worker.js'), {
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  private reading: Reading | undefined;

  /** @param stallSeconds without any weight read after which a file counts as one that makes the library hang. */
  constructor(private readonly stallSeconds = 60) {
    this.worker.on('message', (reply: H5Reply) => {
      if (reply.kind === 'weight') this.reading?.onWeight(reply);
      else this.reading?.settle(reply.kind === 'done' ? null : new KitError(reply.message, { fix: reply.fix }));
    });
    this.worker.on('error', (error: Error) => this.fail(`breaks the HDF5 library (${error.message.slice(0, 100)})`));
    this.worker.on('exit', () => this.fail('breaks the HDF5 library'));
  }

  private fail(what: string): void {
    this.reading?.settle(new BrokenThread(`It ${what}: it is damaged.`));
  }

  /**
   * Reads the file at an absolute path. @throws KitError when it cannot; after a BrokenThread this thread is of no more
   * use.
   */
  async read(file: string, onWeight: (weight: Weight) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const watch = setTimeout(
        () => this.fail(`makes the HDF5 library hang for ${this.stallSeconds} s`),
        this.stallSeconds * 1000,
      );
      this.reading = {
        onWeight(weight) {
          watch.refresh();
          onWeight(weight);
        },
        settle: (error) => {
          clearTimeout(watch);
          this.reading = undefined;
          if (error === null) resolve();
          else reject(error);
        },
      };
      this.worker.postMessage({ file } satisfies H5Task);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** A file that has broken the thread that read it. */
export class BrokenThread extends KitError {}
