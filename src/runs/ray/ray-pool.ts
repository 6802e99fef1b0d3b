// Many runs at once on a Ray cluster, one job a run.
import path from 'node:path';
import { stopSignal } from '../../base/notebook-host';
import type { RunSpec } from '../../transfer/spec/spec';
import { requireFiles } from '../pool/portable';
import { schedule } from '../pool/scheduler';
import type { RunRecord } from '../store/record';
import { RunStore } from '../store/store';
import { Ray, TESTED_RAY } from './ray';
import { RayExecutor } from './ray-executor';
import type { RayPoolOptions } from './ray-options';

export type { RayPoolOptions };

/**
 * The records of `specs`, in order, made by a Ray cluster. All nodes and this machine must see the kit's home and the
 * folder of the runs under the same paths. Records, checkpoints and journals are those of local runs. Jobs are named by
 * their run, so that the next command finds those that are in progress.
 * @throws as `schedule`; KitError DEFINITION_WITHOUT_FILE for a definition that exists only in a cell; KitError
 *   when there is no cluster (see `Ray.connect`), or it does not answer for `patience`.
 */
export async function runOnRay(specs: readonly RunSpec[], given: RayPoolOptions): Promise<RunRecord[]> {
  requireFiles(specs);
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
