// Requests to Ray over HTTP, bounded in bytes and time, and their errors.
import type { Dispatcher } from 'undici';
import { withoutSecrets, withPublicAddresses } from '../../base/address';
import { boundedBody } from '../../base/bounded-body';
import { KitError } from '../../base/errors';
import { undici } from '../../base/packages';

/** Ray does not answer, or not now: trying again may help. */
export class RayUnreachableError extends KitError {
  constructor(message: string, fix = '', cause?: unknown) {
    super(message, { code: 'RAY_UNREACHABLE', fix, cause });
  }
}

/** An answer of Ray. */
export interface Answer {
  status: number;
  text: string;
  /** Undefined when the text is no JSON. */
  json: unknown;
}

/** Seconds without a byte, and seconds in all, after which a request fails. */
const [STALL, LONGEST] = [30, 120];

/** Bytes of an answer: the list of jobs of a busy cluster takes a few million. */
const MOST = 64_000_000;

/** Choices of `ask`. */
interface AskOptions {
  body?: object;
  signal?: AbortSignal;
  /** Of the errors. */
  fix?: string;
  /** Bytes that the answer may have. */
  most?: number;
  /** Whether the end of a longer answer will do. Default: it is an error. */
  keep?: 'all' | 'end';
}

/**
 * Asks Ray.
 * @throws RayUnreachableError where nothing answers in time; KitError RAY_NOT_HTTP, RAY_REFUSED, ANSWER_TOO_LONG.
 */
export async function ask(
  base: string,
  method: 'GET' | 'POST',
  path: string,
  { body, signal, fix = '', most = MOST, keep = 'all' }: AskOptions = {},
): Promise<Answer> {
  let answer: Answer;
  try {
    const response = await undici().request(`${base}${path}`, {
      method,
      headers: {
        'user-agent': 'rifle-kit',
        ...authorization(),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      headersTimeout: STALL * 1000,
      bodyTimeout: STALL * 1000,
      signal: AbortSignal.any([AbortSignal.timeout(LONGEST * 1000), ...(signal === undefined ? [] : [signal])]),
    });
    const text = await boundedBody(response.body, most, { keep });
    answer = { status: response.statusCode, text, json: parsedJson(text) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof KitError)
      throw new KitError(`The answer of ${base}${path} is too long: it is not that of Ray.`, {
        code: cause.code,
        fix,
        cause,
      });
    const { code = '', message, name } = cause as NodeJS.ErrnoException;
    // An answer that is not HTTP: the port of Ray's own protocol, for example.
    if (name === 'HTTPParserError' || code === 'UND_ERR_SOCKET')
      throw new KitError(`The server at ${base} gives no HTTP answer. It is not the dashboard of Ray.`, {
        code: 'RAY_NOT_HTTP',
        fix,
        cause,
      });
    throw new RayUnreachableError(`No Ray answers at ${base}: ${withPublicAddresses(message || code)}.`, fix, cause);
  }
  if (answer.status === 401 || answer.status === 403) {
    throw new KitError(`Ray at ${base} refuses (${answer.status}): ${firstLine(answer.text)}`, {
      code: 'RAY_REFUSED',
      fix: 'Set RAY_AUTH_TOKEN to the token that `ray get-auth-token` prints on the cluster.',
    });
  }
  return answer;
}

/** The header that holds RAY_AUTH_TOKEN, where it is set. */
export const authorization = (): Record<string, string> =>
  process.env.RAY_AUTH_TOKEN ? { authorization: `Bearer ${process.env.RAY_AUTH_TOKEN}` } : {};

/** A text as JSON; undefined where it is none. */
export const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** The last line of an answer, for a message: short, and without the token. */
export const firstLine = (text: string): string =>
  withoutSecrets(text.trim().slice(-4000).split('\n').pop()!.slice(0, 200), [process.env.RAY_AUTH_TOKEN]);

/** The error for an answer that is not of the Jobs API. */
export const unexpectedAnswer = (where: string, { status, text }: Answer): KitError =>
  new KitError(`The server at ${where} is not the Jobs API of Ray: ${status} "${firstLine(text).slice(0, 60)}".`, {
    code: 'RAY_NOT_JOBS_API',
    fix:
      "Give the address of Ray's dashboard, for example http://127.0.0.1:8265. The package `ray[default]` " +
      'has one, `ray` alone has not.',
  });

/** The error for a request that Ray refused. */
export const refusedBy = (what: string, { status, text }: Answer): KitError =>
  new KitError(`${what} (${status}): ${firstLine(text)}`, { code: 'RAY_REFUSED' });

/** Bytes of one message of a web socket: some lines of a log. */
const MOST_MESSAGE = 8_000_000;

let agent: Dispatcher | undefined;

/**
 * For web sockets with bounded messages and without compression: undici 7.30 loses the compressed messages of aiohttp
 * 3.14, Ray's server, and reports nothing.
 */
export function uncompressed(): Dispatcher {
  return (agent ??= new (undici().Agent)({ webSocket: { maxPayloadSize: MOST_MESSAGE, maxFragments: 1000 } }).compose(
    (dispatch) => (options, handler) => {
      const headers = Object.fromEntries(
        Object.entries(options.headers as Record<string, string>).filter(
          ([name]) => name !== 'sec-websocket-extensions',
        ),
      );
      return dispatch({ ...options, headers }, handler);
    },
  ));
}
