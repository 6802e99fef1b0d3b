// The kernel's second thread, which is free while a cell computes. It handles the control messages and the heartbeat,
// and ends the kernel when the process that started it has ended.
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import * as zmq from 'zeromq';
import { addressOf, encodeMessage, newHeader, ReceivedMessages, type Message } from '../runner/wire';
import { starterOf } from './starter';
import { Shared, type WatchData, type WatchMessage } from './threads';

/** Milliseconds for the main thread to end. */
const GRACE = 2000;

/** Milliseconds in which the main thread receives an interrupt, unless it computes without a pause. */
const PAUSE = 400;

const { connection, file, shared } = workerData as WatchData;
const numbers = new Int32Array(shared);
const post = (message: WatchMessage): void => parentPort!.postMessage(message);
const session = `kernel-${process.pid}`;

const starter = starterOf(file);
setInterval(() => {
  if (!starter.isGone()) return;
  starter.cleanUp();
  process.kill(process.pid, 'SIGKILL');
}, 1000);

const sockets: zmq.Socket[] = [];
// A process must not end while a thread has an open socket.
parentPort!.once('message', () => {
  for (const socket of sockets) socket.close();
  post({ type: 'closed' });
});

let lastInterrupt: { at: number; seen: number } | null = null;

/**
 * Sends the interrupt to the main thread, where code that listens to it ends. A cell that computes without a pause does
 * not receive it. Before its first `await` this thread terminates it. Later only a second interrupt does so, because a
 * training may then end its step cleanly.
 */
function interrupt(): void {
  const seen = Atomics.load(numbers, Shared.seen);
  const isSecond = lastInterrupt?.seen === seen;
  if (!isSecond) lastInterrupt = { at: performance.now(), seen };
  post({ type: 'interrupt' });
  setTimeout(
    () => {
      const isUnseen = Atomics.load(numbers, Shared.seen) === seen;
      if (isUnseen && (isSecond || Atomics.load(numbers, Shared.firstPart) === 1)) terminate();
    },
    Math.max(0, PAUSE - (performance.now() - lastInterrupt!.at)),
  );
}

/** Ends any computation of the main thread. */
function terminate(): void {
  const inspector = new Session();
  inspector.connectToMainThread();
  inspector.post('Runtime.terminateExecution', () => inspector.disconnect());
}

async function control(): Promise<void> {
  const socket = new zmq.Router({
    linger: 500,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 16,
    maxMessageSize: 2 ** 20,
  });
  const received = new ReceivedMessages();
  sockets.push(socket);
  await socket.bind(addressOf(connection, connection.control_port));
  post({ type: 'ready' });
  const reply = (to: Message, type: string, content: Record<string, unknown>): Promise<void> =>
    socket.send(
      encodeMessage(connection.key, newHeader(type, session), content, {
        parent: to.header,
        identities: to.identities,
      }),
    );
  for await (const frames of socket) {
    const message = received.decode(connection.key, frames);
    if (message === null) continue;
    const { msg_type: type } = message.header;
    if (type === 'interrupt_request') {
      interrupt();
      await reply(message, 'interrupt_reply', { status: 'ok' });
    } else if (type === 'shutdown_request') {
      const restart = message.content.restart === true;
      await reply(message, 'shutdown_reply', { status: 'ok', restart });
      post({ type: 'shutdown', restart });
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE);
    } else if (type === 'kernel_info_request') {
      post({ type: 'control', frames });
    }
  }
}

async function heartbeat(): Promise<void> {
  const socket = new zmq.Reply({ linger: 0, receiveHighWaterMark: 16, maxMessageSize: 65_536 });
  sockets.push(socket);
  await socket.bind(addressOf(connection, connection.hb_port));
  for await (const frames of socket) await socket.send(frames);
}

const failed = (port: number) => (error: Error) => post({ type: 'failed', message: `port ${port}: ${error.message}` });
control().catch(failed(connection.control_port));
heartbeat().catch(failed(connection.hb_port));
