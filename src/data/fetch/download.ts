// Downloads a file over HTTP(S) into the cache: resumed, retried, from mirrors, and verified before it is used.
// Redirects, proxies and timeouts are undici's. Retries are ours: that interceptor (undici 7.30) compares ETags only,
// so it joins two versions of a file whose server has no ETag. It fails where a server ignores a range or has a
// new version, where we download again from byte 0. It counts all attempts, not those without a new byte, and reports
// none of them. Mirrors and downloads of earlier processes would need this loop around it as well.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { KitError } from '../../base/errors';
import type { OnProgress } from '../../base/progress';
import { explainWriteError } from '../../base/files/atomic';
import { Failure, startAt, type Answer } from './http';
import { PartialDownload, type Version } from './partial-download';
import { cachePath, describeWebFile, knownHash, mismatch, type WebFile } from './remote-file';

/** How to download. */
export interface DownloadOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
  /** How often in a row an address may fail, without any new byte, before the next one is tried. Default 5. */
  retries?: number;
  /**
   * Seconds before the first new try; doubled with each, up to 60. A server's Retry-After (up to 120) comes before it.
   * Default 1.
   */
  waitSeconds?: number;
  /** Seconds without an answer or a byte after which a connection counts as broken. Default 60. */
  stallSeconds?: number;
}

/** Most bytes of a file whose size is not known: of a list, and of any other file. */
const [MOST_LIST_BYTES, MOST_BYTES] = [64 * 2 ** 20, 8 * 2 ** 30];

const boundOf = ({ file }: WebFile): number =>
  /\.(txt|csv|json|mat|xml|ya?ml)$/i.test(file) ? MOST_LIST_BYTES : MOST_BYTES;

/**
 * The path of `source` in `kitHome('cache')`, fetched when it is not there or is not what it should be. The file
 * appears there only when its size and hash are right, as far as they are known. A broken download is kept beside it
 * (`<file>.part`), and the next call resumes it.
 * @throws KitError `DOWNLOAD_FAILED`, which says for each address what went wrong; `DOWNLOAD_BY_HAND`; `DISK_FULL`; the
 *   signal's reason when aborted.
 */
