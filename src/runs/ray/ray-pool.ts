// Many runs at once on a Ray cluster, one job a run: submitted, followed, begun again when they are lost, and found
// again by the next command.
import { definitionFiles } from '../../base/definitions/load';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { backbones } from '../../backbones/backbone';
import { datasets } from '../../data/catalog';
import type { Dataset } from '../../data/dataset';
import { KitError } from '../../base/errors';
import { stopSignal } from '../../base/notebook-host';
import { parseRunSpec, type RunSpec } from '../../transfer/spec';
import { finishedRun } from '../finetune';
import { identifyRun } from '../identify';
import { PoolBoard } from '../pool/pool-board';
import type { PoolNews, PoolTask } from '../pool/pool-process';
import type { PoolOptions } from '../pool/pool';
import { Ray, RayUnreachableError, TESTED_RAY, type RayJob } from './ray';
import { causeOf, entrypointOf, environmentOf, STOP_SECONDS, withWholePaths } from './ray-request';
import { JobLog, outcomeOf } from './ray-log';
import type { RunRecord } from '../store/record';
import { RunStore } from '../store/store';

/** Options of `runOnRay`: those of the local pool, and what the cluster must know. */
export interface RayPoolOptions extends Omit<PoolOptions, 'workers' | 'devices'> {
  /** The address of the cluster's dashboard, for example `http://127.0.0.1:8265`. */
  url: string;
  /** CPUs of a run, and threads of its TensorFlow. Default 2. */
  cpus?: number;
  /** GPUs of a run. Default: 1 when a node of the cluster has one, else 0. */
  gpus?: number;
  /** Bytes of memory that are set aside for a run. Default: none are. */
  memory?: number;
  /** Jobs that are submitted at once; those that find no place wait in Ray's own queue. Default 64. */
  jobs?: number;
  /** Where the kit is on the nodes. Default: the same path as here. */
  kit?: string;
  /** Node.js on the nodes. Default `node`. */
  node?: string;
  /** When stopped, leave the jobs to the cluster. Default: they write a checkpoint and stop. */
  leave?: boolean;
  /** Seconds between two looks at the cluster. Default 1. */
  every?: number;
  /** Seconds for which a cluster that does not answer is asked again. Default 300. */
  patience?: number;
}

/** Endings of a job that another node would not change. */
const HOPELESS = new Set(['RUNTIME_ENV_SETUP_FAILURE', 'JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE']);

/** A run that is on the cluster, or will be. */
interface Placed {
  index: number;
  id: string;
  task: PoolTask;
  /** The job that makes it; null before it is submitted. */
  job: string | null;
  deaths: number;
  tell: (news: PoolNews) => void;
  log: JobLog;
  unfollow: (() => void) | null;
}

/**
 * The records of `specs`, in order, made by a Ray cluster. The kit's home and the folder of the runs must be seen by
 * all nodes, and here, under
 * the same paths; records, checkpoints and journals come into the store as those of local runs do. Jobs are named by
 * their run, so that
 * the next command finds those that are under way.
 * @throws as `runPool` does; KitError when the cluster is none, or does not answer for `patience`.
 */
