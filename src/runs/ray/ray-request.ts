// A run as a job of Ray: its command, its environment, and why it ended.
import fs from 'node:fs';
import path from 'node:path';
import { datasets } from '../../data/catalog';
import { publicAddress } from '../../base/address';
import { kitHome, packageRoot } from '../../base/home';
import type { RunSpec } from '../../transfer/spec/spec';
import type { PoolTask } from '../pool/messages';
import { recordedFlags } from '../store/format/flags';
import type { RayJob } from './ray';

/** Seconds that a job may take for its checkpoint when it is stopped. */
export const STOP_SECONDS = 120;

/** Why a job ended, in one line. */
export function causeOf(job: RayJob | null, lastLine: string): string {
  if (job === null) return 'the cluster no longer knows it';
  const { driver_exit_code: code, message, error_type: type } = job;
  if (code != null && code < 0)
    return `killed by signal ${-code}${code === -9 ? ', perhaps because memory was short (--ray-memory)' : ''}`;
  if (code != null) return `code ${code}${lastLine === '' ? '' : `, ${lastLine}`}`;
  return `${type ?? job.status}${message ? `, ${message.split('\n')[0].slice(0, 200)}` : ''}`;
}

/**
 * The environment of a job: the settings of TensorFlow of this process, as a local worker would inherit them, and the
 * task. The cluster shows it to everybody: the address of MLflow goes without user, password and query.
 */
export function environmentOf(task: PoolTask, cpus: number): Record<string, string> {
  const threads = String(Math.max(1, Math.floor(cpus)));
  const tracking = task.tracking && {
    ...task.tracking,
    mlflow: task.tracking.mlflow === undefined ? undefined : publicAddress(task.tracking.mlflow),
  };
  return {
    TF_NUM_INTRAOP_THREADS: threads,
    TF_NUM_INTEROP_THREADS: threads,
    ...recordedFlags(process.env),
    RIFLE_HOME: kitHome(),
    RIFLE_RAY_TASK: JSON.stringify({ ...task, tracking }),
    // Read by the job's supervisor; its default of 3 s is short for a checkpoint.
    RAY_JOB_STOP_WAIT_TIME_S: String(STOP_SECONDS),
  };
}

/** Paths in full: a job works in another folder. */
export function withWholePaths(spec: RunSpec): RunSpec {
  const isNamed = datasets.list().some(({ name }) => name === spec.dataset);
  return {
    ...spec,
    dataset: isNamed ? spec.dataset : path.resolve(spec.dataset),
    weights:
      spec.weights === 'imagenet' || spec.weights === 'random' || !fs.existsSync(spec.weights)
        ? spec.weights
        : path.resolve(spec.weights),
  };
}

/** The command of a job. @param options Node.js and the kit as they are on the nodes. */
export const entrypointOf = ({ node = 'node', kit = packageRoot() }: { node?: string; kit?: string }): string =>
  `exec ${quoted(node)} ${quoted(path.posix.join(kit, 'dist', 'src', 'runs', 'ray', 'ray-job.js'))}`;

const quoted = (text: string): string => (/^[\w./@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
