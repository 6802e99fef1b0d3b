// A client of Ray's Jobs REST API: its answers are checked, and what answers wrongly is told from what does not answer.
// https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
import type { Dispatcher } from 'undici';
import { undici } from '../../base/packages';
import { z } from 'zod';
import { KitError } from '../../base/errors';

/** The Ray that this client was tested with; requirements-ray.txt installs it. */
export const TESTED_RAY = '2.60.0';
/**
 * The number that the Jobs API has given itself since Ray 2.0 (`CURRENT_VERSION`, ray/dashboard/modules/job/common.py).
 */
const API_VERSION = '4';
/** The first Ray whose jobs can ask for memory (`entrypoint_memory`). */
const OLDEST = [2, 8] as const;

const versionAnswer = z.object({ version: z.string(), ray_version: z.string() });
const jobAnswer = z.object({
  submission_id: z.string().nullish(),
  status: z.enum(['PENDING', 'RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']),
  message: z.string().nullish(),
  error_type: z.string().nullish(),
  driver_exit_code: z.number().nullish(),
});
const nodesAnswer = z.object({
  data: z.object({
    result: z.object({
      result: z.array(z.object({ state: z.string(), resources_total: z.record(z.string(), z.number()).nullish() })),
    }),
  }),
});

/** A job as Ray tells it. */
export type RayJob = z.infer<typeof jobAnswer>;

/** What a node of the cluster has in all: numbers of CPUs and GPUs, and bytes of memory. */
export interface RayNode {
  cpus: number;
  gpus: number;
  memory: number;
}

/** A job to submit. */
export interface RayRequest {
  /** Its name: Ray refuses a second one of the same. */
  id: string;
  /** The command, for a shell. */
  entrypoint: string;
  env: Record<string, string>;
  cpus: number;
  gpus: number;
  /** Bytes; null: none are set aside. */
  memory: number | null;
  metadata: Record<string, string>;
}

/** Nobody answers, or not now: trying again may help. */
export class RayUnreachableError extends KitError {}

/** A Ray cluster, by the address of its dashboard. */
export class Ray {
  private constructor(
    readonly url: string,
    /** Of Ray itself. */
    readonly version: string,
  ) {}

