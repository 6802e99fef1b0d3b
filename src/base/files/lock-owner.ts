// The owner of a lock: which process it is, and whether that process lives.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { z } from 'zod';
import { machineId, namesContainer } from './machine';

/** Who holds a lock. */
export interface LockOwner {
  host: string;
  pid: number;
  /**
   * Differs between machines of one name, boots of one machine, and containers: process ids can be compared only where
   * it is the same. Empty where the system does not say in which container a process is.
   */
  machine: string;
  /**
   * When the process started, in the kernel's own count since boot; null where that cannot be told. Tells apart
   * processes of one id.
   */
  processStart: string | null;
  token: string;
  /** For people: no decision is made by it. */
  takenAt: string;
}

const ownerSchema = z.object({
  host: z.string().max(1024),
  pid: z.number().int().positive(),
  machine: z.string().max(1024),
  processStart: z.string().max(64).nullable(),
  token: z.string().max(128),
  takenAt: z.string().max(64),
});

/** The owner in a lock file; null where the file cannot be read or is not of its form. */
export function readOwner(file: string): LockOwner | null {
  try {
    const { size } = fs.statSync(file);
    return size > 65_536 ? null : (ownerSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8'))).data ?? null);
  } catch {
    return null; // gone meanwhile, not readable now, or cut short by a power failure
  }
}

/** This process as the owner of a new lock. */
export const thisProcess = (): LockOwner => ({
  host: os.hostname(),
  pid: process.pid,
  machine: namesContainer() ? machineId() : '',
  processStart: startOf(process.pid),
  token: randomUUID(),
  takenAt: new Date().toISOString(),
});

/**
 * `unknown` where process ids do not decide: on another machine, in another container, or where a process's start is
 * not known.
 */
export function lifeOf(owner: LockOwner): 'alive' | 'dead' | 'unknown' {
  if (owner.machine === '' || owner.machine !== machineId()) return 'unknown';
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'dead';
  }
  const start = startOf(owner.pid);
  if (start === null || owner.processStart === null) return 'unknown';
  return start === owner.processStart ? 'alive' : 'dead';
}

/** When a process started (proc(5), /proc/PID/stat, field 22); null off Linux. A zombie has ended. */
function startOf(pid: number): string | null {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!.split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
  } catch {
    return null;
  }
}
