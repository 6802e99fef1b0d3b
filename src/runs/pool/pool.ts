// Many runs at once on one machine: worker processes that each take the next run of a list.
import { KitError } from '../../base/errors';
import { stopSignal } from '../../base/notebook-host';
import type { RunSpec } from '../../transfer/spec/spec';
import type { RunRecord } from '../store/record';
import { RunStore } from '../store/store';
import { gpus } from './devices';
import { LocalExecutor } from './local-executor';
import { requireFiles } from './portable';
import { schedule, type ScheduleOptions } from './scheduler';

export type { PoolRun } from './run-states';

/** Options of `runPool`. */
export interface PoolOptions extends ScheduleOptions {
  /** Processes. Default: one for each device. On the CPU the cores are divided among them. */
  workers?: number;
  /**
   * GPUs as CUDA_VISIBLE_DEVICES names them; workers take them in turn. Default: those that this machine and its
   * library have; none: the CPU.
   */
  devices?: readonly string[];
}

/**
 * The records of `specs`, in order, made by `workers` processes at once. The numbers of a run may differ in their last
 * bits from those of another number of workers, as each has its share of the cores.
 * @throws as `schedule`; KitError DEFINITION_WITHOUT_FILE for a definition that exists only in a notebook cell.
 */
export async function runPool(specs: readonly RunSpec[], options: PoolOptions = {}): Promise<RunRecord[]> {
  requireFiles(specs);
  const { devices = gpus() } = options;
  const signal = stopSignal(options.signal); // a notebook's interrupt too
  const workers = Math.min(options.workers ?? Math.max(1, devices.length), Math.max(1, specs.length));
  const store = new RunStore(options.runs);
  const executor = new LocalExecutor(store, workers, devices, { ...options, signal });
  return schedule(specs, executor, store, { ...options, signal });
}

/** @throws KitError DEVICE_UNKNOWN for a GPU that is not there. */
export function requireDevices(names: readonly string[]): void {
  const known = gpus();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new KitError(`There is no GPU ${unknown} on this machine.`, {
      code: 'DEVICE_UNKNOWN',
      fix: known.length > 0 ? `Known: ${known.join(', ')}.` : 'Leave --devices out: runs are made on the CPU.',
    });
}
