// The machine under the benchmarks: what it is, and whether anything else works on it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';

/** What a result says of its machine; no name of a host, no path. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  platform: string;
  /** Name of the first NVIDIA GPU; null without one. */
  gpu: string | null;
}

/** Another's share of a core above which a machine is not quiet. */
export const QUIET_SHARE = 0.1;

/** This machine. */
export function machine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch} ${os.release()}`,
    gpu: gpuName(),
  };
}

function gpuName(): string | null {
  try {
    return (
      execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .split('\n')[0]
        .trim() || null
    );
  } catch {
    return null;
  }
}

/** For the name of a file: the processor, its cores, the GPU. */
export const machineSlug = ({ cpu, cores, gpu }: Machine): string =>
  [cpu, `${cores} cores`, gpu ?? '']
    .join(' ')
    .toLowerCase()
    .replace(/\(r\)|\(tm\)/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** Linux counts the time of processes in hundredths of a second, whatever its own clock (proc(5), USER_HZ). */
const TICK = 0.01;

/**
 * Seconds of work of all cores since the start, as `/proc/stat` counts them: user, nice, system, irq, softirq, and what
 * a hypervisor took (steal).
 */
export function busySeconds(stat: string): number {
  const [user, nice, system, , , irq, softirq, steal = 0] = /^cpu +(.*)$/m.exec(stat)![1].split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK;
}

/**
 * Seconds of work of one process, its threads and the children that it has waited for, as `/proc/PID/stat` counts them.
 */
export function workSeconds(stat: string): number {
  // the name before may hold spaces; the first field after it is the third
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK;
}

const read = (file: string): string | null => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};

/**
 * Counts the work of others from now on: the function that it gives says how many cores they kept busy meanwhile; null
 * where there is no /proc.
 */
export function watchOthers(own: readonly number[] = []): () => number | null {
  const now = (): number | null => {
    const all = read('/proc/stat');
    if (all === null) return null;
    return [process.pid, ...own].reduce(
      (rest, pid) => rest - workSeconds(read(`/proc/${pid}/stat`) ?? ') 0'),
      busySeconds(all),
    );
  };
  const [before, began] = [now(), performance.now()];
  return () => {
    const after = now();
    return before === null || after === null
      ? null
      : Math.max(0, (after - before) / ((performance.now() - began) / 1000));
  };
}

/** How many cores others keep busy, over a second; null where nobody can say. */
export async function othersNow(): Promise<number | null> {
  const others = watchOthers();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return others();
}

/** Whether `share`, cores kept busy by others, leaves a measurement alone. What is not known is not called quiet. */
export const isQuiet = (share: number | null): boolean => share !== null && share < QUIET_SHARE;
