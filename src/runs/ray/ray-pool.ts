// Many runs at once on a Ray cluster, one job a run.
import path from 'node:path';
import { stopSignal } from '../../base/notebook-host';
import type { RunSpec } from '../../transfer/spec';
import { schedule, type ScheduleOptions } from '../pool/scheduler';
import type { RunRecord } from '../store/record';
import { RunStore } from '../store/store';
import { Ray, TESTED_RAY } from './ray';
import { RayExecutor } from './ray-executor';

/** Options of `runOnRay`: those of every pool, and those of the cluster. */
export interface RayPoolOptions extends ScheduleOptions {
  /** The address of the cluster's dashboard, for example `http://127.0.0.1:8265`. */
  url: string;
  /** CPUs of a run, and threads of its TensorFlow. Default 2. */
  cpus?: number;
  /** GPUs of a run. Default: 1 when a node of the cluster has one, else 0. */
  gpus?: number;
  /** Bytes of memory that are reserved for a run. Default: none. */
  memory?: number;
  /** Jobs that are submitted at once; those that find no place wait in Ray's own queue. Default 64. */
  jobs?: number;
  /** Where the kit is on the nodes. Default: the same path as here. */
  kit?: string;
  /** Node.js on the nodes. Default `node`. */
  node?: string;
  /** When stopped, leave the jobs to the cluster. Default: they write a checkpoint and stop. */
  leave?: boolean;
  /** Seconds between two requests for the list of jobs. Default 1. */
  every?: number;
  /** Seconds for which a cluster that does not answer is asked again. Default 300. */
  patience?: number;
}

/**
 * The records of `specs`, in order, made by a Ray cluster. All nodes and this machine must see the kit's home and the
 * folder of the runs under the same paths. Records, checkpoints and journals are those of local runs. Jobs are named by
 * their run, so that the next command finds those that are in progress.
 * @throws as `schedule`; KitError when there is no cluster (see `Ray.connect`), or it does not answer for `patience`.
 */
export async function runOnRay(specs: readonly RunSpec[], given: RayPoolOptions): Promise<RunRecord[]> {
  const options = { ...given, signal: stopSignal(given.signal) }; // a notebook's interrupt too
  const { signal, onNotice, cpus = 2, memory = 0 } = options;
  const ray = await Ray.connect(options.url, signal);
  if (ray.version !== TESTED_RAY) onNotice?.(`This is Ray ${ray.version}; the kit was tested with ${TESTED_RAY}.`);
  const store = new RunStore(path.resolve(new RunStore(options.runs).root));
  store.requireRoom();
  const nodes = await ray.nodes(signal);
  const gpus = options.gpus ?? (nodes.some((node) => node.gpus > 0) ? 1 : 0);
  if (!nodes.some((node) => node.cpus >= cpus && node.gpus >= gpus && node.memory >= memory)) {
    const wanted = `${cpus} CPUs, ${gpus} GPUs${memory > 0 ? ` and ${(memory / 1e9).toFixed(1)} GB` : ''}`;
    onNotice?.(`No node of the cluster has the ${wanted} of a run: the jobs wait until one joins.`);
  }
  const executor = new RayExecutor(ray, store, specs.length, gpus, options);
  try {
    return await schedule(specs, executor, store, options);
  } catch (error) {
    if (signal?.aborted && options.leave !== true) await executor.stop();
    throw error;
  }
}
