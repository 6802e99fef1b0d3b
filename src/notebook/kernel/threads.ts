// What the kernel's two threads tell each other.
import type { Connection } from '../runner/wire';

/** What the second thread is started with. */
export interface WatchData {
  connection: Connection;
  /** Process that started the kernel: without it, nobody could end the kernel. */
  starter: number;
  /** The numbers of `Shared`. */
  shared: SharedArrayBuffer;
}

/** What both threads see, by index of an Int32Array. */
export const Shared = {
  /** The interrupts that the main thread has seen. */
  seen: 0,
  /** 1 while the main thread runs a cell's part before its first `await`. */
  firstPart: 1,
} as const;

/** What the second thread tells the main one. */
export type WatchMessage =
  | { type: 'ready' }
  | { type: 'closed' }
  | { type: 'interrupt' }
  | { type: 'failed'; message: string }
  | { type: 'shutdown'; restart: boolean }
  | { type: 'control'; frames: Uint8Array[] };
