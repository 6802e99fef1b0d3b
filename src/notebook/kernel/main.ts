// The program of the notebook kernel "rifle":  node main.js CONNECTION_FILE
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Connection } from '../runner/wire';
import { DescriptorOutput } from './io/descriptors';
import { KernelServer } from './server';
import { NotebookKernel } from './session';
import { starterOf } from './starter';
import { emptyStdin } from './io/stdin';
import type { WatchData, WatchMessage } from './threads';

/** Ends the process; the function that cells call under that name does not. */
const exit = process.exit.bind(process);

const writeError = process.stderr.write.bind(process.stderr);

function fail(message: string): never {
  writeError(`rifle kernel: ${message}\n`);
  return exit(1);
}

async function main(): Promise<void> {
  const [file] = process.argv.slice(2);
  if (file === undefined)
    fail(
      'expected the path of a Jupyter connection file. Jupyter starts this program; `npx rifle lab` starts Jupyter.',
    );
  let connection: Connection;
  try {
    connection = JSON.parse(fs.readFileSync(file, 'utf8')) as Connection;
  } catch (error) {
    return fail(`the connection file ${file} cannot be read: ${(error as Error).message}`);
  }

  const starter = starterOf(file);
  if (starter.isGone()) return starter.cleanUp();
  // Before another thread may take a free descriptor.
  emptyStdin();
  const descriptors = DescriptorOutput.take();

  const shared = new SharedArrayBuffer(8);
  const watch = new Worker(path.join(__dirname, 'watch.js'), {
    workerData: { connection, file, shared } satisfies WatchData,
  });
  const ready = new Promise<void>((resolve, reject) => {
    watch.on('error', reject);
    watch.on('message', (message: WatchMessage) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reject(new Error(message.message));
      else if (message.type === 'interrupt') kernel.interrupt();
      else if (message.type === 'shutdown') void end(0);
      else if (message.type === 'control') server.control(message.frames.map((frame) => Buffer.from(frame)));
    });
  });

  /** Ends the process when its sockets are closed. */
  const end = async (code: number): Promise<never> => {
    const closed = new Promise((resolve) =>
      watch.on('message', ({ type }: WatchMessage) => type === 'closed' && resolve(undefined)),
    );
    watch.postMessage('close');
    server.close();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500))]);
    return exit(code);
  };
  const kernel = new NotebookKernel({ shared: new Int32Array(shared), descriptors, end: () => void end(0) });
  const server = new KernelServer(connection, kernel);
  try {
    await Promise.all([ready, server.start()]);
  } catch (error) {
    const { message } = error as Error;
    const fix = /address already in use/i.test(message)
      ? ' Another program has that port: start the kernel again, and Jupyter chooses another.'
      : '';
    writeError(`rifle kernel: it cannot listen for the notebook (${message}).${fix}\n`);
    await end(1);
  }
  kernel.ready();
}

void main();
