// Weights by an address that the user gives, with the hash that the file must have: `https://host/file.pth#sha256=<64
// hexadecimal digits>`.
import path from 'node:path';
import { download, type DownloadOptions } from '../../data/fetch/download';
import { KitError } from '../../base/errors';
import { quoted } from '../../base/visible';
import { splitChoice, type WeightsChoice } from './choice';

/** Longest name of a file in the cache: file systems allow 255 bytes, and the cache adds to it. */
const longestName = 100;

/** Whether `weights` is an address and not a path. */
export const isWeightsUrl = (weights: string): boolean => /^https?:\/\//i.test(weights);

/** The address without user, password, query and fragment, which can hold secrets. */
const shown = ({ origin, pathname }: URL): string => quoted(origin + pathname, 200).slice(1, -1);

/** The name in the cache of the file at `pathname`: its own if that is plain, else `weights` and its ending. */
function cacheName(pathname: string): string {
  const name = path.posix.basename(pathname);
  if (name.length <= longestName && /^[\w.+-]+$/.test(name)) return name;
  return `weights${/\.\w{1,12}$/.exec(name)?.[0] ?? ''}`;
}

/**
 * The file at that address, downloaded into the cache and verified, its hash, and the choice of tensors in it.
 * @throws KitError when the address has no hash, cannot be reached, or holds another file.
 */
export async function fetchWeightsUrl(
  weights: string,
  options: DownloadOptions = {},
): Promise<{ source: string; hash: string; choice: WeightsChoice }> {
  if (!URL.canParse(weights))
    throw new KitError('The weights are no address, though they begin as one.', {
      code: 'WEIGHTS_URL',
      fix: 'Write https://HOST/FILE#sha256=<64 hexadecimal digits>.',
    });
  const url = new URL(weights);
  const { sha256 = '', ...choice } = splitChoice(url.hash.slice(1));
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new KitError(`The address ${shown(url)} does not say which file it must hold.`, {
      code: 'WEIGHTS_URL_HASH',
      fix: `Add the file's hash: ${shown(url)}#sha256=<64 hexadecimal digits> (sha256sum prints them).`,
    });
  }
  url.hash = '';
  const hash = sha256.toLowerCase();
  const file = cacheName(url.pathname);
  const source = await download({ urls: [url.href], file, bytes: null, sha256: hash, md5: null }, options);
  return { source, hash, choice };
}
