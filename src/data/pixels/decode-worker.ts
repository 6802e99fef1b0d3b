// The thread behind DecodePool: one file in, one resized image out; told to end, it finishes what it has begun.
import { parentPort } from 'node:worker_threads';
import { errorFields } from '../../base/errors';
import { END, type DecodeReply, type DecodeTask } from './decode-pool';
import { decodeResized } from './decode';

const port = parentPort!;
const underWay = new Set<Promise<void>>();

async function work({ id, file, shortSide }: DecodeTask): Promise<void> {
  try {
    const image = await decodeResized(file, shortSide);
    port.postMessage({ id, image } satisfies DecodeReply, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    port.postMessage({ id, error: errorFields(error) } satisfies DecodeReply);
  }
}

port.on('message', (task: DecodeTask | typeof END) => {
  if (task === END) return void Promise.all(underWay).then(() => port.close()); // then nothing holds the thread
  const working = work(task).finally(() => underWay.delete(working));
  underWay.add(working);
});
