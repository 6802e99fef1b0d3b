// The data sets by name: what the catalog holds, and how one is loaded, prepared first when it is not.
import fs from 'node:fs';
import path from 'node:path';
import { KitError, unknownName } from '../base/errors';
import { kitHome } from '../base/home';
import type { Dataset, DatasetSpec } from './dataset';
import { findDataset, knownDatasets, type KnownDataset } from './definitions';
import { isImageFolder, readImageFolder } from './folder/image-folder';
import { digestImages, prepare, type WorkOptions } from './prepare/prepare';
import { readStamp } from './prepare/stamp';

/** Where and how to load a data set. */
export interface LoadOptions extends WorkOptions {
  /** The folder that holds prepared data sets, one folder each. Default `kitHome('data')`. */
  root?: string;
  /**
   * A folder (or one archive) that holds the files, downloaded by hand: official ones, or a re-packed or extracted
   * copy. Default: they are downloaded.
   */
  from?: string;
}

/** The data sets of the kit, those of extensions, and folders of the user's. */
export interface Datasets {
  /** All data sets with a name: the kit's sorted by name, then those of `defineDataset`. */
  list(): DatasetSpec[];
  /**
   * The data set of that name, prepared when it is not (downloaded, verified, extracted, counted, hashed); or the
   * one in the folder that `name` is the path of. When it is prepared this reads one small file and the images' sizes.
   * @throws KitError `UNKNOWN_DATA_SET` for a name that is not known; those of `prepare` and `readImageFolder`.
   */
  load(name: string, options?: LoadOptions): Promise<Dataset>;
  /** The data set in a folder. See `readImageFolder`. */
  fromFolder(dir: string, options?: WorkOptions): Promise<Dataset>;
  /** Whether `load` would have nothing to prepare; for the path of a folder, whether it has a known layout. */
  state(name: string, options?: { root?: string }): 'ready' | 'missing';
  /**
   * Reads every image of a prepared data set again and compares it with what was prepared.
   * @throws KitError `DATASET_NOT_PREPARED`; `DATASET_DAMAGED`, which names images that differ or are missing.
   */
  verify(name: string, options?: LoadOptions): Promise<Dataset>;
}

/** The data sets of the kit and of extensions, by name, and folders of the user's, by path. */
export const datasets: Datasets = {
  list: () => knownDatasets().map(({ spec }) => structuredClone(spec)),
  async load(name, options = {}) {
    const known = find(name);
    if (known === undefined) return readImageFolder(name, options);
    const home = homeOf(name, options);
    return readStamp(home, known.spec)?.dataset ?? prepare(home, known.spec, { ...options, reader: known.reader });
  },
  fromFolder: readImageFolder,
  state(name, options = {}) {
    const known = find(name);
    const ready = known ? readStamp(homeOf(name, options), known.spec) !== undefined : isImageFolder(name);
    return ready ? 'ready' : 'missing';
  },
  async verify(name, options = {}) {
    const known = find(name);
    if (known === undefined) return readImageFolder(name, options);
    const home = homeOf(name, options);
    const stamp = readStamp(home, known.spec);
    if (stamp === undefined) {
      throw new KitError(`The data set ${name} is not prepared in ${home}: all or some of its files are missing.`, {
        code: 'DATASET_NOT_PREPARED',
        fix: `npx rifle data prepare ${name}`,
      });
    }
    const digests = await digestImages(stamp.dataset, `verify ${name}`, options);
    const damaged = [...digests].filter(([file, digest]) => stamp.digests.get(file) !== digest).map(([file]) => file);
    if (damaged.length > 0) {
      const some = `${damaged.slice(0, 5).join(', ')}${damaged.length > 5 ? ' ...' : ''}`;
      throw new KitError(
        `${damaged.length} images of the data set ${name} have changed since it was prepared: ${some}.`,
        {
          code: 'DATASET_DAMAGED',
          fix: `Delete the folder ${home}, then run \`npx rifle data prepare ${name}\`.`,
        },
      );
    }
    return stamp.dataset;
  },
};

const homeOf = (name: string, { root }: { root?: string }): string => path.join(root ?? kitHome('data'), name);

/** The data set of that name; undefined when the name is the path of a folder. */
function find(name: string): KnownDataset | undefined {
  const known = findDataset(name);
  if (known !== undefined || fs.existsSync(name) || name === '.' || name === '..') return known;
  const isName = /^[\w.-]+\/[\w.-]+$/.test(name) && !name.startsWith('.');
  if (/[/\\]/.test(name) && !isName) return undefined;
  const names = knownDatasets().map(({ spec }) => spec.name);
  const { message, code, fix } = unknownName('data set', name, names);
  const extension = isName ? ' A name with a slash is known once the file that defines it is loaded.' : '';
  throw new KitError(message, {
    code,
    fix:
      `${fix}${extension} Or give the path of a folder with images: ` +
      '<class>/*, or train/<class>/* and test/<class>/*.',
  });
}
