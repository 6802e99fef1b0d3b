// Refuses to mix two versions of an image folder in one store.
import fs from 'node:fs';
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../base/errors';
import type { Dataset } from '../data/dataset';
import type { RunSpec } from '../transfer/spec/spec';
import type { StartedRun } from './store/journal';
import type { RunStore } from './store/store';

/** The source of a data set: the path of its folder, or its name in the catalog. */
export const sourceOf = (dataset: string): string => (fs.existsSync(dataset) ? fs.realpathSync(dataset) : dataset);

/**
 * Refuses a run if the store has a run of the same spec and folder with other images: both would be in one table. A
 * data set of the catalog has a fixed hash and is not checked.
 */
export function refuseChanged(
  store: RunStore,
  { id, spec, dataset, from }: { id: string; spec: RunSpec; dataset: Dataset; from: string },
): void {
  if (!fs.existsSync(from)) return;
  const text = stableStringify(spec);
  const others = store
    .brief(() => undefined)
    .filter(
      (record) =>
        record.id !== id &&
        record.dataset.name === dataset.name &&
        record.dataset.hash !== dataset.hash &&
        stableStringify(record.spec) === text,
    );
  const ids = [...others.map((record) => record.id), ...store.unfinished().filter((other) => other !== id)];
  for (const other of ids) {
    const started = startedOf(store, other);
    if (
      started?.dataset.from !== sourceOf(from) ||
      started.dataset.hash === dataset.hash ||
      stableStringify(started.spec) !== text
    )
      continue;
    throw new KitError(
      `The images in ${from} have changed since the run ${other}: their hash was ${started.dataset.hash}, it is ` +
        `${dataset.hash}.`,
      {
        code: 'DATASET_CHANGED',
        fix:
          `Restore the images, use another folder for the new runs (--runs), or delete the old run: npx ` +
          `rifle runs prune ${other} --yes.`,
      },
    );
  }
}

/** What the journal of a run says of it; null where it does not, or cannot be used: it does not stop other runs. */
function startedOf(store: RunStore, id: string): StartedRun | null {
  try {
    return store.journal(id).started();
  } catch {
    return null;
  }
}
