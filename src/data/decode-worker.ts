// The thread behind DecodePool: one file in, one resized image out.
import { parentPort } from 'node:worker_threads';
import { KitError } from '../engine/errors';
import { END, type DecodeReply, type DecodeTask } from './decode-pool';
import { decode, resizeShortSide } from './image';

const port = parentPort!;

port.on('message', async (task: DecodeTask | typeof END) => {
  if (task === END) return port.close(); // what is being decoded is decoded to its end; then nothing holds the thread
  const { id, file, shortSide } = task;
  try {
    const image = resizeShortSide(await decode(file), shortSide);
    port.postMessage({ id, image } satisfies DecodeReply, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const { message } = error as Error;
    port.postMessage({ id, error: { message, fix: error instanceof KitError ? error.fix : '' } } satisfies DecodeReply);
  }
});
