// The messages between the kernel's two threads.
import type { Connection } from '../runner/wire';

/** The data for the start of the second thread. */
export interface WatchData {
  connection: Connection;
  /** Path of the connection file. */
  file: string;
  /** The numbers of `Shared`. */
  shared: SharedArrayBuffer;
}

/** Shared numbers, by index of an Int32Array. */
export const Shared = {
  /** Number of interrupts that the main thread has received. */
  seen: 0,
  /** 1 while the main thread runs a cell's part before its first `await`. */
  firstPart: 1,
} as const;

/** A message of the second thread to the main one. */
export type WatchMessage =
  | { type: 'ready' }
  | { type: 'closed' }
  | { type: 'interrupt' }
  | { type: 'failed'; message: string }
  | { type: 'shutdown'; restart: boolean }
  | { type: 'control'; frames: Uint8Array[] };
