// One HTTP(S) request for a file from some byte on, with every answer that a server may give turned into bytes or a
// reason.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { undici } from '../../base/packages';

/** Why a request gave no file. */
export class Failure extends Error {
  /** Whether trying again is of no use. */
  readonly final: boolean;
  /** Whether what came before must not be kept. */
  readonly spoiled: boolean;
  /** Seconds to wait, as the server asked. */
  readonly retryAfter?: number;

  constructor(
    message: string,
    options: { final?: boolean; spoiled?: boolean; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.final = options.final ?? false;
    this.spoiled = options.spoiled ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/** A server that has begun to send. */
export interface Answer {
  /**
   * The byte that the chunks start at: the one that was asked for, or 0 when the server knows no ranges or has another
   * file now.
   */
  start: number;
  /** Size of the whole file in bytes, as the server says; undefined when it does not. */
  total: number | undefined;
  /** What tells this version of the file from another (ETag, else Last-Modified). */
  validator: string | undefined;
  /** Whether it is a web page. */
  isPage: boolean;
  /** The bytes. @throws Failure when the connection breaks or stalls. */
  chunks(): AsyncGenerator<Buffer>;
  /** Ends the connection. */
  close(): void;
}

const REDIRECTS = 5;

let dispatcher: Dispatcher | undefined;

/** Follows redirects, and goes through the proxy that the environment names. */
function connection(): Dispatcher {
  const proxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => process.env[name]);
  const { Agent, EnvHttpProxyAgent, interceptors } = undici();
  dispatcher ??= (proxied ? new EnvHttpProxyAgent() : new Agent()).compose(
    interceptors.redirect({ maxRedirections: REDIRECTS }),
  );
  return dispatcher;
}

/**
 * Asks for `url` from byte `from` on; with `validator`, only if it is still that version.
 * @throws Failure for every answer that is no file, and when there is no answer.
 */
export async function startAt(
  url: string,
  from: number,
  validator: string | undefined,
  options: { stallSeconds: number; signal?: AbortSignal },
): Promise<Answer> {
  const headers: Record<string, string> = { 'user-agent': 'rifle-kit', 'accept-encoding': 'identity' };
  if (from > 0) {
    headers.range = `bytes=${from}-`;
    if (validator !== undefined) headers['if-range'] = validator;
  }
  const response = await get(url, headers, options);
  const { status } = response;
  const header = (name: string) => [response.headers[name]].flat()[0];
  const refuse = (failure: Failure): never => {
    response.close();
    throw failure;
  };
  if (status === 416) {
    // Nothing from that byte on: what is here is too much, or of another file.
    refuse(new Failure('it has no such bytes (416)', { final: from === 0, spoiled: true }));
  }
  if (status !== 200 && status !== 206) refuse(statusFailure(status, header('retry-after')));
  const length = wholeNumber(header('content-length'));
  let start = 0;
  let total = length;
  if (status === 206) {
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? [];
    if (Number(first) !== from)
      refuse(
        new Failure(`it sent other bytes than those from ${from} on (${header('content-range') ?? 'no range named'})`, {
          final: from === 0,
          spoiled: true,
        }),
      );
    start = from;
    total = size === '*' ? (length === undefined ? undefined : from + length) : Number(size);
  }
  const etag = header('etag');
  return {
    start,
    total,
    validator: etag !== undefined && !etag.startsWith('W/') ? etag : header('last-modified'),
    isPage: /^text\/html/i.test(header('content-type') ?? ''),
    chunks: response.chunks,
    close: response.close,
  };
}

/** Most bytes that wait to be taken. */
const QUEUE_BYTES = 1 << 20;

/**
 * The status and headers of an answer, and its bytes: those that came before a connection broke are given before that
 * is told.
 */
function get(
  url: string,
  headers: Record<string, string>,
  { stallSeconds, signal }: { stallSeconds: number; signal?: AbortSignal },
): Promise<{ status: number; headers: IncomingHttpHeaders } & Pick<Answer, 'chunks' | 'close'>> {
  return new Promise((resolve, reject) => {
    const queue: Buffer[] = [];
    let queued = 0;
    let state: 'open' | 'ended' | Failure = 'open';
    let controller: Dispatcher.DispatchController | undefined;
    let wake: () => void = () => undefined;
    const abort = () => controller?.abort(signal!.reason as Error);
    const settle = (outcome: 'ended' | Failure) => {
      if (state === 'open') state = outcome;
      signal?.removeEventListener('abort', abort);
      wake();
    };
    async function* chunks(): AsyncGenerator<Buffer> {
      for (;;) {
        while (queue.length > 0) {
          const chunk = queue.shift()!;
          queued -= chunk.length;
          if (queued < QUEUE_BYTES && controller?.paused) controller.resume();
          yield chunk;
        }
        if (state === 'ended') return;
        if (state !== 'open') throw state;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
    const close = () => {
      if (state === 'open') controller?.abort(new Error('closed'));
    };
    signal?.addEventListener('abort', abort, { once: true });
    const { origin, pathname, search } = new URL(url);
    connection().dispatch(
      {
        origin,
        path: `${pathname}${search}`,
        method: 'GET',
        headers,
        headersTimeout: stallSeconds * 1000,
        bodyTimeout: stallSeconds * 1000,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (signal?.aborted) abort();
        },
        onResponseStart(_controller, status, received) {
          if (status >= 200) resolve({ status, headers: received, chunks, close });
        },
        onResponseData(_controller, chunk) {
          queue.push(chunk);
          queued += chunk.length;
          if (queued >= QUEUE_BYTES) controller?.pause();
          wake();
        },
        onResponseEnd: () => settle('ended'),
        onResponseError(_controller, error) {
          const failure = broken(error, stallSeconds);
          settle(failure);
          reject(failure);
        },
      },
    );
  });
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const MEANINGS: Record<number, string> = {
  401: 'it asks for a login',
  403: 'it refuses (a login may be needed)',
  404: 'it has no such file',
  410: 'the file is gone',
  429: 'too many requests',
  503: 'it is not available now',
};

function statusFailure(status: number, retryAfter: string | undefined): Failure {
  const meaning =
    MEANINGS[status] ??
    (status >= 500 ? 'it has trouble' : status >= 300 && status < 400 ? 'it sends elsewhere, too often' : 'it refuses');
  const temporary = status === 408 || status === 425 || status === 429 || status >= 500;
  return new Failure(`${meaning} (${status})`, { final: !temporary, retryAfter: wholeNumber(retryAfter) });
}

const REASONS: Record<string, string> = {
  ENOTFOUND: 'its name is not known (no network?)',
  EAI_AGAIN: 'its name cannot be looked up (no network?)',
  ECONNREFUSED: 'it does not accept connections',
  UND_ERR_CONNECT_TIMEOUT: 'it cannot be reached',
  UND_ERR_SOCKET: 'the connection broke',
  ECONNRESET: 'the connection broke',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'it sent too much',
};

function broken(cause: unknown, stallSeconds: number): Failure {
  if (cause instanceof Failure) return cause;
  const { code = '', message = String(cause) } = (cause ?? {}) as NodeJS.ErrnoException;
  const stalled = code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT';
  return new Failure(
    stalled ? `nothing came for ${stallSeconds} s` : `${REASONS[code] ?? message}${code === '' ? '' : ` (${code})`}`,
    { cause, final: code === 'ENOTFOUND' },
  );
}
