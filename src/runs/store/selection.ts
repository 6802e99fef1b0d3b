// Selects runs of a store: filters over records, and ids by their beginnings.
import { KitError } from '../../base/errors';
import type { BriefRecord } from './record-index';
import type { RunStore } from './store';

/**
 * What a run must be; a field that is left out does not matter. Data sets and backbones match by a part of their name.
 */
export interface RunFilter {
  /** The whole name: `rifle` is not `l2-sp+rifle`. */
  method?: string;
  dataset?: string;
  backbone?: string;
  status?: string;
  seed?: number;
  /** ISO 8601: not finished before. */
  since?: string;
  /** The id begins so. */
  id?: string;
}

/** Whether a record passes the filter. */
export function matchesFilter(
  record: BriefRecord,
  { method, dataset, backbone, status, seed, since, id }: RunFilter,
): boolean {
  return (
    (method === undefined || record.method === method) &&
    (dataset === undefined || record.dataset.name.includes(dataset)) &&
    (backbone === undefined || record.spec.backbone.includes(backbone)) &&
    (status === undefined || record.status === status) &&
    (seed === undefined || record.spec.seed === seed) &&
    (since === undefined || record.finishedAt >= since) &&
    (id === undefined || record.id.startsWith(id))
  );
}

/**
 * The one run, finished or not, whose id begins with `start`.
 * @throws KitError RUN_UNKNOWN when there is none, RUN_AMBIGUOUS when there are several.
 */
export function idOf(store: RunStore, start: string): string {
  const ids = store.ids().filter((id) => id.startsWith(start));
  if (ids.length === 1) return ids[0];
  if (ids.length === 0) throw unknownRun(store, start);
  throw new KitError(
    `${ids.length} runs begin with ${start}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}.`,
    { code: 'RUN_AMBIGUOUS', fix: 'Give more of the id.' },
  );
}

/** The error for an id that no run of the store has. */
export const unknownRun = (store: RunStore, id: string): KitError =>
  new KitError(`There is no run ${id} in ${store.root}.`, { code: 'RUN_UNKNOWN', fix: 'See `npx rifle runs list`.' });
