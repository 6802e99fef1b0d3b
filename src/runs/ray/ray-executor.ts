// Makes runs on a Ray cluster, one job a run: submits it, follows its log, and decides what its end means.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { backbones } from '../../backbones/backbone';
import { KitError } from '../../base/errors';
import { datasets } from '../../data/catalog';
import type { Dataset } from '../../data/dataset';
import { parseRunSpec } from '../../transfer/spec/spec';
import { finishedRun } from '../finetune';
import { identifyRun } from '../identify';
import type { PoolTask } from '../pool/messages';
import { filesFor } from '../pool/portable';
import type { PoolRun } from '../pool/run-states';
import type { Attempt, AttemptContext, Executor } from '../pool/scheduler';
import type { RunRecord } from '../store/record';
import type { RunStore } from '../store/store';
import { JobWatcher, pause } from './job-watcher';
import type { Ray, RayJob } from './ray';
import { JobLog, outcomeOf } from './ray-log';
import type { RayPoolOptions } from './ray-options';
import { causeOf, entrypointOf, environmentOf, STOP_SECONDS, withWholePaths } from './ray-request';

/** Endings of a job that another node would not change. */
const HOPELESS = new Set(['RUNTIME_ENV_SETUP_FAILURE', 'JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE']);

/** Seconds that a shared folder may take to show what another machine wrote. */
const SHOWN_WITHIN = 30;

/** Jobs on a cluster. A job is named by its run, so that a later command finds the jobs of an earlier one. */
export class RayExecutor implements Executor {
  readonly slots: number;
  /** A job may run on any node: no slot is worn out. */
  readonly lossesPerSlot = Infinity;
  private readonly watcher: JobWatcher;
  private readonly inProgress = new Set<string>();
  private readonly dataset: (name: string) => Promise<Dataset>;
  private readonly hashes: (key: string) => Promise<string>;
  private readonly fetched: (id: string) => Promise<unknown>;

  /** @param gpus of a run. */
  constructor(
    private readonly ray: Ray,
    private readonly store: RunStore,
    runs: number,
    private readonly gpus: number,
    private readonly options: RayPoolOptions,
  ) {
    const { jobs = 64, onProgress, signal } = options;
    this.slots = Math.max(1, Math.min(jobs, runs));
    this.watcher = new JobWatcher(ray, options);
    this.dataset = remembered((name) => datasets.load(name, { onProgress, signal }));
    this.hashes = remembered((key) =>
      backbones.weightsHash(...(JSON.parse(key) as Parameters<typeof backbones.weightsHash>)),
    );
    this.fetched = remembered((id) => backbones.fetch(id, { onProgress, signal }));
  }

  placeOf(): Pick<PoolRun, 'worker' | 'device'> {
    return { worker: null, device: null };
  }

  async attempt(run: PoolRun, { onRunning, onNews }: AttemptContext): Promise<Attempt> {
    const { keepWeights = false, checkpointMinutes, tracking, signal } = this.options;
    const spec = withWholePaths(parseRunSpec(run.spec));
    const { id } = await identifyRun(spec, {
      dataset: this.dataset,
      weightsHash: (backbone, { weights, seed } = {}) =>
        this.hashes(JSON.stringify([backbone, { weights, seed: weights === 'random' ? seed : 0 }])),
    });
    const known = finishedRun(this.store, id, keepWeights);
    if (known !== null) return { record: known, reused: true };
    if (spec.weights === 'imagenet') await this.fetched(spec.backbone); // once, here: the nodes share the folder
    const task: PoolTask = {
      spec,
      runs: this.store.root,
      keepWeights,
      checkpointMinutes,
      tracking,
      device: this.gpus > 0 ? 'of this job' : null,
      busy: 'wait',
      definitions: filesFor(spec),
    };
    const name = await this.submit(run, id, task);
    const log = new JobLog(onNews);
    let unfollow: (() => void) | null = null;
    let isRunning = false;
    this.inProgress.add(name);
    try {
      const job = await this.watcher.ended(name, () => {
        if (!isRunning) onRunning();
        isRunning = true;
        if (unfollow !== null) return;
        log.restart();
        unfollow = this.ray.follow(
          name,
          (text) => log.take(text),
          () => (unfollow = null),
        );
      });
      this.inProgress.delete(name);
      return await this.ending(run, id, name, job);
    } finally {
      (unfollow as (() => void) | null)?.();
      signal?.throwIfAborted();
    }
  }

