// The data sets by name: what the catalog holds, and how one is loaded, made ready first when it is not.
import fs from 'node:fs';
import path from 'node:path';
import { KitError, unknownName } from '../base/errors';
import { kitHome } from '../base/home';
import type { Dataset, DatasetSpec } from './dataset';
import { readImageFolder } from './image-folder';
import { readManifests } from './prepare/manifest';
import { digestImages, prepare, readStamp, type WorkOptions } from './prepare/prepare';

/** Where and how to load a data set. */
export interface LoadOptions extends WorkOptions {
  /** The folder that holds prepared data sets, one folder each. Default `kitHome('data')`. */
  root?: string;
  /**
   * A folder (or one archive) that holds the files, fetched by hand: official ones, or a re-packed or unpacked copy.
   * Default: they are fetched.
   */
  from?: string;
}

/** The data sets of the kit, and folders of one's own. */
export interface Datasets {
  /** What the catalog knows, sorted by name. */
  list(): DatasetSpec[];
  /**
   * The data set of that name, made ready when it is not (fetched, verified, unpacked, counted, hashed); or the one in
   * the folder that
   * `name` is the path of. When it is ready this reads one small file and looks at the images' sizes.
   * @throws KitError when the name is not known, nothing can be fetched, or what was fetched is not what it should be.
   */
  load(name: string, options?: LoadOptions): Promise<Dataset>;
  /** The data set in a folder `train/<class>/*`, `test/<class>/*`. See `readImageFolder`. */
  fromFolder(dir: string, options?: WorkOptions): Promise<Dataset>;
  /** Whether `load` would have nothing to make; for the path of a folder, whether it has both splits. */
  state(name: string, options?: { root?: string }): 'ready' | 'missing';
  /**
   * Reads every image of a prepared data set again and compares it with what was prepared.
   * @throws KitError that names the images that differ or are missing, or when it is not prepared.
   */
  verify(name: string, options?: LoadOptions): Promise<Dataset>;
}

/** The data sets of the kit, by name, and folders of one's own, by path. */
export const datasets: Datasets = {
  list: readManifests,
  async load(name, options = {}) {
    const spec = find(name);
    if (spec === undefined) return readImageFolder(name, options);
    const home = path.join(options.root ?? kitHome('data'), name);
    return readStamp(home, spec)?.dataset ?? prepare(home, spec, options);
  },
  fromFolder: readImageFolder,
  state(name, options = {}) {
    const spec = find(name);
    const ready = spec
      ? readStamp(path.join(options.root ?? kitHome('data'), name), spec) !== undefined
      : ['train', 'test'].every((split) => fs.existsSync(path.join(name, split)));
    return ready ? 'ready' : 'missing';
  },
  async verify(name, options = {}) {
    const spec = find(name);
    if (spec === undefined) return readImageFolder(name, options);
    const home = path.join(options.root ?? kitHome('data'), name);
    const stamp = readStamp(home, spec);
    if (stamp === undefined)
      throw new KitError(`The data set ${name} is not ready in ${home}: missing, or files of it are.`, {
        fix: `npx rifle data prepare ${name}`,
      });
    const digests = await digestImages(stamp.dataset, `verify ${name}`, options);
    const damaged = [...digests].filter(([file, digest]) => stamp.digests.get(file) !== digest).map(([file]) => file);
    if (damaged.length > 0) {
      throw new KitError(
        `Of the data set ${name}, ${damaged.length} images are not what was prepared: ${damaged.slice(0, 5).join(', ')}${damaged.length > 5 ? ' ...' : ''}.`,
        {
          fix: `Delete the folder ${home}, then run \`npx rifle data prepare ${name}\`.`,
        },
      );
    }
    return stamp.dataset;
  },
};

/** The spec of that name; undefined when the name is the path of a folder. */
function find(name: string): DatasetSpec | undefined {
  const known = readManifests();
  const spec = known.find((candidate) => candidate.name === name);
  if (spec !== undefined || /[/\\]/.test(name) || name === '.' || name === '..' || fs.existsSync(name)) return spec;
  const error = unknownName(
    'data set',
    name,
    known.map((candidate) => candidate.name),
  );
  throw new KitError(error.message, {
    fix: `${error.fix} Or give the path of a folder with train/<class>/* and test/<class>/*.`,
  });
}
