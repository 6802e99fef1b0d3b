// One set-up at a time: two of them on one folder would remove each other's files.
import fs from 'node:fs';
import path from 'node:path';
import { Interrupted } from './problem.mjs';

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
 * Waits until no other set-up works on this package, and takes its place. Returns the function that gives it up.
 * A lock whose process has gone is taken over.
 * @param {string} root
 * @param {{onWait?: (pid: number) => void, signal?: AbortSignal, every?: number}} [options] `every`: milliseconds between looks
 */
export async function takeLock(root, { onWait = () => {}, signal, every = 500 } = {}) {
  const file = path.join(root, '.rifle', 'set-up.lock');
  fs.mkdirSync(path.dirname(file), { recursive: true });
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

/** Removes the entries `*.partial-PID` of a folder whose process has gone: what was killed in the middle of its work. */
export function removeAbandoned(folder) {
  for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
    const [, pid] = /\.partial-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && !runs(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
