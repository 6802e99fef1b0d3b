// The GPUs of this machine that can make runs.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../base/home';

/**
 * The GPUs of this machine, as CUDA_VISIBLE_DEVICES names them; where this variable is set, only those in it. None
 * where the TensorFlow library is the CPU's.
 */
export function gpus(): string[] {
  // The set-up puts NVIDIA's libraries beside TensorFlow's, for a GPU only.
  if (!fs.existsSync(path.join(packageRoot(), 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'deps', 'nvidia')))
    return [];
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined)
    return visible
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && name !== '-1');
  try {
    const answer = execFileSync('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return answer
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^\d+$/.test(line));
  } catch {
    return [];
  }
}
