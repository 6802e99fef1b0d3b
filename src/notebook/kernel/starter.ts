// The process that started the kernel: without it nobody could end the kernel, which therefore ends with it.
import fs from 'node:fs';
import path from 'node:path';
import { isAlive } from '../../base/files/atomic';

/** Variable with the process id of the runner that started the kernel; Jupyter has one of its own. */
export const STARTER = 'RIFLE_KERNEL_STARTER';

/** The process that started this one. */
export interface Starter {
  /** Whether it has ended. */
  isGone(): boolean;
  /** Removes the folder that the runner made for this kernel and cannot remove any more. */
  cleanUp(): void;
}

/** @param file the connection file, in a folder of its own when the runner made it. */
export function starterOf(file: string): Starter {
  const runner = process.env[STARTER];
  const known = Number(runner ?? process.env.JPY_PARENT_PID ?? NaN);
  // The runner may have ended before this process first looked: then the parent is another one from the beginning.
  const parent = runner === undefined ? process.ppid : known;
  return {
    isGone: () => process.ppid !== parent || (known > 1 && !isAlive(known)),
    cleanUp: () => {
      if (runner !== undefined) fs.rmSync(path.dirname(file), { recursive: true, force: true });
    },
  };
}
