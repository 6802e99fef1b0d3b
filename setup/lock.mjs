// One set-up at a time: two of them in one package, or on one home, would remove each other's files.
import fs from 'node:fs';
import path from 'node:path';
import { Interrupted, Problem } from './problem.mjs';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Whether a process with this id runs. */
function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // it runs, as somebody else
  }
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
  let told = false;
  for (;;) {
    try {
      fs.writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let pid = NaN;
    try {
      pid = Number(fs.readFileSync(file, 'utf8'));
    } catch {
      continue; // it has just been given up
    }
    // An empty file is one that is being written just now, unless it stays so.
    const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (pid > 0 ? !runs(pid) : age > 5000) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (!told && pid > 0) onWait(pid);
    told ||= pid > 0;
    if (signal?.aborted) throw new Interrupted();
    await pause(every);
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
