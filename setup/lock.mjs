// One set-up at a time: two of them in one package, or on one home, would remove each other's files.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Interrupted, Problem } from './problem.mjs';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The holder of a lock renews it this often. */
const RENEW_SECONDS = 5;
/** A lock of another machine or container that was not renewed for so long is abandoned. */
const ABANDONED_SECONDS = 60;

/** Whether a process with this id runs. */
function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // it runs, as somebody else
  }
}

/** Text of a file, or '' where there is none: /proc is Linux's alone. */
function textOf(file) {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Where process ids are unique: this start of this machine, and this container. */
function scope() {
  let namespace = '';
  try {
    namespace = fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    // not Linux
  }
  return [os.hostname(), textOf('/proc/sys/kernel/random/boot_id'), namespace].join(' ');
}

/** When a process started, in ticks since the machine did: tells it from a later process of the same id. */
const startOf = (pid) => textOf(`/proc/${pid}/stat`).split(') ').at(-1).split(' ')[19] ?? '';

/** What this process writes into a lock. */
const ownMark = () => JSON.stringify({ pid: process.pid, start: startOf(process.pid), scope: scope() });

/** The holder that a lock names; null for a text that names none. */
function holderOf(text) {
  try {
    const { pid, start = '', scope: where = '' } = JSON.parse(text);
    return Number.isInteger(pid) ? { pid, start, scope: where } : null;
  } catch {
    return null;
  }
}

/** Whether the holder of a lock has gone. @param age seconds since the lock was renewed */
function isAbandoned(text, age) {
  const holder = holderOf(text);
  if (holder === null || holder.scope !== scope()) return age > ABANDONED_SECONDS;
  return !runs(holder.pid) || startOf(holder.pid) !== holder.start;
}

/**
 * Waits until no other set-up works in this package or on this home, which several packages may share, and takes its
 * place. Returns the
 * function that gives it up. A lock whose process has gone is taken over.
 * @param {{root: string, home: string}} places
 * @param {{onWait?: (pid: number) => void, signal?: AbortSignal, every?: number}} [options] `every`: milliseconds
 *   between looks
 */
export async function takeLocks({ root, home }, options = {}) {
  // Every set-up takes its locks in the same order, so that no two wait for each other. Two names of one folder are one
  // lock.
  const folders = [...new Set([path.join(root, '.rifle'), home].map(makeFolder))].sort();
  const taken = [];
  const release = () => taken.forEach((giveUp) => giveUp());
  try {
    for (const folder of folders) taken.push(await takeLock(folder, options));
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Makes `folder`; returns its path without symbolic links. */
function makeFolder(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
    return fs.realpathSync(folder);
  } catch (error) {
    throw new Problem(`The folder ${folder} cannot be made or written (${error.code}).`, {
      fix: 'Give yourself the right to write there, or set RIFLE_HOME to a folder of your own, then run `npm run setup` again.',
      cause: error,
    });
  }
}

async function takeLock(folder, { onWait = () => {}, signal, every = 500 }) {
  const file = path.join(folder, 'set-up.lock');
  let isTold = false;
  for (;;) {
    if (create(file)) return hold(file);
    const text = textOf(file);
    if (isAbandoned(text, ageOf(file))) {
      if (removeAbandonedLock(file)) continue;
    } else if (!isTold) {
      onWait(holderOf(text)?.pid);
      isTold = true;
    }
    if (signal?.aborted) throw new Interrupted();
    await pause(every);
  }
}

/** Makes the lock with its content in one act; false when there is one. */
function create(file) {
  const own = `${file}.${process.pid}-${crypto.randomUUID()}`;
  fs.writeFileSync(own, ownMark());
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

/** Renews the lock until the returned function gives it up. */
function hold(file) {
  const renew = setInterval(() => fs.utimes(file, new Date(), new Date(), () => {}), RENEW_SECONDS * 1000);
  renew.unref();
  return () => {
    clearInterval(renew);
    fs.rmSync(file, { force: true });
  };
}

/** Seconds since a file was renewed; 0 for one that has gone. */
function ageOf(file) {
  const renewed = fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return renewed === undefined ? 0 : (Date.now() - renewed) / 1000;
}

/**
 * Removes a lock whose holder has gone. One process at a time does so, behind a second lock, and it looks again there:
 * otherwise the slower of two would remove the lock that the faster one has just made.
 */
function removeAbandonedLock(file) {
  const guard = `${file}.removal`;
  if (!create(guard)) {
    // Held for a moment only: one that stays belongs to a process that was killed there.
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
 * Removes the entries `*.partial-PID` of a folder whose process has gone: what was killed in the middle of its work.
 */
export function removeAbandoned(folder) {
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const [, pid] = /\.partial-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !runs(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
