// Arrays that a part of a spec computes from data before training, kept in a cache and verified before each use.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../base/errors';
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
  /** sha256 of the text of the function that computed them, where it is not the kit's own. */
  code?: string;
  /** sha256 of the canonical JSON of the fields above. */
  sha256: string;
}

/**
 * The arrays for `key`: from the cache in the kit's home, or computed by `prepare` and written there.
 *
 * A file with another checksum, another key or an unreadable content is discarded, and the arrays are computed again.
 * A cache that cannot be written is left out. Where another text of `code` computed the cached arrays, they are
 * computed again.
 * @param key everything that the arrays depend on, including the version of the code that computes them.
 * @param guest the function of a study that computes them. Default: none, the code is the kit's own.
 * @throws KitError EXTENSION_CHANGED when the function of a study gives other arrays than before.
 */
export async function preparedArrays(
  key: unknown,
  prepare: () => Promise<PreparedArrays>,
  guest?: { name: string; code: string },
): Promise<PreparedArrays> {
  const code = guest && createHash('sha256').update(guest.code).digest('hex');
  const keyText = stableStringify(key)!;
  const file = kitHome('prepared', `${createHash('sha256').update(keyText).digest('hex').slice(0, 16)}.json`);
  const cached = read(file, keyText);
  if (cached !== null && cached.code === code) return cached.arrays;
  const arrays = await prepare();
  if (guest && cached !== null && stableStringify(encode(cached.arrays)) !== stableStringify(encode(arrays)))
    throw new KitError(`The code of ${guest.name} has changed since it prepared arrays for these images.`, {
      code: 'EXTENSION_CHANGED',
      fix: 'Raise its version, or restore it.',
    });
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await writeWhole(
      file,
      JSON.stringify(fileOf({ key, arrays: encode(arrays), ...(code === undefined ? {} : { code }) })),
    );
  } catch {
    // a full disk, or a folder that cannot be written: they are computed again the next time
  }
  return arrays;
}

/** The bytes of each array as base64. */
const encode = (arrays: PreparedArrays): CacheFile['arrays'] =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [
      name,
      Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64'),
    ]),
  );

function fileOf(content: Omit<CacheFile, 'sha256'>): CacheFile {
  return { ...content, sha256: checksum(content) };
}

/** The arrays in `file`, and the hash of a study's code; null when there is none, or its content is not what was written. */
function read(file: string, keyText: string): { arrays: PreparedArrays; code?: string } | null {
  try {
    const { sha256, ...content } = JSON.parse(fs.readFileSync(file, 'utf8')) as CacheFile;
    if (sha256 !== checksum(content) || stableStringify(content.key) !== keyText) return null;
    const arrays = Object.entries(content.arrays).map(([name, text]): [string, Float32Array] => {
      const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
      return [name, new Float32Array(bytes.buffer)];
    });
    return { arrays: Object.fromEntries(arrays), code: content.code };
  } catch {
    return null; // no file, or no JSON
  }
}

const checksum = (content: object): string => createHash('sha256').update(stableStringify(content)!).digest('hex');
