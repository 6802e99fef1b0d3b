// A client of Ray's Jobs REST API. Answers are checked and bounded; a server that does not answer and one that answers
// wrongly are different errors.
// https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
import { undici } from '../../base/packages';
import { z } from 'zod';
import { publicAddress } from '../../base/address';
import { KitError } from '../../base/errors';
import {
  ask,
  authorization,
  firstLine,
  parsedJson,
  RayUnreachableError,
  refusedBy,
  uncompressed,
  unexpectedAnswer,
} from './ray-http';

export { RayUnreachableError };

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

/** Bytes of a job's log that are read. */
const MOST_LOG = 8_000_000;

/**
 * The text of a log whose answer, `{"logs": "..."}`, lost its beginning: what stands after the first line break.
 * Empty where it is no such answer.
 */
function textOfCutLog(answer: string): string {
  const from = answer.indexOf('\\n');
  const found = from < 0 ? null : z.string().safeParse(parsedJson(`"${answer.slice(from, answer.lastIndexOf('"'))}"`));
  return found?.data ?? '';
}

/** A job as Ray describes it. */
export type RayJob = z.infer<typeof jobAnswer>;

/** A node of the cluster: its CPUs, GPUs and bytes of memory in all. */
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

/** A Ray cluster, by the address of its dashboard. */
export class Ray {
  private constructor(
    readonly url: string,
    /** Of Ray itself. */
    readonly version: string,
  ) {}

  /**
   * Connects to the dashboard at `url` (`http://host:8265`). With RAY_AUTH_TOKEN set, the token goes with every
   * request.
   * @throws KitError RAY_ADDRESS, RAY_UNREACHABLE, RAY_NOT_HTTP, RAY_NOT_JOBS_API, RAY_REFUSED or RAY_VERSION.
   */
  static async connect(url: string, signal?: AbortSignal): Promise<Ray> {
    const fix = "Give the address of Ray's dashboard, for example http://127.0.0.1:8265: `ray start --head` prints it.";
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed === null || !/^https?:$/.test(parsed.protocol))
      throw new KitError(
        `"${publicAddress(url)}" is not an address of the Jobs API of Ray: http:// or https:// is missing.`,
        {
          code: 'RAY_ADDRESS',
          fix,
        },
      );
    const base = `${parsed.origin}${parsed.pathname.replace(/\/+$/, '')}`;
    const answer = await ask(base, 'GET', '/api/version', { signal, fix, most: 65_536 });
    const found = versionAnswer.safeParse(answer.json);
    if (answer.status !== 200 || !found.success) throw unexpectedAnswer(base, answer);
    const { version, ray_version: ray } = found.data;
    const [major, minor] = ray.split('.').map(Number);
    if (version !== API_VERSION || major !== OLDEST[0] || minor < OLDEST[1]) {
      throw new KitError(
        `${base} is Ray ${ray.slice(0, 40)} with version ${version.slice(0, 40)} of the Jobs API; ` +
          `expected: version ${API_VERSION} of Ray ${OLDEST.join('.')} to 2.x.`,
        {
          code: 'RAY_VERSION',
          fix: `Install the Ray that was tested on the cluster: pip install 'ray[default]==${TESTED_RAY}'.`,
        },
      );
    }
    return new Ray(base, ray);
  }

  /** All jobs that the cluster knows. */
  async jobs(signal?: AbortSignal): Promise<Map<string, RayJob>> {
    const jobs = await this.get('/api/jobs/', z.array(jobAnswer), signal);
    return new Map(jobs.flatMap((job) => (job.submission_id ? [[job.submission_id, job]] : [])));
  }

  /** The nodes that are alive. */
  async nodes(signal?: AbortSignal): Promise<RayNode[]> {
    const { data } = await this.get('/api/v0/nodes?detail=1&limit=1000', nodesAnswer, signal);
    return data.result.result
      .filter(({ state }) => state === 'ALIVE')
      .map(({ resources_total: all }) => ({ cpus: all?.CPU ?? 0, gpus: all?.GPU ?? 0, memory: all?.memory ?? 0 }));
  }

  /** Submits a job. Where one of its name is there already, nothing is done. @throws KitError RAY_REFUSED. */
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
    throw refusedBy(`Ray at ${this.url} refused the job ${id}`, answer);
  }

  /** Stops a job: SIGTERM, and SIGKILL when it does not end in its time. */
  async stop(id: string): Promise<void> {
    const answer = await ask(this.url, 'POST', `/api/jobs/${encodeURIComponent(id)}/stop`);
    if (answer.status !== 200 && answer.status !== 404)
      throw refusedBy(`Ray at ${this.url} did not stop the job ${id}`, answer);
  }

  /** What a job has printed (the last 8 MB of it); empty when it is gone with its node. */
  async logs(id: string, signal?: AbortSignal): Promise<string> {
    const answer = await ask(this.url, 'GET', `/api/jobs/${encodeURIComponent(id)}/logs`, {
      signal,
      most: MOST_LOG,
      keep: 'end',
    });
    return z.object({ logs: z.string() }).safeParse(answer.json).data?.logs ?? textOfCutLog(answer.text);
  }

  /**
   * Follows what a job prints, from its first line on. @returns a function that ends it. `onEnd` is called when the
   * cluster ends it, or the connection breaks.
   */
  follow(id: string, onText: (text: string) => void, onEnd: () => void): () => void {
    const socket = new (undici().WebSocket)(
      `${this.url.replace(/^http/, 'ws')}/api/jobs/${encodeURIComponent(id)}/logs/tail`,
      {
        dispatcher: uncompressed(),
        headers: authorization(),
      },
    );
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') onText(data);
    });
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
      throw new RayUnreachableError(`Ray at ${this.url} has an error (${answer.status}): ${firstLine(answer.text)}`);
    const found = schema.safeParse(answer.json);
    if (answer.status !== 200 || !found.success) throw unexpectedAnswer(`${this.url}${path}`, answer);
    return found.data;
  }
}
