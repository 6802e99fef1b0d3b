import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { ownerOf, RunBusyError, RunLock } from '../../../src/base/files/lock';

/** A process that takes the lock of `folder` and keeps it. */
async function holder(folder: string): Promise<ChildProcess> {
  const child = fork(path.join(__dirname, 'lock-holder.js'), [folder], { execArgv: [] });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', reject);
  });
  return child;
}

const kill = (child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<unknown> => {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return gone;
};

describe('the lock of a run', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(() => (folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-lock-')), 'aa')));
  afterEach(() => fs.rmSync(path.dirname(folder), { recursive: true, force: true }));
  /** Rewrites what the one lock file says. */
  const pretend = (changes: object): void => {
    const file = path.join(
      folder,
      fs.readdirSync(folder).find((name) => name.startsWith('lock.'))!,
    );
    fs.writeFileSync(file, JSON.stringify({ ...(JSON.parse(fs.readFileSync(file, 'utf8')) as object), ...changes }));
  };

  it('is held by one process at a time, and leaves nothing behind', async () => {
    const lock = await RunLock.take(folder);
    assert.equal(ownerOf(folder)?.pid, process.pid);
    await assert.rejects(
      RunLock.take(folder, { wait: false }),
      (error: RunBusyError) =>
        error instanceof RunBusyError && error.code === 'RUN_BUSY' && error.owner?.pid === process.pid,
    );
    lock.requireHeld();
    await lock.release();
    assert.deepEqual(fs.readdirSync(folder), []);
    assert.equal(ownerOf(folder), null);
  });

  it('is taken by one of many processes at a time', async () => {
    let held = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        const lock = await RunLock.take(folder, { every: 5 });
        most = Math.max(most, ++held);
        await new Promise((resolve) => setTimeout(resolve, 5));
        lock.requireHeld();
        held--;
        await lock.release();
      }),
    );
    assert.equal(most, 1);
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('of a killed process is taken over at once, and by one of those who see it', async () => {
    await kill(await holder(folder));
    const tries = await Promise.allSettled([0, 1, 2].map(() => RunLock.take(folder, { wait: false })));
    const taken = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    assert.equal(taken.length, 1);
    await taken[0].release();
  });

  it('of a process of this machine that lives is not taken over, however old its heartbeat', async () => {
    const child = await holder(folder);
    fs.readdirSync(folder).forEach((name) => fs.utimesSync(path.join(folder, name), 0, 0));
    await assert.rejects(RunLock.take(folder, { wait: false, deadAfter: 0 }), RunBusyError);
    await kill(child);
  });

  it('is taken over from a process id that has gone to somebody else', async () => {
    await kill(await holder(folder));
    pretend({ pid: process.pid }); // alive, but it started at another time
    const lock = await RunLock.take(folder, { wait: false });
    assert.equal(lock.takenFrom?.pid, process.pid);
    await lock.release();
  });

  it('of another machine is taken over only after its heartbeat has stopped, by a steady clock', async () => {
    const child = await holder(folder);
    pretend({ machine: 'elsewhere' });
    const file = path.join(folder, 'lock.1');
    let beats = 0;
    const future = Date.now() / 1000 + 1e6;
    // a clock that runs backwards, in the future
    const heart = setInterval(() => fs.utimesSync(file, future - ++beats, future - beats), 20);
    const taking = RunLock.take(folder, { every: 10, deadAfter: 1500 });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.ok(
      fs.existsSync(file) && JSON.stringify(fs.readdirSync(folder)) === '["lock.1"]',
      'it beats, so it is left alone',
    );
    clearInterval(heart);
    await kill(child);
    const lock = await taking;
    assert.equal(lock.takenFrom?.machine, 'elsewhere');
    await lock.release();
  });

  it('is lost by an owner that was unresponsive for too long', async () => {
    const first = await RunLock.take(folder);
    pretend({ machine: 'elsewhere' });
    const second = await RunLock.take(folder, { every: 5, deadAfter: 50, beatEvery: 1e6 });
    assert.throws(
      () => first.requireHeld(),
      ({ code }: KitError) => code === 'RUN_LOCK_LOST',
    );
    second.requireHeld();
    await first.release();
    second.requireHeld();
    await second.release();
  });

  it('cut short by a power failure counts as one whose owner is not known', async () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'lock.7'), '');
    await assert.rejects(RunLock.take(folder, { wait: false }), RunBusyError);
    const lock = await RunLock.take(folder, { every: 5, deadAfter: 30 });
    await lock.release();
  });

  it('that cannot be read for a moment is not lost', async () => {
    const lock = await RunLock.take(folder);
    const [read, list] = [fs.readFileSync, fs.readdirSync];
    const refuse = (): never => {
      throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
    };
    try {
      fs.readFileSync = refuse as unknown as typeof read;
      lock.requireHeld();
      fs.readdirSync = refuse as unknown as typeof list;
      lock.requireHeld();
    } finally {
      fs.readFileSync = read;
      fs.readdirSync = list;
    }
    fs.rmSync(path.join(folder, 'lock.1'));
    assert.throws(
      () => lock.requireHeld(),
      ({ code }: KitError) => code === 'RUN_LOCK_LOST',
    );
    await lock.release();
  });

  it('that cannot be created throws an error with the reason', async () => {
    fs.writeFileSync(folder, 'a file in the way');
    await assert.rejects(RunLock.take(folder), ({ code, fix }: KitError) => code === 'LOCK_NOT_MADE' && fix !== '');
    await assert.rejects(
      RunLock.take(path.join(path.dirname(folder), 'x'.repeat(300))),
      ({ code, fix }: KitError) => code === 'LOCK_NOT_MADE' && /too long/.test(fix),
    );
  });

  it('with a number of 24 digits is not a lock, and what killed processes left is removed', async () => {
    fs.mkdirSync(folder);
    for (const name of [`lock.${'9'.repeat(24)}`, `lock.${'9'.repeat(9)}`, 'lock.3.partial-aa'])
      fs.writeFileSync(path.join(folder, name), '{}');
    const lock = await RunLock.take(folder, { wait: false });
    assert.deepEqual(
      fs.readdirSync(folder).sort(),
      ['lock.1', `lock.${'9'.repeat(24)}`, `lock.${'9'.repeat(9)}`].sort(),
    );
    await lock.release();
  });

  it('in a folder that is removed while a process waits is made again there', async () => {
    const first = await RunLock.take(folder);
    const second = RunLock.take(folder, { every: 5 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    fs.renameSync(folder, `${folder}-removed`);
    await first.release();
    (await second).requireHeld();
    await (await second).release();
  });

  it('of a process in a container that the system does not name is not taken over by its process id', async () => {
    await kill(await holder(folder));
    pretend({ machine: '' });
    await assert.rejects(RunLock.take(folder, { wait: false }), RunBusyError);
    const lock = await RunLock.take(folder, { every: 5, deadAfter: 50 });
    await lock.release();
  });
});
