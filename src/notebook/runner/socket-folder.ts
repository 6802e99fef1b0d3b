// A folder for a kernel's Unix sockets, whose paths the operating system limits to about 100 bytes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../base/errors';

/** Longest path of a folder for sockets, bytes. */
const LONGEST = 90;

/**
 * Makes a folder that only this user can read: in the temporary folder, or in /tmp when that path is too long.
 * @throws KitError when neither can be used.
 */
export function socketFolder(candidates: readonly string[] = [os.tmpdir(), '/tmp']): string {
  let reason: unknown = null;
  for (const place of candidates) {
    const prefix = path.join(place, 'rifle-kernel-');
    if (Buffer.byteLength(prefix) + 6 > LONGEST) continue;
    try {
      return fs.mkdtempSync(prefix);
    } catch (error) {
      reason ??= error;
    }
  }
  const found = candidates.map((each) => `${each} (${Buffer.byteLength(each)} bytes)`).join(', ');
  throw new KitError(`A kernel needs a folder for its sockets with a short path; found ${found}.`, {
    code: 'KERNEL_SOCKET_FOLDER',
    fix: 'Set TMPDIR to a folder that you can write to, with a path of at most 70 bytes.',
    cause: reason,
  });
}
