import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { RunLock } from '../../../src/base/files/lock';
import { prunable, prune } from '../../../src/runs/store/prune';
import { RunStore } from '../../../src/runs/store/store';
import { syntheticRecord } from '../../report/records';

describe('prune', () => {
  let store: RunStore;
  const first = syntheticRecord({ seed: 0 });
  const second = syntheticRecord({ seed: 1 });
  beforeEach(async () => {
    store = new RunStore(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-prune-')));
    await store.put(first, []);
    await store.put(second, []);
  });
  afterEach(() => fs.rmSync(store.root, { recursive: true, force: true }));

  it('removes runs, leaves those that a process makes, and sweeps up after a prune that was killed', async () => {
    fs.mkdirSync(path.join(store.root, `removed-${first.id}-77`));
    const lock = await RunLock.take(store.folder(second.id));
    assert.deepEqual(await prune(store, [second.id, first.id]), { removed: [first.id], busy: [second.id] });
    assert.deepEqual(fs.readdirSync(store.root), [second.id]);
    lock.requireHeld();
    await lock.release();
  });

  it('holds the lock until the folder is gone from its place', async () => {
    const rename = fs.renameSync;
    let lockedAtRename = false;
    fs.renameSync = (from, to) => {
      lockedAtRename ||= fs.existsSync(path.join(String(from), 'lock.1'));
      rename(from, to);
    };
    try {
      await prune(store, [first.id]);
    } finally {
      fs.renameSync = rename;
    }
    assert.ok(lockedAtRename);
    assert.deepEqual(fs.readdirSync(store.root), [second.id]);
  });

  it('finds old and failed runs, and no run of another name', async () => {
    await store.put({ ...second, status: 'failed', failure: { epoch: 1, lastLoss: null, message: 'm' } }, []);
    assert.deepEqual(prunable(store, { failed: true }), [{ id: second.id, why: 'failed' }]);
    assert.deepEqual(
      prunable(store, { oldNumerics: true })
        .map(({ id }) => id)
        .sort(),
      [first.id, second.id].sort(),
    );
    for (const id of ['beef', '../x', '0'.repeat(16)])
      assert.throws(
        () => prunable(store, { ids: [id] }),
        ({ code }: KitError) => code === 'RUN_UNKNOWN',
      );
  });

  it('reports a read-only disk (where this user may mount one)', async function () {
    const disk = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-prune-disk-'));
    const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;
    if (!mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk)) return this.skip();
    try {
      const there = new RunStore(disk);
      await there.put(first, []);
      assert.ok(mount('-o', 'remount,ro', disk));
      await assert.rejects(
        prune(there, [first.id]),
        ({ code, fix }: KitError) => ['LOCK_NOT_MADE', 'RUN_NOT_REMOVED'].includes(code) && fix !== '',
      );
      assert.equal(there.list().length, 1);
    } finally {
      spawnSync('umount', [disk]);
      fs.rmSync(disk, { recursive: true, force: true });
    }
  });
});
