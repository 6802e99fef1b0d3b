// The data sets that can be loaded by name: those of the kit, and those that extensions define.
import { Registry, type Origin } from '../base/definitions/registry';
import { KitError } from '../base/errors';
import { quoted } from '../base/visible';
import type { DatasetSpec } from './dataset';
import { readManifests } from './prepare/manifest';
import { readers } from './readers';
import type { DatasetReader } from './readers/reader';

/** What is known of a data set, and how its files are read. */
export interface KnownDataset {
  spec: DatasetSpec;
  reader: DatasetReader;
}

/** All data sets by name. */
export const datasetRegistry = new Registry<KnownDataset>('data set', 'DATASET_NAME_TAKEN');
let hasOwn = false;

/**
 * Adds a data set. One of the same name from the same file is replaced.
 * @throws KitError `DATASET_NAME_TAKEN` when the name is known from elsewhere.
 */
export function registerDataset(dataset: KnownDataset, origin: Origin): void {
  registerOwn();
  datasetRegistry.add(dataset.spec.name, dataset, origin);
}

/** Registers the kit's own data sets, once. */
function registerOwn(): void {
  if (hasOwn) return;
  hasOwn = true;
  for (const spec of readManifests()) {
    if (!Object.hasOwn(readers, spec.reader)) {
      throw new KitError(
        `The manifest of ${spec.name} names the reader ${quoted(spec.reader)}, which does not exist.`,
        {
          code: 'DATASET_READER_UNKNOWN',
          fix: `Known: ${Object.keys(readers).join(', ')}.`,
        },
      );
    }
    datasetRegistry.add(spec.name, { spec, reader: readers[spec.reader] }, { file: __filename, line: null });
  }
}

/** All data sets, those of the kit first, each sorted by name (numbers by their value). */
export function knownDatasets(): KnownDataset[] {
  registerOwn();
  const order = new Intl.Collator('en', { numeric: true });
  const isGuest = ({ spec }: KnownDataset): number => Number(!datasetRegistry.isBuiltIn(spec.name));
  return [...datasetRegistry.list()].sort((a, b) => isGuest(a) - isGuest(b) || order.compare(a.spec.name, b.spec.name));
}

/** The data set of that name; undefined when there is none. */
export function findDataset(name: string): KnownDataset | undefined {
  registerOwn();
  return datasetRegistry.find(name);
}