  /**
   * Asks who answers at `url` (`http://host:8265`). With RAY_AUTH_TOKEN set, the token goes with every request.
   * @throws KitError for an address that is none, where nobody or something else answers, or a Ray of another version.
   */
  static async connect(url: string, signal?: AbortSignal): Promise<Ray> {
    const fix = "Give the address of Ray's dashboard, for example http://127.0.0.1:8265: `ray start --head` prints it.";
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed === null || !/^https?:$/.test(parsed.protocol))
      throw new KitError(`"${url}" is not an address that the Jobs API of Ray can have.`, { fix });
    const base = `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
    const answer = await ask(base, 'GET', '/api/version', { signal, fix });
    const found = versionAnswer.safeParse(answer.json);
    if (answer.status !== 200 || !found.success) throw somethingElse(base, answer);
    const { version, ray_version: ray } = found.data;
    const [major, minor] = ray.split('.').map(Number);
    if (version !== API_VERSION || major !== OLDEST[0] || minor < OLDEST[1]) {
      throw new KitError(
        `${base} is Ray ${ray} with version ${version} of the Jobs API; expected is version ${API_VERSION} of Ray ${OLDEST.join('.')} to 2.x.`,
        { fix: `Install the Ray that was tested on the cluster: pip install 'ray[default]==${TESTED_RAY}'.` },
      );
    }
    return new Ray(base, ray);
  }

  /** All jobs that the cluster knows. */
  async jobs(signal?: AbortSignal): Promise<Map<string, RayJob>> {
    const jobs = await this.get('/api/jobs/', z.array(jobAnswer), signal);
    return new Map(jobs.flatMap((job) => (job.submission_id ? [[job.submission_id, job]] : [])));
  }

  /** The nodes that live. */
  async nodes(signal?: AbortSignal): Promise<RayNode[]> {
    const { data } = await this.get('/api/v0/nodes?detail=1&limit=1000', nodesAnswer, signal);
    return data.result.result
      .filter(({ state }) => state === 'ALIVE')
      .map(({ resources_total: all }) => ({ cpus: all?.CPU ?? 0, gpus: all?.GPU ?? 0, memory: all?.memory ?? 0 }));
  }

  /** Submits a job; one of that name may be there already, then it is the one. @throws KitError when Ray refuses it. */
  async submit({ id, entrypoint, env, cpus, gpus, memory, metadata }: RayRequest, signal?: AbortSignal): Promise<void> {
    const body = {
      submission_id: id,
      entrypoint,
      metadata,
      runtime_env: { env_vars: env },
      entrypoint_num_cpus: cpus,
      ...(gpus > 0 ? { entrypoint_num_gpus: gpus } : {}),
      ...(memory === null ? {} : { entrypoint_memory: Math.ceil(memory) }),
    };
    const answer = await ask(this.url, 'POST', '/api/jobs/', { body, signal });
    if (answer.status === 200 || /already exists/.test(answer.text)) return;
    throw refused(`Ray at ${this.url} refused the job ${id}`, answer);
  }

  /** Asks for the end of a job: SIGTERM, and SIGKILL when it does not end in its time. */
  async stop(id: string): Promise<void> {
    const answer = await ask(this.url, 'POST', `/api/jobs/${encodeURIComponent(id)}/stop`);
    if (answer.status !== 200 && answer.status !== 404)
      throw refused(`Ray at ${this.url} did not stop the job ${id}`, answer);
  }

  /** Everything that a job has printed; empty when it is gone with its node. */
  async logs(id: string, signal?: AbortSignal): Promise<string> {
    const answer = await ask(this.url, 'GET', `/api/jobs/${encodeURIComponent(id)}/logs`, { signal });
    return z.object({ logs: z.string() }).safeParse(answer.json).data?.logs ?? '';
  }

  /**
   * Follows what a job prints, from its first line on. @returns what ends it. `onEnd` is called when the cluster ends
   * it, or the connection breaks.
   */
  follow(id: string, onText: (text: string) => void, onEnd: () => void): () => void {
    const socket = new (undici().WebSocket)(
      `${this.url.replace(/^http/, 'ws')}/api/jobs/${encodeURIComponent(id)}/logs/tail`,
      {
        dispatcher: uncompressed(),
        headers: authorization(),
      },
    );
    socket.addEventListener('message', ({ data }) => void (typeof data === 'string' && onText(data)));
    socket.addEventListener('error', () => undefined); // a close follows
    socket.addEventListener('close', onEnd);
    return () => {
      socket.removeEventListener('close', onEnd);
      socket.close();
    };
  }

  private async get<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const answer = await ask(this.url, 'GET', path, { signal });
    if (answer.status >= 500)
      throw new RayUnreachableError(`Ray at ${this.url} has trouble (${answer.status}): ${firstLine(answer.text)}`);
    const found = schema.safeParse(answer.json);
    if (answer.status !== 200 || !found.success) throw somethingElse(`${this.url}${path}`, answer);
    return found.data;
  }
}

interface Answer {
  status: number;
  text: string;
  /** Undefined when the text is no JSON. */
  json: unknown;
}

/** Seconds without a byte after which a request is given up. */
const STALL = 30;

async function ask(
  base: string,
  method: 'GET' | 'POST',
  path: string,
  { body, signal, fix = '' }: { body?: object; signal?: AbortSignal; fix?: string } = {},
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
      signal,
    });
    const text = await response.body.text();
    answer = { status: response.statusCode, text, json: parsed(text) };
  } catch (cause) {
    signal?.throwIfAborted();
    const { code = '', message, name } = cause as NodeJS.ErrnoException;
    // What speaks, but not HTTP: the port of Ray's own protocol, for example.
    if (name === 'HTTPParserError' || code === 'UND_ERR_SOCKET')
      throw new KitError(`What answers at ${base} does not speak HTTP: it is not the dashboard of Ray.`, {
        fix,
        cause,
      });
    throw new RayUnreachableError(`No Ray answers at ${base}: ${message || code}.`, { fix, cause });
  }
  if (answer.status === 401 || answer.status === 403) {
    throw new KitError(`Ray at ${base} refuses (${answer.status}): ${firstLine(answer.text)}`, {
      fix: 'Set RAY_AUTH_TOKEN to what `ray get-auth-token` prints on the cluster.',
    });
  }
  return answer;
}

const authorization = (): Record<string, string> =>
  process.env.RAY_AUTH_TOKEN ? { authorization: `Bearer ${process.env.RAY_AUTH_TOKEN}` } : {};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const firstLine = (text: string): string => text.trim().split('\n').pop()!.slice(0, 200);

const somethingElse = (where: string, { status, text }: Answer): KitError =>
  new KitError(`What answers at ${where} is not the Jobs API of Ray: ${status} "${firstLine(text).slice(0, 60)}".`, {
    fix: "Give the address of Ray's dashboard, for example http://127.0.0.1:8265. The package `ray[default]` has one, `ray` alone has not.",
  });

const refused = (what: string, { status, text }: Answer): KitError =>
  new KitError(`${what} (${status}): ${firstLine(text)}`);

let agent: Dispatcher | undefined;

/**
 * For web sockets without compression: undici 7.30 loses the compressed messages of aiohttp 3.14, Ray's server, and
 * says nothing.
 */
function uncompressed(): Dispatcher {
  return (agent ??= new (undici().Agent)().compose((dispatch) => (options, handler) => {
    const headers = Object.fromEntries(
      Object.entries(options.headers as Record<string, string>).filter(([name]) => name !== 'sec-websocket-extensions'),
    );
    return dispatch({ ...options, headers }, handler);
  }));
}
