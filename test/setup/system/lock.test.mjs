import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Interrupted, SetupError } from '../../../setup/setup-error.mjs';
import { removeAbandoned, takeLocks } from '../../../setup/system/lock.mjs';
import { scratchFolder } from '../scratch.mjs';

describe('the lock', () => {
  const scratch = scratchFolder();
  const file = () => path.join(scratch.path, '.rifle', 'set-up.lock');

  it('makes a second set-up wait for the first', async () => {
    const paths = { root: scratch.path, home: path.dirname(file()) };
    const release = await takeLocks(paths);
    const waited = [];
    const second = takeLocks(paths, { every: 5, onWait: (pid) => waited.push(pid) });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(waited, [process.pid]);
    release();
    (await second)();
    assert.equal(fs.existsSync(file()), false);
  });

  it('makes set-ups of two packages that share a home wait for each other, in either order', async () => {
    const place = (name) => ({ root: path.join(scratch.path, name), home: path.join(scratch.path, 'm') });
    for (const [one, other] of [
      ['a', 'z'],
      ['z', 'a'],
    ]) {
      const release = await takeLocks(place(one));
      let ready = false;
      const second = takeLocks(place(other), { every: 5 }).then((giveUp) => ((ready = true), giveUp));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(ready, false);
      release();
      (await second)();
    }
    const left = fs.readdirSync(scratch.path, { recursive: true }).filter((name) => name.endsWith('.lock'));
    assert.deepEqual(left, []);
  });

  it('releases its locks when it stops waiting, and takes one lock for a home with two paths', async () => {
    const shared = path.join(scratch.path, 'm');
    const release = await takeLocks({ root: path.join(scratch.path, 'a'), home: shared });
    const paths = { root: path.join(scratch.path, 'b'), home: shared };
    await assert.rejects(takeLocks(paths, { every: 5, signal: AbortSignal.timeout(20) }), Interrupted);
    release();
    fs.rmSync(path.join(paths.root, '.rifle'), { recursive: true });
    fs.symlinkSync(shared, path.join(paths.root, '.rifle'));
    (await takeLocks(paths, { every: 5, signal: AbortSignal.timeout(1000) }))();
    assert.equal(fs.existsSync(path.join(shared, 'set-up.lock')), false);
  });

  it('reports a home that cannot be created', async () => {
    fs.writeFileSync(path.join(scratch.path, 'file'), '');
    await assert.rejects(
      takeLocks({ root: scratch.path, home: path.join(scratch.path, 'file', 'home') }),
      (error) =>
        error instanceof SetupError &&
        /file\/home cannot be created/.test(error.message) &&
        /RIFLE_HOME/.test(error.fix),
    );
  });

  /** Takes over a lock that a killed or foreign set-up left; rejects when this takes more than 0.3 s. */
  const takeFrom = async (lock) => {
    fs.mkdirSync(path.dirname(file()), { recursive: true });
    fs.writeFileSync(file(), JSON.stringify(lock));
    const paths = { root: scratch.path, home: path.dirname(file()) };
    (await takeLocks(paths, { every: 5, signal: AbortSignal.timeout(300) }))();
  };
  /** The lock that this process writes. */
  const ownLock = async () => {
    const release = await takeLocks({ root: scratch.path, home: path.dirname(file()) });
    const lock = JSON.parse(fs.readFileSync(file(), 'utf8'));
    release();
    return lock;
  };

  it('is taken over from a process that has ended, also when a later process has its id', async () => {
    const lock = await ownLock();
    await takeFrom({ ...lock, pid: 999999999 }); // above any process id
    if (process.platform === 'linux') await takeFrom({ ...lock, start: '1' });
    await assert.rejects(takeFrom(lock), Interrupted, 'this process runs');
  });

  it('of another machine or of an unknown form is taken over when it is no longer renewed', async () => {
    const foreign = { ...(await ownLock()), scope: 'elsewhere' };
    await assert.rejects(takeFrom(foreign), Interrupted);
    fs.writeFileSync(file(), '');
    const past = new Date(Date.now() - 120_000);
    fs.utimesSync(file(), past, past);
    await assert.rejects(takeFrom(foreign), Interrupted, 'writing renews it');
    fs.utimesSync(file(), past, past);
    (await takeLocks({ root: scratch.path, home: path.dirname(file()) }, { every: 5 }))();
  });

  it('that was abandoned is taken by one of six processes at a time', async () => {
    const program = `
      import fs from 'node:fs';
      const { takeLocks } = await import(${JSON.stringify(new URL('../../../setup/system/lock.mjs', import.meta.url).href)});
      const [root, inside] = process.argv.slice(1);
      const release = await takeLocks({ root, home: root + '/.rifle' }, { every: 1 });
      fs.writeFileSync(inside, '', { flag: 'wx' }); // throws when another set-up is inside
      await new Promise((resolve) => setTimeout(resolve, 20));
      fs.rmSync(inside);
      release();`;
    fs.mkdirSync(path.dirname(file()));
    fs.writeFileSync(file(), JSON.stringify({ ...(await ownLock()), pid: 999999999 }));
    const inside = path.join(scratch.path, 'inside');
    const runs = Array.from({ length: 6 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, scratch.path, inside]),
    );
    await Promise.all(runs);
    assert.deepEqual(fs.readdirSync(path.dirname(file())), [], 'no files are left');
  }).timeout(60_000);

  it('deletes the unfinished files of an ended process, and no others', () => {
    for (const name of ['a.partial-999999999', `b.partial-${process.pid}`, 'c'])
      fs.mkdirSync(path.join(scratch.path, name));
    removeAbandoned(scratch.path);
    assert.deepEqual(fs.readdirSync(scratch.path).sort(), [`b.partial-${process.pid}`, 'c']);
  });
});
