// Arrays that a part of a spec computes from data before training, kept in a cache and verified before each use.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { writeWhole } from '../base/files/write-whole';
import { kitHome } from '../base/home';

/** Named float32 arrays. */
export type PreparedArrays = Record<string, Float32Array>;

/** The content of a cache file. */
interface CacheFile {
  /** Everything that the arrays depend on. */
  key: unknown;
  /** The bytes of each array, little endian float32, as base64. */
  arrays: Record<string, string>;
  /** sha256 of the canonical JSON of the two fields above. */
  sha256: string;
}

/**
 * The arrays for `key`: from the cache in the kit's home, or computed by `prepare` and written there.
 *
 * A file with another checksum, another key or an unreadable content is discarded, and the arrays are computed again.
 * A cache that cannot be written is left out.
 * @param key everything that the arrays depend on, including the version of the code that computes them.
 */
export async function preparedArrays(key: unknown, prepare: () => Promise<PreparedArrays>): Promise<PreparedArrays> {
  const keyText = stableStringify(key)!;
  const file = kitHome('prepared', `${createHash('sha256').update(keyText).digest('hex').slice(0, 16)}.json`);
  const cached = read(file, keyText);
  if (cached !== null) return cached;
  const arrays = await prepare();
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await writeWhole(file, JSON.stringify(encode(key, arrays)));
  } catch {
    // a full disk, or a folder that cannot be written: they are computed again the next time
  }
  return arrays;
}

function encode(key: unknown, arrays: PreparedArrays): CacheFile {
  const content = {
    key,
    arrays: Object.fromEntries(
      Object.entries(arrays).map(([name, array]) => [
        name,
        Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64'),
      ]),
    ),
  };
  return { ...content, sha256: checksum(content) };
}

/** The arrays in `file`; null when there is none, or its content is not what was written. */
function read(file: string, keyText: string): PreparedArrays | null {
  try {
    const { sha256, ...content } = JSON.parse(fs.readFileSync(file, 'utf8')) as CacheFile;
    if (sha256 !== checksum(content) || stableStringify(content.key) !== keyText) return null;
    return Object.fromEntries(
      Object.entries(content.arrays).map(([name, text]) => {
        const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
        return [name, new Float32Array(bytes.buffer)];
      }),
    );
  } catch {
    return null; // no file, or no JSON
  }
}

const checksum = (content: object): string => createHash('sha256').update(stableStringify(content)!).digest('hex');
