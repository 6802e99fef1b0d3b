// A file that some server on the web holds: what is known of it, and whether a file on disk is it.
import { createHash } from 'node:crypto';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { kitHome } from '../../base/home';
import { hashFile } from '../../base/files/file-hash';

/** One file on the web, with what is known of it; null where it is not known. */
export interface WebFile {
  /** Its addresses (http or https): the official one, then mirrors of the same bytes. */
  urls: string[];
  /** Its name, as its publisher has it. */
  file: string;
  /** Its size in bytes. */
  bytes: number | null;
  /** Its sha256, hexadecimal. */
  sha256: string | null;
  /** Its md5, hexadecimal. */
  md5: string | null;
  /** Its sha1, hexadecimal, where that is all that is known. */
  sha1?: string;
  /** The first digits of its sha256, where that is all that is known (torchvision's file names carry eight). */
  sha256Prefix?: string;
  /** Why it must be fetched by hand (a host that is gone, a login); then no address is tried. */
  byHand?: string;
}

/** The strongest hash that is known of a file; null when there is none. */
export function knownHash({
  sha256,
  sha1,
  md5,
  sha256Prefix,
}: WebFile): { algorithm: 'sha256' | 'sha1' | 'md5'; value: string } | null {
  if (sha256 !== null) return { algorithm: 'sha256', value: sha256 };
  if (sha1 !== undefined) return { algorithm: 'sha1', value: sha1 };
  if (md5 !== null) return { algorithm: 'md5', value: md5 };
  return sha256Prefix === undefined ? null : { algorithm: 'sha256', value: sha256Prefix };
}

/** Characters of a file's name that are kept in the cache: file systems bound names. The end says its kind. */
const MOST_NAME = 120;

/**
 * Where a web file is kept once it is whole: in `kitHome('cache')`, named so that two data sets' `images.tar` differ.
 */
export function cachePath(source: WebFile): string {
  const id = knownHash(source)?.value ?? createHash('sha256').update(source.urls[0]).digest('hex');
  const name = source.file.replace(/[^\w.+-]/g, '_');
  return kitHome('cache', `${id.slice(0, 8)}-${name.slice(-MOST_NAME)}`);
}

/**
 * Why `file` is not what `source` describes, in words; undefined when it is: size and hash fit, as far as they are
 * known. A file of the wrong size is not hashed.
 */
export async function mismatch(source: WebFile, file: string, signal?: AbortSignal): Promise<string | undefined> {
  const { size } = await fsp.stat(file);
  if (source.bytes !== null && size !== source.bytes) return `it should have ${source.bytes} bytes, found ${size}`;
  const hash = knownHash(source);
  if (hash === null) return undefined;
  const found = await hashFile(file, hash.algorithm, signal);
  if (found === hash.value || (hash.value === source.sha256Prefix && found.startsWith(hash.value))) return undefined;
  const relation = hash.value === source.sha256Prefix ? 'begin with' : 'be';
  return `its ${hash.algorithm} should ${relation} ${hash.value}, found ${found}`;
}

/** What a user needs to know to fetch a file by hand, in one line. */
export function describeWebFile(source: WebFile): string {
  const hash = knownHash(source);
  const begins = hash !== null && hash.value === source.sha256Prefix ? ' begins with' : '';
  const facts = [
    source.bytes === null ? 'size not known' : `${source.bytes} bytes`,
    hash === null ? 'no hash known' : `${hash.algorithm}${begins} ${hash.value}`,
  ];
  return `${source.file} (${facts.join(', ')}), ${source.byHand === undefined ? 'at' : 'once at'} ${source.urls[0]}`;
}

/** The name of a file without its folder and archive endings: `images` of `dir/images.tar.gz`. */
export function stem(file: string): string {
  return path.basename(file).replace(/\.(whl|zip|tgz|tar\.gz|tar)$/i, '');
}
