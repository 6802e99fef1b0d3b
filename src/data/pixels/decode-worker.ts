// The thread behind DecodePool: one file in, one resized image out; told to end, it finishes what it has begun.
import { parentPort } from 'node:worker_threads';
import { KitError } from '../../base/errors';
import { END, type DecodeReply, type DecodeTask } from './decode-pool';
import { decode, resizeShortSide } from './image';

const port = parentPort!;
const underWay = new Set<Promise<void>>();

async function work({ id, file, shortSide }: DecodeTask): Promise<void> {
  try {
    const image = resizeShortSide(await decode(file), shortSide);
    port.postMessage({ id, image } satisfies DecodeReply, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const { message } = error as Error;
    port.postMessage({ id, error: { message, fix: error instanceof KitError ? error.fix : '' } } satisfies DecodeReply);
  }
}

port.on('message', (task: DecodeTask | typeof END) => {
  if (task === END) return void Promise.all(underWay).then(() => port.close()); // then nothing holds the thread
  const working = work(task).finally(() => underWay.delete(working));
  underWay.add(working);
});
