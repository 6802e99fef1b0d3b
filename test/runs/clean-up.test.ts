// A process that is killed right after it wrote the record: the next look at the run completes its work.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RunLock } from '../../src/base/files/lock';
import { cleanUp } from '../../src/runs/clean-up';
import { RunStore } from '../../src/runs/store/store';
import { syntheticRecord } from '../report/records';

describe('cleanUp', () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-clean-up-'));
  const store = new RunStore(root);
  const record = syntheticRecord({ method: 'rifle' });
  const events = (): string[] =>
    store
      .journal(record.id)
      .read()
      .map(({ event }) => event);
  const names = (): string[] =>
    fs.readdirSync(store.folder(record.id)).filter((name) => /^(checkpoints|lock)/.test(name));
  const checkpoint = path.join(store.folder(record.id), 'checkpoints', '3');
  before(async () => {
    await store.put(record, []);
    store.journal(record.id).write('started', {});
    fs.mkdirSync(checkpoint, { recursive: true });
  });
  after(() => fs.rmSync(root, { recursive: true, force: true }));

  it('leaves a run alone whose process still lives', async () => {
    const lock = await RunLock.take(store.folder(record.id));
    await cleanUp(store, record);
    assert.ok(fs.existsSync(checkpoint));
    assert.deepEqual(events(), ['started']);
    await lock.release();
  });

  it('ends the journal once, and deletes checkpoints and locks', async () => {
    await cleanUp(store, record);
    assert.deepEqual(names(), []);
    fs.mkdirSync(checkpoint, { recursive: true });
    await cleanUp(store, record);
    assert.deepEqual(names(), []);
    assert.deepEqual(events(), ['started', 'finished']);
  });
});
