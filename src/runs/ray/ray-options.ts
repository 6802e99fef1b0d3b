// The options of a pool on a Ray cluster.
import type { ScheduleOptions } from '../pool/scheduler';

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
