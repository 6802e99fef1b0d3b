// The lock of a run: one process at a time makes it; the lock of a process that has died is taken over.
// Own code: proper-lockfile (4.1.2, the last of 2021) judges by the age of a file, which a clock that jumps makes old
// or young, and names no owner.
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { errnoOf, KitError } from '../errors';
import { lifeOf, readOwner, thisProcess, type LockOwner } from './lock-owner';

export type { LockOwner };

/** The run is being made by another process that lives. */
export class RunBusyError extends KitError {
  constructor(
    readonly owner: LockOwner | null,
    folder: string,
  ) {
    const who = owner === null ? 'Another process' : `Process ${owner.pid} on ${owner.host}`;
    super(`${who} is making the run ${path.basename(folder)}.`, {
      code: 'RUN_BUSY',
      fix: 'Wait for it, or stop that process.',
    });
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
   * An owner on another machine counts as dead when its lock file was not touched for so long, by our own steady
   * clock. Default 60,000.
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
 * process that finds no living owner makes the next generation, then looks again: when there is another living one, it
 * removes its own. So of any two processes at least the later one sees the other.
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
   * Takes the lock of the run in `folder`, which is made.
   * @throws RunBusyError when it may not wait; KitError LOCK_NOT_MADE when the disk refuses; the signal's reason.
   */
  static async take(folder: string, options: LockOptions = {}): Promise<RunLock> {
    try {
      return await RunLock.acquire(folder, options);
    } catch (cause) {
      if (cause instanceof KitError || errnoOf(cause) === undefined) throw cause;
      throw notMade(folder, cause);
    }
  }

  private static async acquire(folder: string, options: LockOptions): Promise<RunLock> {
    const { signal, wait = true, onWait, every = 1000, deadAfter = 60_000, beatEvery = 5000 } = options;
    const seen = new Map<string, { beat: number; since: number }>();
    const announced = new Set<string | null>();
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
      fs.mkdirSync(folder, { recursive: true }); // it may be removed while we wait
      const others = locksIn(folder);
      const living = others.find((found) => !isDead(found));
      if (living === undefined) {
        const generation = 1 + Math.max(0, ...others.map((found) => found.generation));
        const file = path.join(folder, `lock.${generation}`);
        const owner = thisProcess();
        if (create(file, owner)) {
          const rivals = locksIn(folder).filter((found) => found.owner?.token !== owner.token);
          if (rivals.every((found) => found.generation < generation && isDead(found))) {
            for (const { name } of rivals) fs.rmSync(path.join(folder, name), { force: true });
            removePartials(folder);
            return new RunLock(folder, file, owner, beat(file, beatEvery), rivals.at(-1)?.owner ?? null);
          }
          fs.rmSync(file, { force: true });
        }
        await pause(Math.random() * 50, signal);
        continue;
      }
      if (!wait) throw new RunBusyError(living.owner, folder);
      const token = living.owner?.token ?? null;
      if (!announced.has(token)) onWait?.(living.owner);
      announced.add(token);
      await pause(every, signal);
    }
  }

  /**
   * @throws KitError RUN_LOCK_LOST when another process has taken the lock over, because this one seemed dead: then
   *   nothing may be written any more. A lock file that cannot be read for a moment is not lost.
   */
  requireHeld(): void {
    let newest: Found | undefined;
    try {
      newest = locksIn(this.folder).at(-1);
    } catch {
      return; // the disk refuses: a take-over, which has to write there, is not possible either
    }
    if (newest?.owner?.token === this.owner.token) return;
    if (newest?.name === path.basename(this.file) && newest.owner === null) return; // ours, and not readable now
    const why = newest?.owner
      ? `process ${newest.owner.pid} on ${newest.owner.host} has taken over its lock`
      : `its lock ${this.file} is gone`;
    throw new KitError(`This process no longer holds the run ${path.basename(this.folder)}: ${why}.`, {
      code: 'RUN_LOCK_LOST',
      fix: 'This process was unresponsive and lost its lock on the run. Start the run again to resume it.',
    });
  }

  /** Releases the lock. */
  async release(): Promise<void> {
    await this.heart.terminate();
    try {
      if (locksIn(this.folder).some(({ owner }) => owner?.token === this.owner.token))
        fs.rmSync(this.file, { force: true });
    } catch {
      // The disk refuses: the lock that stays is that of a dead process once this one ends.
    }
  }
}

/**
 * The process that makes the run in `folder` now; null when none does. An owner on another machine counts as living.
 */
export function ownerOf(folder: string): LockOwner | null {
  return locksIn(folder).find(({ owner }) => owner !== null && lifeOf(owner) !== 'dead')?.owner ?? null;
}

/** Removes what processes left that were killed while they made a lock. One that still makes it tries again. */
function removePartials(folder: string): void {
  for (const name of fs.readdirSync(folder))
    if (/^lock\.\d+\.partial-/.test(name)) fs.rmSync(path.join(folder, name), { force: true });
}

/** Largest generation: no lock comes near it. A file with more digits is not the kit's. */
const MOST_GENERATIONS = 999_999_999;

/** The lock files of a run, by generation. */
export function locksIn(folder: string): Found[] {
  return namesIn(folder)
    .flatMap((name): Found[] => {
      const [, generation] = /^lock\.(\d{1,9})$/.exec(name) ?? [];
      if (generation === undefined || Number(generation) >= MOST_GENERATIONS) return [];
      const file = path.join(folder, name);
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat === undefined
        ? []
        : [{ name, generation: Number(generation), owner: readOwner(file), beat: stat.mtimeMs }];
    })
    .sort((a, b) => a.generation - b.generation);
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** Makes the file whole, or not at all. @returns false when it is there already, or the folder is gone. */
function create(file: string, owner: LockOwner): boolean {
  const text = `${JSON.stringify(owner)}\n`;
  const beside = `${file}.partial-${owner.token}`;
  try {
    fs.writeFileSync(beside, text);
    fs.linkSync(beside, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOENT') return false; // another process made it, or removed ours: look again
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
  } finally {
    try {
      fs.rmSync(beside, { force: true });
    } catch {
      // what stays is removed by the next process that takes the lock
    }
  }
  try {
    fs.writeFileSync(file, text, { flag: 'wx' }); // a file system without hard links
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A thread that touches the lock file, also while the main thread computes: it shows that this process lives. */
function beat(file: string, every: number): Worker {
  const heart = new Worker(path.join(__dirname, 'lock-heart.js'), { workerData: { file, every }, execArgv: [] });
  heart.unref();
  return heart;
}

function notMade(folder: string, cause: unknown): KitError {
  const fixes: Record<string, string> = {
    ENOSPC: 'The disk is full: free some space and run it again.',
    EDQUOT: 'The quota is used up: free some space and run it again.',
    EROFS: 'The disk is mounted read-only: choose another folder with --runs.',
    EMFILE: 'Too many files are open: raise the limit (`ulimit -n`), or run fewer processes.',
    ENFILE: 'Too many files are open on this machine: run fewer processes.',
    ENAMETOOLONG: 'The path is too long: choose a folder with a shorter one with --runs.',
  };
  return new KitError(`The lock of the run in ${folder} could not be made: ${(cause as Error).message}`, {
    code: 'LOCK_NOT_MADE',
    fix: fixes[errnoOf(cause)!] ?? 'Check the disk and the rights of the folder, or choose another with --runs.',
    cause,
  });
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
