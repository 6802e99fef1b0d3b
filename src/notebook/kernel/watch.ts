// The kernel's second thread: it answers while a cell computes. Control messages, the heartbeat, and the end when the starter has gone.
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import * as zmq from 'zeromq';
import { addressOf, decodeMessage, encodeMessage, newHeader, type Connection, type Message } from '../wire';

/** What this thread is started with. */
export interface WatchData {
  connection: Connection;
  /** Process that started the kernel: without it, nobody could end the kernel. */
  starter: number;
  /** One number that the main thread raises with each interrupt that it has seen. */
  seen: SharedArrayBuffer;
}

/** What this thread tells the main one. */
export type WatchMessage = { type: 'ready' } | { type: 'closed' } | { type: 'failed'; message: string } | { type: 'shutdown'; restart: boolean } | { type: 'control'; frames: Uint8Array[] };

/** Time that the main thread has to end by itself, milliseconds. */
const GRACE = 2000;

const { connection, starter, seen } = workerData as WatchData;
const interruptsSeen = new Int32Array(seen);
const tell = (message: WatchMessage): void => parentPort!.postMessage(message);
const session = `kernel-${process.pid}`;

setInterval(() => {
  if (process.ppid !== starter) process.kill(process.pid, 'SIGKILL');
}, 1000);

const sockets: zmq.Socket[] = [];
// A process that ends with a socket open in a thread ends badly.
parentPort!.once('message', () => {
  for (const socket of sockets) socket.close();
  tell({ type: 'closed' });
});

/** The interrupts that were asked for and not yet seen by the main thread. */
let asked = 0;

/**
 * The first interrupt is a signal: it breaks a loop in the first part of a cell, and what listens to it ends by itself. When the main
 * thread has not even seen the one before, it is in a loop after an `await`: a second one ends that from outside.
 */
function interrupt(): void {
  const isStuck = asked > Atomics.load(interruptsSeen, 0);
  asked = Atomics.load(interruptsSeen, 0) + 1;
  process.kill(process.pid, 'SIGINT');
  if (!isStuck) return;
  const inspector = new Session();
  inspector.connectToMainThread();
  inspector.post('Runtime.terminateExecution', () => inspector.disconnect());
}

async function control(): Promise<void> {
  const socket = new zmq.Router({ linger: 500, sendHighWaterMark: 0 });
  sockets.push(socket);
  await socket.bind(addressOf(connection, connection.control_port));
  tell({ type: 'ready' });
  const reply = (to: Message, type: string, content: Record<string, unknown>): Promise<void> =>
    socket.send(encodeMessage(connection.key, newHeader(type, session), content, { parent: to.header, identities: to.identities }));
  for await (const frames of socket) {
    const message = decodeMessage(connection.key, frames);
    if (message === null) continue;
    const { msg_type: type } = message.header;
    if (type === 'interrupt_request') {
      interrupt();
      await reply(message, 'interrupt_reply', { status: 'ok' });
    } else if (type === 'shutdown_request') {
      const restart = message.content.restart === true;
      await reply(message, 'shutdown_reply', { status: 'ok', restart });
      tell({ type: 'shutdown', restart });
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE);
    } else if (type === 'kernel_info_request') {
      tell({ type: 'control', frames });
    }
  }
}

async function heartbeat(): Promise<void> {
  const socket = new zmq.Reply({ linger: 0 });
  sockets.push(socket);
  await socket.bind(addressOf(connection, connection.hb_port));
  for await (const frames of socket) await socket.send(frames);
}

const failed = (port: number) => (error: Error) => tell({ type: 'failed', message: `port ${port}: ${error.message}` });
control().catch(failed(connection.control_port));
heartbeat().catch(failed(connection.hb_port));