export async function runOnRay(specs: readonly RunSpec[], options: RayPoolOptions): Promise<RunRecord[]> {
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  const ray = await Ray.connect(options.url, signal);
  if (ray.version !== TESTED_RAY)
    options.onNotice?.(`Ray ${ray.version} answers; ${TESTED_RAY} is the one that was tested.`);
  const sweep = new RaySweep(specs, ray, { ...options, signal });
  try {
    await sweep.begin();
    while (sweep.board.open > 0) {
      signal?.throwIfAborted();
      await sweep.look();
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    if (options.leave !== true) await sweep.stop();
    throw signal.reason;
  } finally {
    sweep.end();
  }
  if (sweep.errors.length > 0) throw sweep.errors[0];
  return sweep.records();
}

class RaySweep {
  readonly board: PoolBoard;
  readonly errors: Error[] = [];
  private readonly store: RunStore;
  private readonly queue: Placed[] = [];
  private readonly placed = new Set<Placed>();
  private readonly ids: (string | undefined)[] = [];
  private gpus = 0;

  constructor(
    private readonly specs: readonly RunSpec[],
    private readonly ray: Ray,
    private readonly options: RayPoolOptions,
  ) {
    this.board = new PoolBoard(specs, options);
    this.store = new RunStore(path.resolve(new RunStore(options.runs).root));
  }

  /** Finds out which runs there are, which are over, and whether the cluster can hold one. */
  async begin(): Promise<void> {
    const { onProgress, signal, keepWeights = false, cpus = 2, memory = 0, checkpointMinutes, tracking } = this.options;
    this.store.requireRoom();
    const nodes = await this.ray.nodes(signal);
    this.gpus = this.options.gpus ?? (nodes.some((node) => node.gpus > 0) ? 1 : 0);
    if (!nodes.some((node) => node.cpus >= cpus && node.gpus >= this.gpus && node.memory >= memory)) {
      this.options.onNotice?.(
        `No node of the cluster has the ${cpus} CPUs, ${this.gpus} GPUs${memory > 0 ? ` and ${(memory / 1e9).toFixed(1)} GB` : ''} that a run asks for: the jobs wait until one comes.`,
      );
    }
    const dataset = remembered((name: string): Promise<Dataset> => datasets.load(name, { onProgress, signal }));
    const hashes = remembered((key: string) =>
      backbones.weightsHash(...(JSON.parse(key) as Parameters<typeof backbones.weightsHash>)),
    );
    const fetched = remembered((id: string) => backbones.fetch(id, { onProgress, signal }));
    for (const [index, given] of this.specs.entries()) {
      signal?.throwIfAborted();
      try {
        const spec = withWholePaths(parseRunSpec(given));
        const { id } = await identifyRun(spec, {
          dataset,
          weightsHash: (backbone, { weights, seed } = {}) =>
            hashes(JSON.stringify([backbone, { weights, seed: weights === 'random' ? seed : 0 }])),
        });
        const known = finishedRun(this.store, id, keepWeights);
        if (known !== null) {
          this.over({ index, id }, known, true);
          continue;
        }
        if (spec.weights === 'imagenet') await fetched(spec.backbone); // once, here: the nodes share the folder
        const task: PoolTask = {
          spec,
          runs: this.store.root,
          keepWeights,
          checkpointMinutes,
          tracking,
          device: this.gpus > 0 ? 'of this job' : null,
          busy: 'wait',
          definitions: definitionFiles(),
        };
        const tell = (news: PoolNews): void => {
          if ('notice' in news) this.options.onNotice?.(`${this.board.runs[index].title}: ${news.notice}`);
          else if ('epoch' in news) this.board.change(index, { epochsDone: news.epoch });
          else this.board.progress(index, news.progress);
        };
        this.queue.push({ index, id, task, job: null, deaths: 0, tell, log: new JobLog(tell), unfollow: null });
      } catch (error) {
        signal?.throwIfAborted();
        this.failed(index, error as Error);
      }
    }
    this.board.report();
  }

  /** Submits what may be submitted, looks at what is on the cluster, and waits a moment. */
  async look(): Promise<void> {
    const { signal, jobs: most = 64, every = 1 } = this.options;
    const jobs = await this.patiently(() => this.ray.jobs(signal));
    while (this.placed.size < most && this.queue.length > 0) await this.place(this.queue.shift()!, jobs);
    for (const run of [...this.placed]) {
      const job = jobs.get(run.job!);
      if (job?.status === 'RUNNING') this.running(run);
      else if (job !== undefined && job.status !== 'PENDING') await this.ended(run, job);
      else if (job === undefined && !this.fresh.delete(run)) await this.ended(run, null);
    }
    if (this.board.open > 0) await pause(every * 1000, signal);
  }

  /** Runs that were submitted after the list of jobs was made. */
  private readonly fresh = new Set<Placed>();

  /** Submits a run, unless a job of it is under way. */
  private async place(run: Placed, jobs: Map<string, RayJob>): Promise<void> {
    const prefix = `rifle-${run.id}-${createHash('sha256').update(this.store.root).digest('hex').slice(0, 6)}-`;
    const attempts = [...jobs.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b);
    const last = attempts.at(-1) ?? 0;
    const known = finishedRun(this.store, run.id, run.task.keepWeights);
    if (known !== null) return this.over(run, known, true);
    const status = jobs.get(`${prefix}${last}`)?.status;
    const isUnderWay = status === 'PENDING' || status === 'RUNNING';
    run.job = `${prefix}${isUnderWay ? last : last + 1}`;
    if (!isUnderWay) {
      const { cpus = 2, memory = null, signal } = this.options;
      const { title, spec } = this.board.runs[run.index];
      const metadata = {
        rifle: 'run',
        title,
        dataset: path.basename(spec.dataset),
        backbone: spec.backbone,
        runs: this.store.root,
      };
      await this.patiently(() =>
        this.ray.submit(
          {
            id: run.job!,
            entrypoint: this.entrypoint(),
            env: environmentOf(run.task, cpus),
            cpus,
            gpus: this.gpus,
            memory,
            metadata,
          },
          signal,
        ),
      );
      this.fresh.add(run);
    }
    run.log = new JobLog(run.tell);
    this.placed.add(run);
  }

  private entrypoint(): string {
    return entrypointOf(this.options);
  }

  private running(run: Placed): void {
    if (this.board.runs[run.index].state !== 'running') this.board.change(run.index, { state: 'running', cause: null });
    if (run.unfollow !== null) return;
    run.log.restart();
    run.unfollow = this.ray.follow(
      run.job!,
      (text) => run.log.take(text),
      () => (run.unfollow = null),
    );
  }

  /** What becomes of a run whose job is over, or is no longer known. */
  private async ended(run: Placed, job: RayJob | null): Promise<void> {
    const { signal, retries = 2, onNotice } = this.options;
    const { index } = run;
    this.unplace(run);
    const { outcome, lastWords } =
      job === null
        ? { outcome: null, lastWords: '' }
        : outcomeOf(await this.patiently(() => this.ray.logs(run.job!, signal)));
    if (outcome !== null && 'id' in outcome) {
      const record = await soon(() => finishedRun(this.store, run.id, run.task.keepWeights), signal);
      if (record !== null) return this.over(run, record, outcome.reused);
      if (outcome.id !== run.id || this.store.find(run.id) === null) {
        return this.failed(
          index,
          new KitError(
            `The job ${run.job} made the run ${outcome.id}, but there is no record of ${run.id} in ${this.store.root} here.`,
            {
              fix: 'The folder of the runs and the data must be the same on all nodes and here: a shared folder under one path (--runs, RIFLE_HOME).',
            },
          ),
        );
      }
    }
    if (outcome !== null && 'error' in outcome && !outcome.error.fatal)
      return this.failed(index, new KitError(outcome.error.message, { fix: outcome.error.fix }));
    if (job?.status === 'STOPPED')
      return this.failed(
        index,
        new KitError(`The job ${run.job} was stopped on the cluster.`, {
          fix: 'The same command goes on from its checkpoint.',
        }),
      );
    const why = causeOf(job, outcome !== null && 'error' in outcome ? outcome.error.message : lastWords);
    if (job?.error_type === 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT') {
      onNotice?.(
        `${this.board.runs[index].title}: the job ${run.job} found no place on the cluster in time; it is submitted again.`,
      );
      return this.again(run, why);
    }
    // Node or the kit is not where the entry point looks for them: so it will be the next time.
    const isMisplaced =
      job?.driver_exit_code === 127 || job?.driver_exit_code === 126 || /Cannot find module/.test(job?.message ?? '');
    if (isMisplaced)
      return this.failed(
        index,
        new KitError(`The job ${run.job} did not begin: ${why}.`, {
          fix: `On the nodes there must be Node.js and the built kit: \`${this.entrypoint()}\`; see --ray-node and --ray-kit.`,
        }),
      );
    if (HOPELESS.has(job?.error_type ?? '') || run.deaths++ >= retries)
      return this.failed(
        index,
        new KitError(`The job ${run.job} of the run ${this.board.runs[index].title} ended: ${why}.`, {
          fix: `\`ray job logs ${run.job}\` shows what it printed.`,
        }),
      );
    onNotice?.(
      `${this.board.runs[index].title}: the job ${run.job} ended: ${why}. It is begun again from its checkpoint (${run.deaths} of ${retries}).`,
    );
    this.again(run, why);
  }

  private again(run: Placed, cause: string): void {
    this.queue.unshift(run);
    this.board.change(run.index, { state: 'waiting', progress: null, cause });
  }

  private unplace(run: Placed): void {
    this.placed.delete(run);
    run.unfollow?.();
    run.unfollow = null;
  }

  private over({ index, id }: Pick<Placed, 'index' | 'id'>, record: RunRecord, reused: boolean): void {
    this.ids[index] = id;
    this.board.over(index, {
      state: reused ? 'reused' : record.failure ? 'diverged' : 'finished',
      epochsDone: this.board.runs[index].epochs,
      top1: record.top1,
    });
    this.options.onRecord?.(record, reused);
  }

  private failed(index: number, error: Error): void {
    if (this.options.onError) this.options.onError(this.specs[index], error);
    else this.errors.push(error);
    this.board.over(index, { state: 'failed', cause: error.message });
  }

  /** Asks again, as long as patience lasts, when the cluster does not answer. */
  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    const { patience = 300, every = 1, signal, onNotice } = this.options;
    const began = performance.now();
    for (let told = false; ; told = true) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof RayUnreachableError)) throw error;
        if (performance.now() - began > patience * 1000) {
          throw new KitError(`${error.message} It was asked again for ${patience} seconds.`, {
            fix: 'Jobs that are under way go on without this command; the same command finds them again.',
            cause: error,
          });
        }
        if (!told) onNotice?.(`${error.message} It is asked again for ${patience} seconds.`);
        await pause(Math.max(every, 2) * 1000, signal);
      }
    }
  }

  /** Stops all jobs of this sweep and waits for their checkpoints. */
  async stop(): Promise<void> {
    const names = [...this.placed].map(({ job }) => job!);
    await Promise.allSettled(names.map((name) => this.ray.stop(name)));
    const until = performance.now() + STOP_SECONDS * 1000;
    for (;;) {
      const jobs = await this.ray.jobs().catch(() => new Map<string, RayJob>());
      if (
        performance.now() > until ||
        !names.some((name) => ['PENDING', 'RUNNING'].includes(jobs.get(name)?.status ?? ''))
      )
        return;
      await pause(500);
    }
  }

  /** Lets go of the connections. */
  end(): void {
    for (const run of this.placed) run.unfollow?.();
  }

  records(): RunRecord[] {
    return this.ids.flatMap((id) => (id === undefined ? [] : [this.store.find(id)!]));
  }
}

/** A function that remembers what it gave for each name. */
function remembered<T>(find: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name) => {
    if (!known.has(name)) known.set(name, find(name));
    return known.get(name)!;
  };
}

/** Seconds that a shared folder may take to show what another machine wrote. */
const SHOWN_WITHIN = 30;

async function soon<T>(look: () => T | null, signal?: AbortSignal): Promise<T | null> {
  for (const until = performance.now() + SHOWN_WITHIN * 1000; ;) {
    const found = look();
    if (found !== null || performance.now() > until) return found;
    await pause(500, signal);
  }
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}
