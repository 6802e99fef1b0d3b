// The runs of a store that were begun and are not over, as their journals tell them.
import { methods } from '../../transfer/methods';
import { timetable } from '../../transfer/resets/reset';
import { upgradedSpec } from '../../transfer/older-spec';
import type { RunSpec } from '../../transfer/spec';
import { ownerOf, type LockOwner } from '../../base/files/lock';
import type { BriefRecord } from './record-index';
import type { RunStore } from './store';

/** A run that is not over. */
export interface UnfinishedRun {
  id: string;
  method: string;
  dataset: string;
  seed: number;
  epochs: number;
  /** As of the last checkpoint. */
  epochsDone: number;
  lastEvent: string;
  /** Who makes it now; null when nobody does. */
  owner: LockOwner | null;
  /** For filters: what of a record is known. */
  like: BriefRecord;
}

/** All of them whose journal tells what they are. */
export function unfinishedRuns(store: RunStore): UnfinishedRun[] {
  return store.unfinished().flatMap((id): UnfinishedRun[] => {
    const journal = store.journal(id).read();
    const started = journal.find(({ event }) => event === 'started') as
      { spec?: RunSpec; dataset?: { name: string; hash: string } } | undefined;
    if (started?.spec === undefined || started.dataset === undefined) return [];
    const { dataset } = started;
    const spec = upgradedSpec({ ...started.spec }) as unknown as RunSpec;
    const last = journal[journal.length - 1];
    const checkpoint = journal.filter(({ event }) => event === 'checkpoint' || event === 'started').at(-1);
    const method = methods.nameOf(spec);
    return [
      {
        id,
        method,
        dataset: dataset.name,
        seed: spec.seed,
        epochs: epochsOf(spec),
        epochsDone: Number(checkpoint?.epoch ?? 0),
        lastEvent: `${last.event} at ${last.at}`,
        owner: ownerOf(store.folder(id)),
        like: { id, method, status: 'unfinished', spec, dataset, finishedAt: last.at } as unknown as BriefRecord,
      },
    ];
  });
}

/** Epochs of a run; those of its spec if its reset policy is not loaded. */
function epochsOf(spec: RunSpec): number {
  try {
    return timetable(spec).epochs;
  } catch {
    return spec.epochs;
  }
}
