// The thread behind DecodePool: one file in, one resized image out.
import { parentPort } from 'node:worker_threads';
import { KitError } from '../engine/errors';
import type { DecodeReply, DecodeTask } from './decode-pool';
import { decode, resizeShortSide } from './image';

const port = parentPort!;

port.on('message', async ({ id, file, shortSide }: DecodeTask) => {
  try {
    const image = resizeShortSide(await decode(file), shortSide);
    port.postMessage({ id, image } satisfies DecodeReply, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const { message } = error as Error;
    port.postMessage({ id, error: { message, fix: error instanceof KitError ? error.fix : '' } } satisfies DecodeReply);
  }
});
