// Makes runs in worker processes of this machine: one process for each slot, replaced when it dies.
import os from 'node:os';
import type { PoolTask } from './messages';
import { filesFor } from './portable';
import { PoolWorker, WorkerLostError } from './pool-process';
import type { PoolRun } from './run-states';
import type { Attempt, AttemptContext, Executor, ScheduleOptions } from './scheduler';
import type { RunStore } from '../store/store';

/** Losses in a row after which a worker is closed. */
const LOSSES = 3;

/** Worker processes; on the CPU they share the cores. */
export class LocalExecutor implements Executor {
  readonly slots: number;
  readonly lossesPerSlot = LOSSES;
  private readonly workers: PoolWorker[];

  /** @param devices GPUs, taken in turn; none: the CPU. */
  constructor(
    private readonly store: RunStore,
    workers: number,
    devices: readonly string[],
    private readonly options: ScheduleOptions,
  ) {
    this.slots = workers;
    const threads = Math.max(1, Math.floor(os.availableParallelism() / workers));
    this.workers = Array.from(
      { length: workers },
      (_, slot) =>
        new PoolWorker({
          device: devices.length > 0 ? devices[slot % devices.length] : null,
          threads,
          signal: options.signal,
        }),
    );
  }

  placeOf(slot: number): Pick<PoolRun, 'worker' | 'device'> {
    return { worker: slot, device: this.workers[slot].device };
  }

  async attempt({ spec }: PoolRun, { slot, wait, onRunning, onNews }: AttemptContext): Promise<Attempt> {
    const { keepWeights = false, checkpointMinutes, tracking } = this.options;
    const worker = this.workers[slot];
    const task: PoolTask = {
      spec,
      runs: this.store.root,
      keepWeights,
      checkpointMinutes,
      tracking,
      device: worker.device,
      busy: wait ? 'wait' : 'throw',
      definitions: filesFor(spec),
    };
    onRunning();
    try {
      const outcome = await worker.run(task, onNews);
      return 'busy' in outcome ? outcome : { record: this.store.find(outcome.id)!, reused: outcome.reused };
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (error instanceof WorkerLostError) return { lost: error, slotGone: error.gone };
      throw error;
    }
  }

  async closeSlot(slot: number): Promise<void> {
    await this.workers[slot].end();
  }
}
