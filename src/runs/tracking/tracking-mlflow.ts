// Sends the numbers of a run to an MLflow server, through its REST API (https://mlflow.org/docs/latest/rest-api.html).
// Answers are bounded in bytes and time; secrets of the address are in no message.
import { undici } from '../../base/packages';
import { z } from 'zod';
import { loginOf, publicAddress, withoutSecrets } from '../../base/address';
import { boundedBody } from '../../base/bounded-body';
import { KitError } from '../../base/errors';
import type { EpochRow, RunRecord } from '../store/record';
import { quantities, type Sink, type TrackedRun } from './tracking-sink';

/** The experiment that all runs of the kit are in. */
export const EXPERIMENT = 'rifle-kit';
/** The tag that holds the id of a run: by it a resumed run is found again. */
export const RUN_TAG = 'rifle.run';

const experimentAnswer = z.object({ experiment: z.object({ experiment_id: z.string() }) });
const runAnswer = z.object({
  info: z.object({ run_id: z.string() }),
  data: z.object({ metrics: z.array(z.object({ key: z.string(), step: z.coerce.number() })).nullish() }).nullish(),
});

/** Milliseconds for an answer, and its bytes. */
const [TIMEOUT, MOST] = [10_000, 4_000_000];

/**
 * One run on a server. With MLFLOW_TRACKING_TOKEN set, the token goes with every request; else user and password of the
 * address do.
 */
export class MlflowSink implements Sink {
  readonly name = 'MLflow';
  private run = '';
  /** The last epoch that the server has. */
  private sent = 0;

  /** The server's address without secrets. */
  private readonly url: string;
  private readonly authorization: string | null;
  private readonly secrets: readonly string[];

  /** @param address `http://host:5000`, or `http://user:password@host:5000/path`. */
  constructor(address: string) {
    this.url = publicAddress(address).replace(/\/+$/, '');
    const token = process.env.MLFLOW_TRACKING_TOKEN;
    const login = loginOf(address);
    const basic = login && Buffer.from(`${login.user}:${login.password}`).toString('base64');
    this.authorization = token ? `Bearer ${token}` : basic && `Basic ${basic}`;
    this.secrets = [token, basic, login?.password, login?.user].filter((each): each is string => Boolean(each));
  }

  async begin(run: TrackedRun, before: readonly EpochRow[]): Promise<void> {
    const experiment = await this.experiment();
    const { runs } = await this.post(
      'runs/search',
      { experiment_ids: [experiment], filter: `tags.\`${RUN_TAG}\` = '${run.id}'`, max_results: 1 },
      z.object({ runs: z.array(runAnswer).nullish() }),
    );
    const found = runs?.[0];
    if (found === undefined) {
      const tags = { [RUN_TAG]: run.id, method: run.method, dataset: run.dataset, backbone: run.spec.backbone };
      const made = await this.post(
        'runs/create',
        {
          experiment_id: experiment,
          run_name: `${run.title}, ${run.dataset}`,
          start_time: Date.now(),
          tags: pairs(tags),
        },
        z.object({ run: runAnswer }),
      );
      this.run = made.run.info.run_id;
      await this.post('runs/log-batch', { run_id: this.run, params: pairs(flat(run.spec)) });
    } else {
      this.run = found.info.run_id;
      this.sent = Math.max(
        0,
        ...(found.data?.metrics ?? []).filter(({ key }) => key === 'train/loss').map(({ step }) => step),
      );
      await this.post('runs/update', { run_id: this.run, status: 'RUNNING' });
    }
    for (const row of before) await this.epoch(row);
  }

  async epoch(row: EpochRow): Promise<void> {
    if (row.epoch <= this.sent) return; // repeated after a checkpoint: the same numbers
    const metrics = Object.entries(quantities(row)).filter(([, value]) => Number.isFinite(value));
    await this.post('runs/log-batch', {
      run_id: this.run,
      metrics: metrics.map(([key, value]) => ({ key, value, step: row.epoch, timestamp: Date.now() })),
    });
    this.sent = row.epoch;
  }

  async end(how: RunRecord['status'] | 'stopped'): Promise<void> {
    await this.post('runs/update', {
      run_id: this.run,
      status: { finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' }[how],
      end_time: Date.now(),
    });
  }

  /** The id of the kit's experiment, which is made when there is none; two processes may do so at once. */
  private async experiment(): Promise<string> {
    const find = async (): Promise<string | null> => {
      const answer = await this.ask('GET', `experiments/get-by-name?experiment_name=${EXPERIMENT}`);
      return answer.status === 404 && /RESOURCE_DOES_NOT_EXIST/.test(answer.text)
        ? null
        : this.checked(answer, experimentAnswer).experiment.experiment_id;
    };
    const found = await find();
    if (found !== null) return found;
    const made = await this.ask('POST', 'experiments/create', { name: EXPERIMENT });
    return made.status === 400 && /RESOURCE_ALREADY_EXISTS/.test(made.text)
      ? (await find())!
      : this.checked(made, z.object({ experiment_id: z.string() })).experiment_id;
  }

  private async post<T>(path: string, body: object, schema: z.ZodType<T> = z.any() as z.ZodType<T>): Promise<T> {
    return this.checked(await this.ask('POST', path, body), schema);
  }

  private async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<{ status: number; text: string }> {
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(this.authorization === null ? {} : { authorization: this.authorization }),
    };
    const response = await undici().request(`${this.url}/api/2.0/mlflow/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    return { status: response.statusCode, text: await boundedBody(response.body, MOST) };
  }

  /** The answer in its form. @throws KitError MLFLOW_REFUSED for a refusal, or an answer of another form. */
  private checked<T>({ status, text }: { status: number; text: string }, schema: z.ZodType<T>): T {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    const found = schema.safeParse(json);
    if (status === 200 && json !== undefined && found.success) return found.data;
    const answer = withoutSecrets(text.trim().slice(0, 2000).split('\n')[0], this.secrets).slice(0, 150);
    throw new KitError(`the server at ${this.url} is not MLflow, or refuses (${status}): ${answer}`, {
      code: 'MLFLOW_REFUSED',
      fix: 'Check the address of --mlflow, and MLFLOW_TRACKING_TOKEN.',
    });
  }
}

const pairs = (values: Record<string, string>): { key: string; value: string }[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

/** The fields of a spec as parameters: `optimizer.learningRate`. Those that are null are left out. */
function flat(value: object, prefix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]): [string, string][] => {
      if (each === null || each === undefined) return [];
      return typeof each === 'object' && !Array.isArray(each)
        ? Object.entries(flat(each as object, `${prefix}${key}.`))
        : [[`${prefix}${key}`, typeof each === 'string' ? each : JSON.stringify(each)]];
    }),
  );
}
