// Weights by an address that the user gives, with the hash that the file must have: `https://host/file.pth#sha256=<64
// hexadecimal digits>`.
import path from 'node:path';
import { download, type DownloadOptions } from '../../data/fetch/download';
import { KitError } from '../../base/errors';

/** Whether `weights` is an address and not a path. */
export const isWeightsUrl = (weights: string): boolean => /^https?:\/\//i.test(weights);

/**
 * The file at that address, downloaded into the cache and verified, and its hash.
 * @throws KitError when the address has no hash, cannot be reached, or holds another file.
 */
export async function fetchWeightsUrl(
  weights: string,
  options: DownloadOptions = {},
): Promise<{ source: string; hash: string }> {
  if (!URL.canParse(weights)) throw new KitError(`"${weights}" is no address.`, { fix: 'Correct it.' });
  const url = new URL(weights);
  const [, sha256] = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash) ?? [];
  if (sha256 === undefined) {
    throw new KitError(`The address ${weights} does not say which file it must hold.`, {
      fix: `Add the file's hash: ${url.origin}${url.pathname}#sha256=<64 hexadecimal digits> (sha256sum prints them).`,
    });
  }
  url.hash = '';
  const hash = sha256.toLowerCase();
  const file = path.posix.basename(url.pathname) || 'weights';
  return { source: await download({ urls: [url.href], file, bytes: null, sha256: hash, md5: null }, options), hash };
}
