// The thread behind BatchLoader: reads images from the pixel cache, crops them, and writes them into shared memory.
import fs from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { errorFields, type ErrorFields } from '../../base/errors';
import { copyCrop, type Crop } from './crop';
import { damagedPixels } from '../pixels/damaged-pixels';

/** What a batch worker is started with. */
export interface BatchWorkerData {
  /** Path of the pixel cache. */
  path: string;
  /** Of every sample, by its index: what the cache's index says. */
  files: string[];
  offsets: Float64Array;
  widths: Uint32Array;
  heights: Uint32Array;
  checkSums: Uint32Array;
  imageSize: number;
  /** Memory of the batches, `[size of the largest batch, imageSize, imageSize, 3]` each. */
  slots: SharedArrayBuffer[];
}

/** One batch to assemble: these samples, into that slot. */
export interface BatchTask {
  id: number;
  slot: number;
  samples: Uint32Array;
  /** Of each sample. */
  crops: Crop[];
}

/** That a batch is assembled, or why it is not. */
export interface BatchReply {
  /** Of the task. */
  id: number;
  error?: ErrorFields;
}

const data = workerData as BatchWorkerData;
const port = parentPort!;
const cache = fs.openSync(data.path, 'r');
const checked = new Uint8Array(data.files.length);
let scratch = new Uint8Array(0);

/** Reads `length` bytes at `offset` into the start of the scratch memory. */
function read(sample: number, offset: number, length: number): Uint8Array {
  if (scratch.length < length) scratch = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const bytes = fs.readSync(cache, scratch, done, length - done, offset + done);
    if (bytes === 0) throw damagedPixels(data.path, data.files[sample]);
    done += bytes;
  }
  return scratch.subarray(0, length);
}

function assemble(sample: number, crop: Crop, target: Uint8Array, at: number): void {
  const { imageSize: size } = data;
  const [offset, width, height] = [data.offsets[sample], data.widths[sample], data.heights[sample]];
  if (checked[sample]) {
    copyCrop(read(sample, offset + crop.top * width * 3, size * width * 3), crop.top, width, crop, size, target, at);
    return;
  }
  const image = read(sample, offset, height * width * 3);
  if (crc32(image) !== data.checkSums[sample]) throw damagedPixels(data.path, data.files[sample]);
  checked[sample] = 1;
  copyCrop(image, 0, width, crop, size, target, at);
}

port.on('message', ({ id, slot, samples, crops }: BatchTask) => {
  const reply: BatchReply = { id };
  try {
    const target = new Uint8Array(data.slots[slot]);
    samples.forEach((sample, i) => assemble(sample, crops[i], target, i * data.imageSize * data.imageSize * 3));
  } catch (error) {
    reply.error = errorFields(error);
  }
  port.postMessage(reply);
});
