// Batches for training and evaluation, assembled ahead of time by worker threads in shared memory.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorFromFields, KitError } from '../../base/errors';
import type { Part } from '../../base/definitions/part';
import { randomStream } from '../../base/random';
import { augmentations } from '../augmentations/augmentation';
import { flipCrop } from '../augmentations';
import type { BatchReply, BatchTask, BatchWorkerData } from './batch-worker';
import { centerCrop, type Crop } from './crop';
import type { Sample } from '../dataset';
import type { PixelCache } from '../pixels/pixel-cache';
import { epochOrder, inOrder, type Sampling } from './sampling';

/** Images and their labels. Its memory is the loader's: it is valid until the next batch is asked for. */
export interface Batch {
  /** RGB, 0 to 255, `[size, imageSize, imageSize, 3]`. */
  images: Uint8Array;
  /** `[size]`. */
  labels: Int32Array;
  /** Number of images: the batch size, or what is left in the last batch of an epoch. */
  size: number;
  /** 0-based in the epoch. */
  index: number;
  /** Batches in the epoch. */
  count: number;
}

/** How batches are made. */
export interface BatchOptions {
  batchSize: number;
  /** Side of the square crop in pixels; at most the cache's short side. */
  imageSize: number;
  /** Seed of the streams `shuffle` and `crop`. */
  seed: number;
  /** True: shuffled and augmented. False: in order, cut from the centre. */
  train: boolean;
  /** How training images are augmented. Default `flip-crop`: mirrored with probability 1/2, cut at a random place. */
  augmentation?: Part;
  /** Which training images an epoch shows. Default `shuffle`: each once. */
  sampling?: Sampling;
  /** Threads that assemble. Default 1, which is faster than any CPU trains. */
  workers?: number;
}

/** Images in an evaluation step. Evaluation keeps nothing for gradients: the batch may be larger than in training. */
export const EVALUATION_BATCH = 64;

