// One HTTP(S) request for a file from some byte on, with every answer that a server may give turned into bytes or a reason.
import { Agent, EnvHttpProxyAgent, interceptors, request, type Dispatcher } from 'undici';

/** Why a request gave no file. */
export class Failure extends Error {
  /** Whether trying again is of no use. */
  readonly final: boolean;
  /** Whether what came before must not be kept. */
  readonly spoiled: boolean;
  /** Seconds to wait, as the server asked. */
  readonly retryAfter?: number;

  constructor(message: string, options: { final?: boolean; spoiled?: boolean; retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.final = options.final ?? false;
    this.spoiled = options.spoiled ?? false;
    this.retryAfter = options.retryAfter;
  }
}

/** A server that has begun to send. */
export interface Answer {
  /** The byte that the chunks start at: the one that was asked for, or 0 when the server knows no ranges or has another file now. */
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
  dispatcher ??= (proxied ? new EnvHttpProxyAgent() : new Agent()).compose(interceptors.redirect({ maxRedirections: REDIRECTS }));
  return dispatcher;
}

/**
 * Asks for `url` from byte `from` on; with `validator`, only if it is still that version.
 * @throws Failure for every answer that is no file, and when there is no answer.
 */
export async function startAt(url: string, from: number, validator: string | undefined, options: { stallSeconds: number; signal?: AbortSignal }): Promise<Answer> {
  const { stallSeconds, signal } = options;
  const headers: Record<string, string> = { 'user-agent': 'rifle-kit', 'accept-encoding': 'identity' };
  if (from > 0) {
    headers.range = `bytes=${from}-`;
    if (validator !== undefined) headers['if-range'] = validator;
  }
  let response: Dispatcher.ResponseData;
  try {
    const timeouts = { headersTimeout: stallSeconds * 1000, bodyTimeout: stallSeconds * 1000 };
    response = await request(url, { headers, dispatcher: connection(), signal, ...timeouts });
  } catch (cause) {
    throw broken(cause, stallSeconds);
  }
  const { body, statusCode } = response;
  const header = (name: string) => [response.headers[name]].flat()[0];
  body.on('error', () => undefined); // told by whoever reads; nobody may
  const refuse = (failure: Failure): never => {
    body.destroy();
    throw failure;
  };
  if (statusCode === 416) {
    // Nothing from that byte on: what is here is too much, or of another file.
    refuse(new Failure('it has no such bytes (416)', { final: from === 0, spoiled: true }));
  }
  if (statusCode !== 200 && statusCode !== 206) refuse(statusFailure(statusCode, header('retry-after')));
  const length = wholeNumber(header('content-length'));
  let start = 0;
  let total = length;
  if (statusCode === 206) {
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? [];
    if (Number(first) !== from) refuse(new Failure(`it sent other bytes than those from ${from} on (${header('content-range') ?? 'no range named'})`, { final: from === 0, spoiled: true }));
    start = from;
    total = size === '*' ? (length === undefined ? undefined : from + length) : Number(size);
  }
  const etag = header('etag');
  return {
    start,
    total,
    validator: etag !== undefined && !etag.startsWith('W/') ? etag : header('last-modified'),
    isPage: /^text\/html/i.test(header('content-type') ?? ''),
    async *chunks() {
      try {
        for await (const chunk of body) yield chunk as Buffer;
      } catch (cause) {
        throw broken(cause, stallSeconds);
      }
    },
    close: () => void body.destroy(),
  };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const MEANINGS: Record<number, string> = { 401: 'it asks for a login', 403: 'it refuses (a login may be needed)', 404: 'it has no such file', 410: 'the file is gone', 429: 'too many requests', 503: 'it is not available now' };

function statusFailure(status: number, retryAfter: string | undefined): Failure {
  const meaning = MEANINGS[status] ?? (status >= 500 ? 'it has trouble' : status >= 300 && status < 400 ? 'it sends elsewhere, too often' : 'it refuses');
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
  return new Failure(stalled ? `nothing came for ${stallSeconds} s` : `${REASONS[code] ?? message}${code === '' ? '' : ` (${code})`}`, { cause, final: code === 'ENOTFOUND' });
}
