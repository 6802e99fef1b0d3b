// The environment of a run as it is recorded: versions, machine, commit, settings.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { internals } from '../../../engine/binding';
import { kitVersion, packageRoot } from '../../../base/home';
import { tf } from '../../../engine/tensorflow';
import { recordedFlags } from './flags';
import type { RunEnvironment } from '../record';

/** The environment of this process. */
export function environment(): RunEnvironment {
  const { binding } = internals();
  return {
    kit: kitVersion(),
    node: process.version,
    tfjs: tf.version.tfjs,
    tensorflow: binding.TF_Version,
    device: binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
    gpu: binding.isUsingGpuDevice() ? gpu() : null,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    ...commit(),
    flags: recordedFlags(process.env),
  };
}

/** The first GPU that this process sees. */
function gpu(): NonNullable<RunEnvironment['gpu']> {
  const ask = (...args: string[]): string => {
    try {
      return execFileSync('nvidia-smi', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return '';
    }
  };
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(',')[0];
  const [name, driver] = ask(
    ...(visible ? ['-i', visible] : []),
    '--query-gpu=name,driver_version',
    '--format=csv,noheader',
  )
    .split('\n')[0]
    .split(', ');
  return {
    name: name || 'unknown',
    driver: driver ?? 'unknown',
    cuda: /CUDA Version: ([\d.]+)/.exec(ask())?.[1] ?? 'unknown',
  };
}

let freeAtFirst: number | undefined;

/**
 * Free bytes of the GPU that this process computes on, at the first call: later, TensorFlow keeps the memory that it
 * once took. Undefined on the CPU, and where nvidia-smi does not answer.
 */
export function freeGpuMemory(): number | undefined {
  if (!internals().binding.isUsingGpuDevice()) return undefined;
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(',')[0] || '0';
  try {
    const answer = execFileSync(
      'nvidia-smi',
      ['-i', visible, '--query-gpu=memory.free', '--format=csv,noheader,nounits'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const mebibytes = Number.parseInt(answer, 10);
    freeAtFirst ??= Number.isNaN(mebibytes) ? undefined : mebibytes * 2 ** 20;
  } catch {
    // no such tool: TensorFlow reports a full memory itself
  }
  return freeAtFirst;
}

let ownCommit: string | null | undefined;

/** The kit's own commit, read once; null where it is not in a repository of its own. */
export const kitCommit = (): string | null => (ownCommit ??= commit().gitCommit);

/** The kit's own commit; null where it is not in a repository of its own. */
function commit(): Pick<RunEnvironment, 'gitCommit' | 'gitDirty'> {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: packageRoot(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    if (!fs.existsSync(path.join(packageRoot(), '.git'))) return { gitCommit: null, gitDirty: null };
    return { gitCommit: git('rev-parse', 'HEAD'), gitDirty: git('status', '--porcelain') !== '' };
  } catch {
    return { gitCommit: null, gitDirty: null };
  }
}
