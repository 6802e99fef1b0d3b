// The hash of a file's bytes, read once and in pieces.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fsp from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** The hash of a file's bytes, hexadecimal. */
export async function hashFile(
  file: string,
  algorithm: 'sha256' | 'sha1' | 'md5',
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(algorithm);
  if ((await fsp.stat(file)).size < 2 ** 22) return hash.update(await fsp.readFile(file, { signal })).digest('hex');
  await pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), hash, { signal });
  return hash.digest('hex');
}

/** The sha256 of a file's bytes, hexadecimal. */
export const sha256File = (file: string, signal?: AbortSignal): Promise<string> => hashFile(file, 'sha256', signal);