  /** Submits a job, unless one of the run is in progress. @returns its name. */
  private async submit({ spec, title }: PoolRun, id: string, task: PoolTask): Promise<string> {
    const { cpus = 2, memory = null, signal } = this.options;
    const prefix = `rifle-${id}-${createHash('sha256').update(this.store.root).digest('hex').slice(0, 6)}-`;
    const jobs = await this.watcher.patiently(() => this.ray.jobs(signal));
    const last = Math.max(
      0,
      ...[...jobs.keys()]
        .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
        .map((name) => Number(name.slice(prefix.length))),
    );
    const status = jobs.get(`${prefix}${last}`)?.status;
    if (status === 'PENDING' || status === 'RUNNING') return `${prefix}${last}`;
    const name = `${prefix}${last + 1}`;
    const metadata = {
      rifle: 'run',
      title,
      dataset: path.basename(spec.dataset),
      backbone: spec.backbone,
      runs: this.store.root,
    };
    const entrypoint = entrypointOf(this.options);
    const env = environmentOf(task, cpus);
    await this.watcher.patiently(() =>
      this.ray.submit({ id: name, entrypoint, env, cpus, gpus: this.gpus, memory, metadata }, signal),
    );
    return name;
  }

  /** What becomes of a run whose job has ended, or is no longer known. @throws KitError where it failed for good. */
  private async ending(run: PoolRun, id: string, name: string, job: RayJob | null): Promise<Attempt> {
    const { signal, keepWeights = false } = this.options;
    const { outcome, lastLine } =
      job === null
        ? { outcome: null, lastLine: '' }
        : outcomeOf(await this.watcher.patiently(() => this.ray.logs(name, signal)));
    if (outcome !== null && 'id' in outcome) {
      const record = await this.appears(() => finishedRun(this.store, id, keepWeights));
      if (record !== null) return { record, reused: outcome.reused };
      if (outcome.id !== id || this.store.find(id) === null)
        throw new KitError(
          `The job ${name} made the run ${outcome.id}, but there is no record of ${id} in ${this.store.root} here.`,
          {
            code: 'RAY_FOLDER_NOT_SHARED',
            fix:
              'The folder of the runs and the data must be the same on all nodes and here: ' +
              'a shared folder under one path (--runs, RIFLE_HOME).',
          },
        );
    }
    if (outcome !== null && 'error' in outcome && !outcome.error.fatal) {
      const { message, code, fix } = outcome.error;
      throw new KitError(message, { code: code ?? 'RUN_FAILED', fix });
    }
    if (job?.status === 'STOPPED')
      throw new KitError(`The job ${name} was stopped on the cluster.`, {
        code: 'RAY_JOB_STOPPED',
        fix: 'The same command resumes the run from its checkpoint.',
      });
    const why = causeOf(job, outcome !== null && 'error' in outcome ? outcome.error.message : lastLine);
    const lost = (message: string, code: string, fix: string): KitError => new KitError(message, { code, fix });
    if (job?.error_type === 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT')
      return {
        lost: lost(`The job ${name} found no place on the cluster in time.`, 'RAY_NO_PLACE', ''),
        retry: 'free',
      };
    // Node or the kit is not where the entry point looks for them: another try would not find them either.
    const isMisplaced =
      job?.driver_exit_code === 127 || job?.driver_exit_code === 126 || /Cannot find module/.test(job?.message ?? '');
    if (isMisplaced)
      throw lost(
        `The job ${name} did not start: ${why}.`,
        'RAY_JOB_NOT_STARTED',
        `On the nodes there must be Node.js and the built kit: \`${entrypointOf(this.options)}\`; ` +
          'see --ray-node and --ray-kit.',
      );
    const ended = lost(
      `The job ${name} of the run ${run.title} ended: ${why}.`,
      'RAY_JOB_LOST',
      `\`ray job logs ${name}\` shows what it printed.`,
    );
    if (HOPELESS.has(job?.error_type ?? '')) throw ended;
    return { lost: ended };
  }

  /** The record, when the shared folder shows it in time. */
  private async appears(look: () => RunRecord | null): Promise<RunRecord | null> {
    for (const until = performance.now() + SHOWN_WITHIN * 1000; ;) {
      const found = look();
      if (found !== null || performance.now() > until) return found;
      await pause(500, this.options.signal);
    }
  }

  async closeSlot(): Promise<void> {
    // a slot holds nothing
  }

  /** Stops all jobs of this command and waits for their checkpoints. */
  async stop(): Promise<void> {
    const names = [...this.inProgress];
    await Promise.allSettled(names.map((name) => this.ray.stop(name)));
    const until = performance.now() + STOP_SECONDS * 1000;
    for (;;) {
      const jobs = await this.ray.jobs().catch(() => new Map<string, RayJob>());
      const isActive = (name: string): boolean => ['PENDING', 'RUNNING'].includes(jobs.get(name)?.status ?? '');
      if (performance.now() > until || !names.some(isActive)) return;
      await pause(500);
    }
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
