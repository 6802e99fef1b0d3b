// Which runs of a store are meant: filters over records, and ids by their beginnings.
import { KitError } from '../../base/errors';
import type { BriefRecord } from './record-index';
import type { RunStore } from './store';

/** What a run must be; what is left out does not matter. Names are parts of names. */
export interface RunFilter {
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

/** Whether a record is meant. A method is meant by its whole name: `rifle` is not `l2-sp+rifle`. */
export function isMeant(
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

/** The one run, over or not, whose id begins with `start`. @throws KitError when there is none, or more than one. */
export function idOf(store: RunStore, start: string): string {
  const ids = store.ids().filter((id) => id.startsWith(start));
  if (ids.length === 1) return ids[0];
  if (ids.length === 0)
    throw new KitError(`There is no run ${start} in ${store.root}.`, { fix: 'See `npx rifle runs list`.' });
  throw new KitError(
    `${ids.length} runs begin with ${start}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}.`,
    { fix: 'Give more of the id.' },
  );
}
