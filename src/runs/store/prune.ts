// Removes from a store what is of no use any more.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { ownerOf, RunLock } from '../../base/files/lock';
import { isCurrent } from './identity';
import type { RunStore } from './store';

/** Why a run can go. */
export type PruneReason = 'named' | 'unfinished' | 'old numerics' | 'failed';

/** What may be removed. */
export interface PruneOptions {
  /** Ids of runs, whatever they are. */
  ids?: readonly string[];
  /** Runs that were begun and are not over, with their checkpoints. */
  unfinished?: boolean;
  /**
   * Runs of an older kit whose numbers this one would not give: tables mix them with nothing, and they are made again
   * when asked for.
   */
  oldNumerics?: boolean;
  /** Runs that diverged. */
  failed?: boolean;
}

/**
 * The runs that `prune` would remove, and why; those that a living process makes are left out. @throws KitError for an
 * id that is not there.
 */
export function prunable(
  store: RunStore,
  { ids = [], unfinished = false, oldNumerics = false, failed = false }: PruneOptions,
): { id: string; why: PruneReason }[] {
  for (const id of ids)
    if (!/^[0-9a-f]+$/.test(id) || !fs.existsSync(store.folder(id)))
      throw new KitError(`There is no run ${id} in ${store.root}.`, { fix: 'See `npx rifle runs list`.' });
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

/** Removes runs, each while nobody else holds it. */
export async function prune(store: RunStore, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const lock = await RunLock.take(store.folder(id), { wait: false });
    const aside = path.join(store.root, `removed-${id}-${process.pid}`);
    await lock.release();
    fs.renameSync(store.folder(id), aside); // at once: nobody sees half a run
    fs.rmSync(aside, { recursive: true, force: true });
  }
}

/** Bytes below a folder. */
export function sizeOfFolder(folder: string): number {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .reduce((sum, entry) => sum + (entry.isFile() ? fs.statSync(path.join(entry.parentPath, entry.name)).size : 0), 0);
}