export async function download(source: WebFile, options: DownloadOptions = {}): Promise<string> {
  const { signal } = options;
  signal?.throwIfAborted();
  const final = cachePath(source);
  if (fs.existsSync(final) && (await mismatch(source, final, signal)) === undefined) return final;
  if (source.byHand !== undefined)
    throw new KitError(`${describeWebFile(source)}, cannot be downloaded: ${source.byHand}.`, {
      code: 'DOWNLOAD_BY_HAND',
    });
  try {
    await fsp.mkdir(path.dirname(final), { recursive: true });
    const part = await PartialDownload.claim(final);
    try {
      await requireSpace(path.dirname(final), source, await part.size());
      const failures: string[] = [];
      for (const url of source.urls) {
        const failure = await fetchFrom(url, source, part, options);
        if (failure === undefined) {
          await part.become(final);
          return final;
        }
        failures.push(`${url}: ${failure}`);
      }
      throw new KitError(`${source.file} cannot be downloaded.\n${failures.map((line) => `  ${line}`).join('\n')}`, {
        code: 'DOWNLOAD_FAILED',
        fix:
          'Check the network (and HTTP_PROXY, HTTPS_PROXY for a proxy), then run the same command again: ' +
          'it resumes the download.',
      });
    } catch (error) {
      if (isDiskFull(error)) await part.empty();
      throw error;
    } finally {
      await part.release();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw explainWriteError(error, path.dirname(final));
  }
}

const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');

/** @throws KitError `DISK_FULL` when the rest of the file does not fit on the disk. */
async function requireSpace(folder: string, { file, bytes }: WebFile, there: number): Promise<void> {
  if (bytes === null) return;
  const { bavail, bsize } = await fsp.statfs(folder);
  if (bytes - there > bavail * bsize) {
    throw new KitError(
      `${file} has ${(bytes / 1e6).toFixed(0)} MB, but the disk that holds ${folder} has ` +
        `${((bavail * bsize) / 1e6).toFixed(0)} MB free.`,
      {
        code: 'DISK_FULL',
        fix: 'Free some space there, or set RIFLE_HOME to a folder on a larger disk. Extracted files come on top.',
      },
    );
  }
}

/** Fills `part` from one address until it is verified: undefined; or why it cannot be, in words. */
async function fetchFrom(
  url: string,
  source: WebFile,
  part: PartialDownload,
  options: DownloadOptions,
): Promise<string | undefined> {
  const { retries = 5, waitSeconds = 1, signal } = options;
  const host = new URL(url).origin;
  let failed = 0;
  let most = await part.size(); // bytes that were there at best: only more than that is progress
  for (let resumed = most > 0; ;) {
    let problem: Failure;
    try {
      await transfer(url, source, part, options);
      const wrong = await mismatch(source, part.file, signal);
      if (wrong === undefined) return undefined;
      await part.empty();
      // Pieces of two versions of a file may have come together: once more, in one piece.
      if (!resumed) return `what it sent is not the file that was expected: ${wrong}. It was not kept`;
      resumed = false;
      most = 0;
      continue;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      problem = error;
    }
    const size = await part.size();
    if (size > most) failed = 0;
    most = Math.max(most, size);
    resumed ||= size > 0;
    if (problem.final) return problem.message;
    if (++failed > retries) return `${problem.message}; tried ${failed} times, ${size} bytes are kept`;
    const seconds = Math.min(120, problem.retryAfter ?? Math.min(60, waitSeconds * 2 ** (failed - 1)));
    options.onProgress?.({
      task: `fetch ${source.file}`,
      done: size,
      total: source.bytes ?? Math.max(size, 1),
      unit: 'bytes',
      detail: `${host}: ${problem.message}; again in ${seconds.toFixed(0)} s`,
    });
    await wait(seconds * 1000, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/**
 * One connection: what it gives is added to `part`. Returns when all has come. @throws Failure; whatever the disk
 * refuses.
 */
async function transfer(url: string, source: WebFile, part: PartialDownload, options: DownloadOptions): Promise<void> {
  const { stallSeconds = 60, signal, onProgress } = options;
  const size = await part.size();
  if (source.bytes !== null && size === source.bytes) return; // all was there: only the check was missing
  // Without a hash to compare in the end, pieces may be put together only when the server says that they are of one
  // file.
  const mayResume =
    size > 0 &&
    (source.bytes === null || size < source.bytes) &&
    (part.version.validator !== undefined || knownHash(source) !== null);
  let answer: Answer | undefined;
  try {
    answer = await startAt(url, mayResume ? size : 0, part.version.validator, { stallSeconds, signal });
    const announced = answer.total;
    if (announced !== undefined && source.bytes !== null && announced !== source.bytes) {
      throw new Failure(
        `it has a file of ${announced} bytes${answer.isPage ? ' (a web page: perhaps it asks for a login)' : ''}, ` +
          `expected ${source.bytes}`,
        { final: true },
      );
    }
    if (answer.start > 0 && hasChanged(part.version, answer, knownHash(source) !== null))
      throw new Failure('the file has changed since the download began', { spoiled: true });
    const total = source.bytes ?? announced;
    const bound = boundOf(source);
    if (source.bytes === null && announced !== undefined && announced > bound)
      throw new Failure(`it has a file of ${announced} bytes: more than ${bound}`, { final: true });
    const limit = total ?? bound;
    let at = answer.start;
    await part.open(at, { validator: answer.validator, total: announced });
    const report = () =>
      onProgress?.({ task: `fetch ${source.file}`, done: at, total: total ?? Math.max(at, 1), unit: 'bytes' });
    report();
    for await (const chunk of answer.chunks()) {
      at += chunk.length;
      if (at > limit)
        throw new Failure(`it sent more than the ${limit} bytes that it should`, { final: true, spoiled: true });
      await part.write(chunk);
      report();
    }
    if (total !== undefined && at < total) throw new Failure(`the connection ended after ${at} of ${total} bytes`);
  } catch (error) {
    if (error instanceof Failure && error.spoiled) await part.empty();
    throw error;
  } finally {
    answer?.close();
    await part.close();
  }
}

/** Whether an answer to a range is of another version than the bytes that are there. */
function hasChanged(before: Version, answer: Answer, isVerified: boolean): boolean {
  if (before.total !== undefined && answer.total !== undefined && answer.total !== before.total) return true;
  // With a hash to compare at the end, a server that names no version may be believed until then.
  if (isVerified && (before.validator === undefined || answer.validator === undefined)) return false;
  return answer.validator !== before.validator;
}
