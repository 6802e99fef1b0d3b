// The lock of a run: one process at a time makes it; that of a process that has died is taken over.
// Own code: proper-lockfile (4.1.2, the last of 2021) judges by the age of a file, which a clock that jumps makes old
// or young, and names no owner.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { KitError } from '../errors';
import { explainWriteError } from './atomic';
import { machineId } from './machine';

/** Who holds a lock. */
export interface LockOwner {
  host: string;
  pid: number;
  /**
   * Tells apart machines of one name, boots of one machine, and containers: process ids mean something only where it is
   * the same.
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

/** The run is in progress in another process. */
export class RunBusyError extends KitError {
  constructor(
    readonly owner: LockOwner | null,
    folder: string,
  ) {
    super(
      `The run ${path.basename(folder)} is in progress in ` +
        `${owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`}.`,
      { code: 'RUN_BUSY', fix: 'Wait until it has finished, or stop that process.' },
    );
  }
}

/** How a lock is taken. Times in milliseconds. */
export interface LockOptions {
  signal?: AbortSignal;
  /** Whether to wait for a living owner; else RunBusyError is thrown. Default true. */
  wait?: boolean;
  /** Called once for each owner that is waited for. */
  onWait?: (owner: LockOwner | null) => void;
  /** Between two looks. Default 1000. */
  every?: number;
  /**
   * An owner on another machine is dead when its heart has not beaten for so long, by our own steady clock. Default
   * 60,000.
   */
  deadAfter?: number;
  /** Between two beats. Default 5000. */
  beatEvery?: number;
}

/** A lock file as found. */
interface Found {
  name: string;
  generation: number;
  owner: LockOwner | null;
  /** Its modification time: a heartbeat changes it. It is compared with itself alone, never with a clock. */
  beat: number;
}

/**
 * A lock file is named `lock.<generation>` and appears whole, by a hard link that fails where the name is taken. A
 * process that finds no living owner makes the next generation, then looks again. When another living owner is
 * there, it deletes its own file. So of any two processes at least the later one sees the other.
 */
export class RunLock {
  private constructor(
    private readonly folder: string,
    private readonly file: string,
    private readonly owner: LockOwner,
    private readonly heart: Worker,
    /** The dead process whose lock was taken over; null when there was none. */
    readonly takenFrom: LockOwner | null,
  ) {}

  /**
   * Takes the lock of the run in `folder`, which is made. @throws RunBusyError when it may not wait; the signal's
   * reason.
   */
  static async take(folder: string, options: LockOptions = {}): Promise<RunLock> {
    const { signal, wait = true, onWait, every = 1000, deadAfter = 60_000, beatEvery = 5000 } = options;
    const seen = new Map<string, { beat: number; since: number }>();
    const told = new Set<string | null>();
    makeFolder(folder);
    const isDead = (found: Found): boolean => {
      const verdict = found.owner === null ? 'unknown' : lifeOf(found.owner);
      if (verdict !== 'unknown') return verdict === 'dead';
      const before = seen.get(found.name);
      if (before?.beat !== found.beat) seen.set(found.name, { beat: found.beat, since: performance.now() });
      else if (performance.now() - before.since >= deadAfter) return true;
      return false;
    };
    for (;;) {
      signal?.throwIfAborted();
      const others = locksIn(folder);
      const living = others.find((found) => !isDead(found));
      if (living === undefined) {
        const generation = 1 + Math.max(0, ...others.map((found) => found.generation));
        const file = path.join(folder, `lock.${generation}`);
        const owner = myself();
        if (create(file, owner)) {
          const rivals = locksIn(folder).filter((found) => found.owner?.token !== owner.token);
          if (rivals.every((found) => found.generation < generation && isDead(found))) {
            for (const { name } of rivals) fs.rmSync(path.join(folder, name), { force: true });
            return new RunLock(folder, file, owner, beat(file, beatEvery), rivals.at(-1)?.owner ?? null);
          }
          fs.rmSync(file, { force: true });
        }
        await pause(Math.random() * 50, signal);
        continue;
      }
      if (!wait) throw new RunBusyError(living.owner, folder);
      const token = living.owner?.token ?? null;
      if (!told.has(token)) onWait?.(living.owner);
      told.add(token);
      await pause(every, signal);
    }
  }

  /**
   * @throws KitError when another process has taken the lock over, because this one seemed dead: then nothing may be
   * written any more.
   */
  requireHeld(): void {
    const newest = locksIn(this.folder).at(-1);
    if (newest?.owner?.token === this.owner.token) return;
    const who = newest?.owner
      ? `process ${newest.owner.pid} on ${newest.owner.host} has taken it`
      : `the lock ${this.file} was deleted`;
    throw new KitError(`This process has lost its lock on the run ${path.basename(this.folder)}: ${who}.`, {
      code: 'RUN_LOCK_LOST',
      fix: 'This process was unresponsive for too long. Start the run again to resume it.',
    });
  }

  /** Releases the lock. */
  async release(): Promise<void> {
    await this.heart.terminate();
    if (locksIn(this.folder).some(({ owner }) => owner?.token === this.owner.token))
      fs.rmSync(this.file, { force: true });
  }
}

/**
 * Who makes the run in `folder` now; null when nobody does, as far as can be told at once: an owner on another machine
 * counts as living.
 */
export function ownerOf(folder: string): LockOwner | null {
  return locksIn(folder).find(({ owner }) => owner !== null && lifeOf(owner) !== 'dead')?.owner ?? null;
}

/** @throws KitError when the disk is full or the folder cannot be written. */
function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw explainWriteError(error, path.dirname(folder));
  }
}

/** The lock files of a run, by generation. */
function locksIn(folder: string): Found[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .flatMap((name): Found[] => {
      const [, generation] = /^lock\.(\d{1,9})$/.exec(name) ?? [];
      if (generation === undefined) return [];
      const file = path.join(folder, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat === undefined
        ? []
        : [{ name, generation: Number(generation), owner: readOwner(file), beat: stat.mtimeMs }];
    })
    .sort((a, b) => a.generation - b.generation);
}

function readOwner(file: string): LockOwner | null {
  try {
    const owner = JSON.parse(fs.readFileSync(file, 'utf8')) as LockOwner;
    return typeof owner.pid === 'number' && typeof owner.token === 'string' ? owner : null;
  } catch {
    return null; // gone meanwhile, or cut short by a power failure
  }
}

/** Makes the file whole, or not at all. @returns false when it is there already. */
function create(file: string, owner: LockOwner): boolean {
  const text = `${JSON.stringify(owner)}\n`;
  const beside = `${file}.partial-${owner.token}`;
  try {
    fs.writeFileSync(beside, text);
    fs.linkSync(beside, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw explainWriteError(error, path.dirname(file));
  } finally {
    fs.rmSync(beside, { force: true });
  }
  try {
    fs.writeFileSync(file, text, { flag: 'wx' }); // a file system without hard links
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw explainWriteError(error, path.dirname(file));
  }
}

/** A thread that shows that this process lives, also while the main thread computes. */
function beat(file: string, every: number): Worker {
  const heart = new Worker(path.join(__dirname, 'lock-heart.js'), { workerData: { file, every }, execArgv: [] });
  heart.unref();
  return heart;
}

const myself = (): LockOwner => ({
  host: os.hostname(),
  pid: process.pid,
  machine: machineId(),
  processStart: startOf(process.pid),
  token: randomUUID(),
  takenAt: new Date().toISOString(),
});

/** `unknown` where process ids cannot tell: on another machine, or where a process's start is not known. */
function lifeOf(owner: LockOwner): 'alive' | 'dead' | 'unknown' {
  if (owner.machine !== machineId()) return 'unknown';
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

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    signal?.addEventListener('abort', over);
  });
  signal?.throwIfAborted();
}
