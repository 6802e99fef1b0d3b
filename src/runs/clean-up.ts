// What a process leaves that is killed right after it wrote the record: checkpoints, a lock, an unfinished journal.
import fs from 'node:fs';
import { locksIn, RunLock, type LockOptions } from '../base/files/lock';
import { Checkpoints } from './store/checkpoint';
import { KIT_NUMERICS } from './store/identity';
import type { RunRecord } from './store/record';
import type { RunStore } from './store/store';

const checkpointsOf = (store: RunStore, id: string): Checkpoints => new Checkpoints(store.folder(id), id, KIT_NUMERICS);

/** Ends the journal of a finished run and deletes its checkpoints. The caller holds the run's lock. */
export function complete(store: RunStore, { id, status }: RunRecord): void {
  const journal = store.journal(id);
  if (!journal.read().some(({ event }) => event === 'finished')) journal.write('finished', { status });
  checkpointsOf(store, id).remove();
}

/**
 * Completes a finished run whose process died after the record. A living process completes its run itself. A folder
 * that cannot be changed stays as it is: the record is whole.
 */
export async function cleanUp(store: RunStore, record: RunRecord, options: LockOptions = {}): Promise<void> {
  const folder = store.folder(record.id);
  try {
    if (locksIn(folder).length === 0 && !fs.existsSync(checkpointsOf(store, record.id).folder)) return;
    const lock = await RunLock.take(folder, { ...options, wait: false });
    try {
      complete(store, record);
    } finally {
      await lock.release();
    }
  } catch {
    // Another process holds the lock, or the disk refuses.
  }
}
