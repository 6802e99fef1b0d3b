// Identifies where process ids mean something: one boot of one machine, and one PID namespace (container).
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';

function read(look: () => string): string {
  try {
    return look().trim();
  } catch {
    return '';
  }
}

let id: string | undefined;

/** Host name, boot and PID namespace in one text; off Linux the host name alone. */
export function machineId(): string {
  id ??= [
    os.hostname(),
    read(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    read(() => fs.readlinkSync('/proc/self/ns/pid')),
  ]
    .join(' ')
    .trim();
  return id;
}

/**
 * Whether `machineId` names boot and container. Where it does not, on Linux without /proc, two containers of one host
 * name have the same id, and their process ids cannot be compared.
 */
export const namesContainer = (): boolean => process.platform !== 'linux' || / \S+ pid:\[\d+\]$/.test(machineId());

/** `machineId` as a short word for file names. */
export const machineKey = (): string => createHash('sha256').update(machineId()).digest('hex').slice(0, 12);
