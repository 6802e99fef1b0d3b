// A folder for a kernel's Unix sockets, whose paths the operating system limits to about 100 bytes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../base/errors';
import type { Connection } from './wire';

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

/** Writes the connection file of a kernel whose sockets are in `folder`, which only this user can read. */
export function writeConnection(folder: string, key: string): { file: string; connection: Connection } {
  const file = path.join(folder, 'connection.json');
  // Unix sockets in a folder of our own: no ports, and other users cannot connect.
  const connection: Connection = {
    transport: 'ipc',
    ip: path.join(folder, 'k'),
    key,
    shell_port: 1,
    iopub_port: 2,
    stdin_port: 3,
    control_port: 4,
    hb_port: 5,
  };
  const content = { ...connection, signature_scheme: 'hmac-sha256', kernel_name: 'rifle' };
  fs.writeFileSync(file, JSON.stringify(content), { mode: 0o600 });
  return { file, connection };
}
