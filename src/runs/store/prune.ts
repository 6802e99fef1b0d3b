// Removes runs from a store.
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, KitError } from '../../base/errors';
import { ownerOf, RunBusyError, RunLock } from '../../base/files/lock';
import { isCurrent } from './identity';
import { RUN_ID } from './format/record-schema';
import { unknownRun } from './selection';
import type { RunStore } from './store';

/** Why a run can go. */
export type PruneReason = 'named' | 'unfinished' | 'old numerics' | 'failed';

/** What may be removed. */
export interface PruneOptions {
  /** Ids of runs, in any state. */
  ids?: readonly string[];
  /** Runs that were started and have no record, with their checkpoints. */
  unfinished?: boolean;
  /**
   * Runs of an older kit whose numbers this one would not give: tables mix them with nothing, and they are repeated
   * when asked for.
   */
  oldNumerics?: boolean;
  /** Runs that diverged. */
  failed?: boolean;
}

/**
 * The runs that `prune` would remove, and why; those that a living process makes are left out.
 * @throws KitError RUN_UNKNOWN for an id that is not there.
 */
export function prunable(
  store: RunStore,
  { ids = [], unfinished = false, oldNumerics = false, failed = false }: PruneOptions,
): { id: string; why: PruneReason }[] {
  for (const id of ids) if (!RUN_ID.test(id) || !fs.existsSync(store.folder(id))) throw unknownRun(store, id);
  const records = oldNumerics || failed ? store.brief(() => undefined) : [];
  const found: [string, PruneReason][] = [
    ...ids.map((id): [string, PruneReason] => [id, 'named']),
    ...(unfinished ? store.unfinished() : []).map((id): [string, PruneReason] => [id, 'unfinished']),
    ...records
      .filter((record) => oldNumerics && !isCurrent(record))
      .map(({ id }): [string, PruneReason] => [id, 'old numerics']),
    ...records
      .filter((record) => failed && record.status === 'failed')
      .map(({ id }): [string, PruneReason] => [id, 'failed']),
  ];
  return [...new Map([...found].reverse())]
    .reverse()
    .filter(([id]) => ownerOf(store.folder(id)) === null)
    .map(([id, why]) => ({ id, why }));
}

/**
 * Removes runs, each while no other process holds it, and what an earlier `prune` that was killed left.
 * @returns the ids that were removed, and those that stay because a process makes them.
 * @throws KitError RUN_NOT_REMOVED when the disk refuses.
 */
export async function prune(store: RunStore, ids: readonly string[]): Promise<{ removed: string[]; busy: string[] }> {
  const removed: string[] = [];
  const busy: string[] = [];
  for (const id of ids) {
    try {
      await removeRun(store, id);
      removed.push(id);
    } catch (cause) {
      if (!(cause instanceof RunBusyError)) throw notRemoved(store, id, cause);
      busy.push(id);
    }
  }
  sweep(store);
  return { removed, busy };
}

/** The folder moves aside with its lock in it: at no moment is there half a run, or a run without a lock. */
async function removeRun(store: RunStore, id: string): Promise<void> {
  const lock = await RunLock.take(store.folder(id), { wait: false });
  const aside = path.join(store.root, `removed-${id}-${process.pid}`);
  try {
    fs.renameSync(store.folder(id), aside);
  } finally {
    await lock.release();
  }
  fs.rmSync(aside, { recursive: true, force: true });
}

/** Removes the folders that a killed `prune` moved aside: no run is in them any more. */
function sweep(store: RunStore): void {
  if (!fs.existsSync(store.root)) return;
  for (const name of fs.readdirSync(store.root))
    if (/^removed-[0-9a-f]{16}-\d+$/.test(name))
      fs.rmSync(path.join(store.root, name), { recursive: true, force: true });
}

function notRemoved(store: RunStore, id: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  return new KitError(`The run ${id} could not be removed from ${store.root}: ${(cause as Error).message}`, {
    code: 'RUN_NOT_REMOVED',
    fix:
      errno === 'ENOSPC' || errno === 'EDQUOT'
        ? `The disk is full and has no room for a lock: delete the folder ${store.folder(id)}.`
        : 'Check that the folder can be written to, and that the disk is not mounted read-only.',
    cause,
  });
}

/** Bytes below a folder. */
export function sizeOfFolder(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .reduce(
      (sum, entry) =>
        sum +
        (entry.isFile()
          ? (fs.statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
          : 0),
      0,
    );
}