interface Waiting {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Gives the batches of any epoch. Which images a batch holds, and how they are cut, depends on (seed, epoch, index of
 * the sample, its repetition in the epoch) alone:
 * never on the number of threads or on timing, and not on the epochs asked for before. The last, smaller batch is kept.
 */
export class BatchLoader {
  private readonly count: number;
  private readonly slots: SharedArrayBuffer[];
  private readonly workerCount: number;
  private readonly data: BatchWorkerData;
  private workers: Worker[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private running = false;
  private failure: unknown;
  private waited = 0;

  /**
   * @throws KitError when there are no samples, one is not in the cache, an option is out of range, or the memory does
   * not suffice.
   */
  constructor(
    cache: PixelCache,
    private readonly samples: Sample[],
    private readonly options: BatchOptions,
  ) {
    const { batchSize, imageSize, workers = 1 } = options;
    for (const [name, value] of Object.entries({ batchSize, imageSize, workers })) {
      if (!Number.isInteger(value) || value < 1)
        throw new KitError(`${name} must be a whole number from 1, found ${value}.`, { code: 'BATCH_OPTION_INVALID' });
    }
    if (samples.length === 0)
      throw new KitError('There are no images to make batches of.', { code: 'BATCH_NO_IMAGES' });
    if (imageSize > cache.shortSide) {
      throw new KitError(`A crop of ${imageSize} pixels does not fit images whose short side is ${cache.shortSide}.`, {
        code: 'BATCH_CROP_TOO_LARGE',
        fix: 'Lower the image size, or open a pixel cache with a larger short side.',
      });
    }
    const byFile = new Map(cache.entries.map((entry) => [entry.file, entry]));
    const entries = samples.map(({ file }) => {
      const entry = byFile.get(file);
      if (entry === undefined)
        throw new KitError(`The image ${file} is not in the pixel cache ${cache.path}.`, {
          code: 'BATCH_IMAGE_NOT_CACHED',
          fix: 'Open the pixel cache of the data set that the samples are from.',
        });
      return entry;
    });
    this.count = Math.ceil(samples.length / batchSize);
    this.workerCount = workers;
    // One slot for the batch in use, and at least two that are being filled.
    const slots = Math.min(this.count, 1 + Math.max(2, 2 * workers));
    const bytes = Math.min(batchSize, samples.length) * imageSize * imageSize * 3;
    try {
      this.slots = Array.from({ length: slots }, () => new SharedArrayBuffer(bytes));
    } catch (cause) {
      throw new KitError(`There is no memory for ${slots} batches of ${(bytes / 1e9).toFixed(1)} GB each.`, {
        code: 'BATCH_NO_MEMORY',
        fix: 'Lower the batch size.',
        cause,
      });
    }
    this.data = {
      path: cache.path,
      files: entries.map((entry) => entry.file),
      offsets: Float64Array.from(entries, (entry) => entry.offset),
      widths: Uint32Array.from(entries, (entry) => entry.width),
      heights: Uint32Array.from(entries, (entry) => entry.height),
      checkSums: Uint32Array.from(entries, (entry) => entry.crc32),
      imageSize,
      slots: this.slots,
    };
  }

  /** Sizes of the batches of an epoch, in order: all the batch size but perhaps the last. */
  get batchSizes(): number[] {
    const { batchSize } = this.options;
    return Array.from({ length: this.count }, (_, index) =>
      Math.min(batchSize, this.samples.length - index * batchSize),
    );
  }

  /** Seconds that the user of the batches has waited for them, in all epochs so far. */
  get waitedSeconds(): number {
    return this.waited;
  }

  /**
   * The batches of an epoch (any whole number; training draws new crops for each), in order. One epoch at a time.
   * @param options.from index of the first batch to give; those before are not assembled. Default 0.
   * @throws (while iterating) KitError when pixels are damaged; the signal's reason when aborted.
   */
  async *epoch(
    epoch: number,
    options: { signal?: AbortSignal; from?: number } = {},
  ): AsyncGenerator<Batch, void, undefined> {
    const { signal, from = 0 } = options;
    const { batchSize, seed, train, imageSize, sampling = 'shuffle' } = this.options;
    if (this.failure) throw this.failure;
    if (this.running)
      throw new KitError('An epoch of these batches is being read already: one at a time.', {
        code: 'BATCH_EPOCH_BUSY',
      });
    const labels = this.samples.map(({ label }) => label);
    const order = train ? epochOrder(labels, { sampling, seed, epoch }) : inOrder(labels.length);
    const ofBatch = (of: Uint32Array, index: number): Uint32Array =>
      of.slice(index * batchSize, (index + 1) * batchSize);
    const done: Promise<void>[] = [];
    const request = () => {
      const index = from + done.length;
      if (index < this.count)
        done.push(
          this.assemble({
            id: this.asked++,
            slot: index % this.slots.length,
            samples: ofBatch(order.samples, index),
            crops: Array.from(ofBatch(order.streams, index), (stream) => this.cropOf(epoch, stream)),
          }),
        );
    };
    this.running = true;
    try {
      signal?.throwIfAborted();
      this.slots.forEach(request);
      for (let index = from; index < this.count; index++) {
        await this.waitFor(done[index - from], signal);
        const chosen = ofBatch(order.samples, index);
        const images = new Uint8Array(
          this.slots[index % this.slots.length],
          0,
          chosen.length * imageSize * imageSize * 3,
        );
        if (train) this.changePixels(images, epoch, ofBatch(order.streams, index));
        yield {
          images,
          labels: Int32Array.from(chosen, (sample) => labels[sample]),
          size: chosen.length,
          index,
          count: this.count,
        };
        request(); // into the slot that has just become free
      }
    } finally {
      // The slots may be used again only when nobody writes into them any more.
      await Promise.allSettled(done);
      this.running = false;
    }
  }

  /** The square of an image that goes into a batch. @param stream of `EpochOrder.streams`. */
  private cropOf(epoch: number, stream: number): Crop {
    const { imageSize: size, seed, train, augmentation = flipCrop() } = this.options;
    const { widths, heights } = this.data;
    const sample = stream % this.samples.length;
    const [width, height] = [widths[sample], heights[sample]];
    if (!train) return centerCrop(width, height, size);
    const { body } = augmentations.get(augmentation.name);
    const crop = body.crop ?? flipCrop.body.crop!;
    return crop(augmentation as never, { width, height, size, stream: randomStream(seed, 'crop', epoch, stream) });
  }

  /** Augments the pixels of a batch. */
  private changePixels(images: Uint8Array, epoch: number, streams: Uint32Array): void {
    const { imageSize: size, seed, augmentation } = this.options;
    const pixels = augmentation && augmentations.get(augmentation.name).body.pixels;
    if (pixels === undefined) return;
    streams.forEach((stream, i) =>
      pixels(augmentation as never, {
        pixels: images.subarray(i * size * size * 3, (i + 1) * size * size * 3),
        size,
        stream: randomStream(seed, 'pixels', epoch, stream),
      }),
    );
  }

  private async waitFor(batch: Promise<void>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const start = performance.now();
    let abort: (() => void) | undefined;
    try {
      const aborted = new Promise<never>((_, reject) =>
        signal?.addEventListener('abort', (abort = () => reject(signal.reason as Error)), { once: true }),
      );
      await Promise.race([batch, aborted]);
    } finally {
      if (abort) signal?.removeEventListener('abort', abort);
      this.waited += (performance.now() - start) / 1000;
    }
  }

  private assemble(task: BatchTask): Promise<void> {
    if (this.workers.length === 0) this.workers = Array.from({ length: this.workerCount }, () => this.start());
    const result = new Promise<void>((resolve, reject) => {
      if (this.failure) return reject(this.failure as Error);
      this.waiting.set(task.id, { resolve, reject });
      if (this.waiting.size === 1) for (const worker of this.workers) worker.ref();
      this.workers[task.id % this.workerCount].postMessage(task);
    });
    result.catch(() => undefined); // the reader of this batch gets the error, if there is one
    return result;
  }

  private start(): Worker {
    const worker = new Worker(path.join(__dirname, 'batch-worker.js'), { workerData: this.data, execArgv: [] });
    worker.unref(); // an idle loader does not keep the process alive
    worker.on('message', ({ id, error }: BatchReply) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (this.waiting.size === 0) for (const each of this.workers) each.unref();
      if (error) waiting?.reject(errorFromFields(error));
      else waiting?.resolve();
    });
    worker.on('error', (cause) =>
      this.fail(
        new KitError(`A thread that assembles batches failed: ${cause.message}.`, {
          code: 'BATCH_THREAD_FAILED',
          cause,
        }),
      ),
    );
    worker.on('exit', () =>
      this.fail(new KitError('A thread that assembles batches has ended.', { code: 'BATCH_THREAD_FAILED' })),
    );
    return worker;
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }

  /** Ends the threads and frees the memory. An epoch being read fails. The loader cannot be used again. */
  async close(): Promise<void> {
    this.fail(new KitError('These batches are closed.', { code: 'BATCH_CLOSED' }));
    await Promise.all(this.workers.map((worker) => worker.terminate()));
    this.workers = [];
    this.slots.length = 0;
  }
}
