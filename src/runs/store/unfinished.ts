// The runs of a store that were started and have no record yet, as their journals describe them.
import { KitError } from '../../base/errors';
import { ownerOf, type LockOwner } from '../../base/files/lock';
import { methods } from '../../transfer/methods';
import { timetable } from '../../transfer/resets/reset';
import type { RunSpec } from '../../transfer/spec/spec';
import type { BriefRecord } from './record-index';
import type { OnDamaged, RunStore } from './store';

/** A run without a record. */
export interface UnfinishedRun {
  id: string;
  method: string;
  dataset: string;
  seed: number;
  epochs: number;
  /** As of the last checkpoint. */
  epochsDone: number;
  lastEvent: string;
  /** The process that makes it now; null when none does. */
  owner: LockOwner | null;
  /** For filters: the known fields of a record. */
  like: BriefRecord;
}

/**
 * All of them whose journal says what they are.
 * @param onDamaged called with a run whose journal cannot be used. Default: it is left out.
 */
export function unfinishedRuns(store: RunStore, onDamaged: OnDamaged = () => undefined): UnfinishedRun[] {
  return store.unfinished().flatMap((id) => {
    try {
      return unfinishedRun(store, id) ?? [];
    } catch (cause) {
      onDamaged(
        id,
        new KitError(`The journal of the run ${id} cannot be used: ${(cause as Error).message}`, {
          code: 'JOURNAL_DAMAGED',
          fix: `Delete the run to repeat it: npx rifle runs prune ${id} --yes.`,
          cause,
        }),
      );
      return [];
    }
  });
}

function unfinishedRun(store: RunStore, id: string): UnfinishedRun | null {
  const journal = store.journal(id).read();
  const started = store.journal(id).started();
  if (started === null) return null;
  const { spec, dataset } = started;
  const last = journal[journal.length - 1];
  const checkpoint = journal.filter(({ event }) => event === 'checkpoint' || event === 'started').at(-1);
  const method = methods.nameOf(spec);
  return {
    id,
    method,
    dataset: dataset.name,
    seed: spec.seed,
    epochs: epochsOf(spec),
    epochsDone: Number(checkpoint?.epoch ?? 0),
    lastEvent: `${last.event} at ${last.at}`,
    owner: ownerOf(store.folder(id)),
    like: { id, method, status: 'unfinished', spec, dataset, finishedAt: last.at } as unknown as BriefRecord,
  };
}

/** Epochs of a run; those of its spec if its reset policy is not loaded. */
function epochsOf(spec: RunSpec): number {
  try {
    return timetable(spec).epochs;
  } catch {
    return spec.epochs;
  }
}
