// Reads the weights of a Keras `.h5` file on a thread of its own, which ends when the file breaks it or makes it hang.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { KitError } from '../../engine/errors';
import type { OnProgress } from '../../engine/progress';
import type { H5Reply, H5Task } from './keras-h5-worker';
import type { StateDict } from './state-dict';

/** Seconds without any weight read after which a file counts as one that makes the library hang. */
const stallSeconds = 60;

const again = 'Fetch or save the file again.';

/**
 * The weights in an HDF5 file of Keras (`save_weights` or `save`, Keras 1 or later, not its `.keras`), by names as `conv1/kernel`, with Keras's
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
    throw new KitError(`The weights file ${file} cannot be read as a Keras HDF5 file. ${message}`, { fix: fix || again, cause });
  }
  return found;
}

type Weight = Extract<H5Reply, { kind: 'weight' }>;

/** A thread with the HDF5 library; it can read one file after another until one of them breaks it. */
export class H5Thread {
  // The library prints what it finds wrong: the message says enough.
  private readonly worker = new Worker(path.join(__dirname, 'keras-h5-worker.js'), { execArgv: [], stdout: true, stderr: true });

  /** Reads the file at an absolute path. @throws KitError when it cannot; after one that is `broken`, the thread is of no more use. */
  async read(file: string, onWeight: (weight: Weight) => void): Promise<void> {
    const { worker } = this;
    await new Promise<void>((resolve, reject) => {
      const broken = (what: string) => reject(new BrokenThread(`It ${what}: it is damaged.`));
      const watch = setTimeout(() => broken(`makes the HDF5 library hang for ${stallSeconds} s`), stallSeconds * 1000);
      const done = (settle: () => void) => {
        clearTimeout(watch);
        worker.removeAllListeners();
        settle();
      };
      worker.on('message', (reply: H5Reply) => {
        watch.refresh();
        if (reply.kind === 'weight') onWeight(reply);
        else if (reply.kind === 'done') done(resolve);
        else done(() => reject(new KitError(reply.message, { fix: reply.fix })));
      });
      worker.on('error', (error: Error) => done(() => broken(`breaks the HDF5 library (${error.message.slice(0, 100)})`)));
      worker.on('exit', () => done(() => broken('breaks the HDF5 library')));
      worker.postMessage({ file } satisfies H5Task);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** A file that has broken the thread that read it. */
export class BrokenThread extends KitError {}
