// Reads the weights of a Keras `.h5` file on a thread of its own, which ends when the file breaks it or makes it hang.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorFromFields, KitError } from '../../../../base/errors';
import { quoted } from '../../../../base/visible';
import type { H5Reply, H5Task } from './keras-h5-worker';
import { withFileName, type ReadOptions } from '../reading';
import type { StateDict } from '../state-dict';

/** Most memory of the thread's JavaScript, in MiB; the library's own is limited by the size of the weights. */
const threadMemory = 256;

/**
 * The weights in an HDF5 file of Keras (`save_weights` or `save`, Keras 1 or later, not its `.keras`), by names as
 * `conv1/kernel`, with Keras's layouts. Needs as much memory as the weights, twice the largest of them, and about 60 MB
 * for the library.
 * @throws KitError when it is no such file, is truncated or damaged, or holds anything but plain numbers.
 */
export async function readKerasH5(file: string, { onProgress }: ReadOptions = {}): Promise<StateDict> {
  return withFileName(file, 'a Keras HDF5 file', async () => {
    if (!fs.existsSync(file))
      throw new KitError('There is no such file.', { code: 'WEIGHTS_NOT_FOUND', fix: 'Correct the path.' });
    const found: StateDict = new Map();
    const thread = new H5Thread();
    try {
      await thread.read(path.resolve(file), ({ name, shape, dtype, data, bytes, total }) => {
        found.set(name, { shape, dtype, data });
        onProgress?.({ task: 'read weights', done: bytes, total, unit: 'bytes' });
      });
    } finally {
      await thread.end();
    }
    return found;
  });
}

type Weight = Extract<H5Reply, { kind: 'weight' }>;

/** The file that a thread reads, and the receivers of its answers. */
interface Reading {
  onWeight(weight: Weight): void;
  settle(error: KitError | null): void;
}

/** A thread with the HDF5 library; it can read one file after another until one of them breaks it. */
export class H5Thread {
  // The library prints its errors: the message of the KitError says enough.
  private readonly worker = new Worker(path.join(__dirname, 'keras-h5-worker.js'), {
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: threadMemory },
  });
  private reading: Reading | undefined;

  /** @param stallSeconds without any weight after which a file counts as one that makes the library hang. */
  constructor(private readonly stallSeconds = 30) {
    this.worker.on('message', (reply: H5Reply) => {
      if (reply.kind === 'weight') this.reading?.onWeight(reply);
      else this.reading?.settle(reply.kind === 'done' ? null : errorFromFields(reply));
    });
    this.worker.on('error', (error: Error) =>
      this.fail(`breaks the HDF5 library (${quoted(error.message).slice(1, -1)})`),
    );
    this.worker.on('exit', () => this.fail('breaks the HDF5 library'));
  }

  private fail(what: string): void {
    this.reading?.settle(new BrokenThread(`It ${what}: it is damaged.`, { code: 'KERAS_H5_BREAKS' }));
  }

  /**
   * Reads the file at an absolute path. @throws KitError when it cannot; after a BrokenThread this thread is of no
   * more use.
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
