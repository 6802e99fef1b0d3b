// The lock of the set-up: two set-ups in one package, or in one home, would delete each other's files. Plain Node,
// because it is taken before the npm packages are installed. (Runs have the lock of src/base/files/lock.ts.)
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Interrupted, SetupError } from '../setup-error.mjs';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Seconds between two renewals of a lock by its owner. */
const RENEW_SECONDS = 5;
/** A lock of another machine or container is abandoned when it was not renewed for so many seconds. */
const ABANDONED_SECONDS = 60;

/** Whether there is a process with this id. */
function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // there is, of another user
  }
}

/** The text of a file; '' where there is no such file (only Linux has /proc). */
function textOf(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The range in which process ids are unique: this machine since its start, and this container. */
function scope() {
  let namespace = '';
  try {
    namespace = fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    // not Linux
  }
  return [os.hostname(), textOf('/proc/sys/kernel/random/boot_id'), namespace].join(' ');
}

/** The start time of a process in ticks since the machine started: it differs for a later process of the same id. */
const startOf = (pid) => textOf(`/proc/${pid}/stat`).split(') ').at(-1).split(' ')[19] ?? '';

/** The owner that this process writes into a lock. */
const thisOwner = () => JSON.stringify({ pid: process.pid, start: startOf(process.pid), scope: scope() });

/** The owner in the text of a lock; null when there is none. */
function ownerOf(text) {
  try {
    const { pid, start = '', scope: range = '' } = JSON.parse(text);
    return Number.isInteger(pid) ? { pid, start, scope: range } : null;
  } catch {
    return null;
  }
}

/** Whether the owner of a lock has ended. @param age seconds since the lock was renewed */
function isAbandoned(text, age) {
  const owner = ownerOf(text);
  if (owner === null || owner.scope !== scope()) return age > ABANDONED_SECONDS;
  return !runs(owner.pid) || startOf(owner.pid) !== owner.start;
}

/**
 * Waits until no other set-up runs in this package or in this home, which several packages may share, and takes their
 * locks. A lock whose process has ended is taken over. Returns the function that releases the locks.
 * @param {{root: string, home: string}} paths
 * @param {{onWait?: (pid: number) => void, signal?: AbortSignal, every?: number}} [options] `every`: milliseconds
 *   between two checks
 */
export async function takeLocks({ root, home }, options = {}) {
  // Every set-up takes its locks in the same order, so that no two wait for each other. Two paths of one folder have
  // one lock.
  const folders = [...new Set([path.join(root, '.rifle'), home].map(makeFolder))].sort();
  const taken = [];
  const release = () => taken.forEach((releaseOne) => releaseOne());
  try {
    for (const folder of folders) taken.push(await takeLock(folder, options));
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Creates `folder`; returns its path without symbolic links. */
function makeFolder(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
    return fs.realpathSync(folder);
  } catch (error) {
    throw new SetupError(`The folder ${folder} cannot be created or written (${error.code}).`, {
      fix: 'Give yourself the right to write there, or set RIFLE_HOME to a folder of your own, then run `npm run setup` again.',
      cause: error,
    });
  }
}

async function takeLock(folder, { onWait = () => {}, signal, every = 500 }) {
  const file = path.join(folder, 'set-up.lock');
  let isReported = false;
  for (;;) {
    if (create(file)) return hold(file);
    const text = textOf(file);
    if (isAbandoned(text, ageOf(file))) {
      if (removeAbandonedLock(file)) continue;
    } else if (!isReported) {
      onWait(ownerOf(text)?.pid);
      isReported = true;
    }
    if (signal?.aborted) throw new Interrupted();
    await pause(every);
  }
}

/** Creates the lock with its content in one operation; false when there is one. */
function create(file) {
  const own = `${file}.${process.pid}-${crypto.randomUUID()}`;
  fs.writeFileSync(own, thisOwner());
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(own, { force: true });
  }
}

/** Renews the lock until the returned function releases it. */
function hold(file) {
  const renew = setInterval(() => fs.utimes(file, new Date(), new Date(), () => {}), RENEW_SECONDS * 1000);
  renew.unref();
  return () => {
    clearInterval(renew);
    fs.rmSync(file, { force: true });
  };
}

/** Seconds since a file was renewed; 0 for a missing file. */
function ageOf(file) {
  const renewed = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return renewed === undefined ? 0 : (Date.now() - renewed) / 1000;
}

/**
 * Deletes a lock whose owner has ended. A second lock lets one process at a time do so, which checks the owner again:
 * otherwise the slower of two processes would delete the lock that the faster one has just created.
 */
function removeAbandonedLock(file) {
  const guard = `${file}.removal`;
  if (!create(guard)) {
    // It is held for a moment only: an old one belongs to a process that was killed.
    if (ageOf(guard) > ABANDONED_SECONDS) fs.rmSync(guard, { force: true });
    return false;
  }
  try {
    const text = textOf(file);
    if (text !== '' && isAbandoned(text, ageOf(file))) fs.rmSync(file, { force: true });
    return true;
  } finally {
    fs.rmSync(guard, { force: true });
  }
}

/**
 * Deletes the entries `*.partial-PID` of a folder whose process has ended: it was killed before it had finished them.
 */
export function removeAbandoned(folder) {
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const [, pid] = /\.partial-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !runs(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
