// What a process leaves that is killed right after it wrote the record: checkpoints, a lock, an unfinished journal.
import fs from 'node:fs';
import path from 'node:path';
import { RunLock, type LockOptions } from '../base/files/lock';
import type { RunRecord } from './store/record';
import type { RunStore } from './store/store';

/** Whether the folder of a finished run still holds what an unfinished run has. */
const isUntidy = (folder: string): boolean =>
  fs.readdirSync(folder).some((name) => name === 'checkpoints' || name.startsWith('lock.'));

/**
 * Completes the journal of a finished run and deletes its checkpoints, if no living process does so itself. A folder
 * that cannot be changed stays as it is: the record is whole.
 */
export async function cleanUp(
  store: RunStore,
  { id, status }: RunRecord,
  lockOptions: LockOptions = {},
): Promise<void> {
  const folder = store.folder(id);
  try {
    if (!isUntidy(folder)) return;
    const lock = await RunLock.take(folder, { ...lockOptions, wait: false });
    try {
      const journal = store.journal(id);
      if (!journal.read().some(({ event }) => event === 'finished')) journal.write('finished', { status });
      fs.rmSync(path.join(folder, 'checkpoints'), { recursive: true, force: true });
    } finally {
      await lock.release();
    }
  } catch {
    // another process is at it, or the disk refuses
  }
}
