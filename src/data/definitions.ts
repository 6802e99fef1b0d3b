// The data sets that can be loaded by name: those of the kit, and those that extensions define.
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
  /** The file or notebook cell that defined it; `rifle-kit` for those of the kit. */
  origin: string;
}

/** Origin of the data sets of the kit. */
const KIT = 'rifle-kit';

const known = new Map<string, KnownDataset>();
let hasOwn = false;

/**
 * Adds a data set. One of the same name and origin is replaced.
 * @throws KitError `DATASET_NAME_TAKEN` when the name is known from elsewhere.
 */
export function registerDataset(dataset: KnownDataset): void {
  const { spec, origin } = dataset;
  if (origin !== KIT) registerOwn();
  const before = known.get(spec.name);
  if (before !== undefined && before.origin !== origin) {
    throw new KitError(
      `The data set ${quoted(spec.name)} is defined in ${before.origin}, and cannot be defined again in ${origin}.`,
      { code: 'DATASET_NAME_TAKEN', fix: 'Rename one of the two.' },
    );
  }
  known.set(spec.name, dataset);
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
    registerDataset({ spec, reader: readers[spec.reader], origin: KIT });
  }
}

/** All data sets, those of the kit first, each sorted by name (numbers by their value). */
export function knownDatasets(): KnownDataset[] {
  registerOwn();
  const order = new Intl.Collator('en', { numeric: true });
  return [...known.values()].sort(
    (a, b) => Number(a.origin !== KIT) - Number(b.origin !== KIT) || order.compare(a.spec.name, b.spec.name),
  );
}

/** The data set of that name; undefined when there is none. */
export function findDataset(name: string): KnownDataset | undefined {
  registerOwn();
  return known.get(name);
}
