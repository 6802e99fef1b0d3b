// Watches the jobs of a cluster: one request for all of them, again and again, as long as a run waits for one.
import { setTimeout as wait } from 'node:timers/promises';
import { ExecutorLostError } from '../pool/scheduler';
import { RayUnreachableError, type Ray, type RayJob } from './ray';

/** How a cluster is watched. */
export interface WatchOptions {
  /** Seconds between two requests. Default 1. */
  every?: number;
  /** Seconds for which a cluster that does not answer is asked again. Default 300. */
  patience?: number;
  signal?: AbortSignal;
  onNotice?: (text: string) => void;
}

/** The jobs of one cluster. */
export class JobWatcher {
  private asking: Promise<Map<string, RayJob>> | null = null;
  private announced = false;

  constructor(
    private readonly ray: Ray,
    private readonly options: WatchOptions,
  ) {}

  /** The jobs as they are now, or were within the last `every` seconds: requests of several runs become one. */
  jobs(): Promise<Map<string, RayJob>> {
    const { every = 1, signal } = this.options;
    if (this.asking === null) {
      const asking = this.patiently(() => this.ray.jobs(signal));
      const forget = (): void => void setTimeout(() => (this.asking = null), every * 1000).unref();
      this.asking = asking;
      void asking.then(forget, forget);
    }
    return this.asking;
  }

  /** The job `name` when it has ended; null when the cluster does not know it. `onRunning` is called while it runs. */
  async ended(name: string, onRunning: () => void): Promise<RayJob | null> {
    const { every = 1, signal } = this.options;
    for (let missing = 0; ;) {
      const job = (await this.jobs()).get(name);
      // A list that was asked for before the job was submitted does not have it yet.
      if (job === undefined && ++missing > 2) return null;
      if (job?.status === 'RUNNING') onRunning();
      else if (job !== undefined && job.status !== 'PENDING') return job;
      await pause(every * 1000, signal);
    }
  }

  /**
   * Asks again, for `patience` seconds, while the cluster does not answer.
   * @throws ExecutorLostError after that.
   */
  async patiently<T>(ask: () => Promise<T>): Promise<T> {
    const { patience = 300, every = 1, signal, onNotice } = this.options;
    const began = performance.now();
    for (;;) {
      try {
        const answer = await ask();
        this.announced = false;
        return answer;
      } catch (error) {
        if (!(error instanceof RayUnreachableError)) throw error;
        if (performance.now() - began > patience * 1000)
          throw new ExecutorLostError(`${error.message} It was asked again for ${patience} seconds.`, {
            code: 'RAY_UNREACHABLE',
            fix: 'Jobs in progress continue without this command; the same command finds them again.',
            cause: error,
          });
        if (!this.announced) onNotice?.(`${error.message} It is asked again for ${patience} seconds.`);
        this.announced = true;
        await pause(Math.max(every, 2) * 1000, signal);
      }
    }
  }
}

/** Waits. @throws the signal's reason. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}
