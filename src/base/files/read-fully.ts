// Reads exactly the bytes that were asked for, where one call to the system may give fewer.
import type { FileHandle } from 'node:fs/promises';

/** Fills `into` with the bytes of `file` from `position` on. @throws Error when the file ends before. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < into.length;) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at);
    if (bytesRead === 0)
      throw new Error(`it ends at byte ${position + at}, where ${into.length - at} more were expected`);
    at += bytesRead;
  }
}
