// Reads bundles: checked whole before anything of it is used, and never over a run that differs.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { isNewerKit, kitVersion } from '../../base/home';
import { makeAtomically } from '../../base/files/atomic';
import { extract } from '../../data/fetch/archive';
import { isCurrent, KIT_NUMERICS } from '../store/identity';
import { RunStore } from '../store/store';
import { verifyRun } from '../store/verify';
import { gradeExecution, type Execution } from './grade';
import { readManifest } from './manifest';

/** What became of a run of a bundle. */
export interface ImportedRun {
  run: string;
  /**
   * `imported`; `present`: the store has this record; `repeated`: the store has an execution of its own, of the same
   * bits; `differs`: the store has the run with other numbers; `unfinished`: the store has begun the run. Only
   * imported runs change the store.
   */
  state: 'imported' | 'present' | 'repeated' | 'differs' | 'unfinished';
  /** Whether the present code would give its numbers. Otherwise it is not compared with new runs. */
  isCurrent: boolean;
}

/** Most bytes and files of a bundle. */
const BOUNDS = { maxBytes: 4 * 2 ** 30, maxFiles: 400_000 };

/**
 * Calls `use` with a store of the runs of a bundle, which is deleted afterwards.
 * @param bundle the file, or a folder with one named `runs.tar.gz`.
 * @throws KitError BUNDLE_MISSING; BUNDLE_DAMAGED for content that is not as it was written; BUNDLE_NEWER for a newer
 *   form, or runs of a newer kit; BUNDLE_RUN_WRONG for a run that `rifle runs verify` rejects; ARCHIVE_* for a file
 *   that is no sound archive. See `extract`.
 */
export async function withBundle<T>(bundle: string, use: (runs: RunStore) => Promise<T>): Promise<T> {
  const isFolder = fs.statSync(bundle, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder ? path.join(bundle, 'runs.tar.gz') : bundle;
  if (!fs.existsSync(file))
    throw new KitError(`There is no bundle ${file}.`, {
      code: 'BUNDLE_MISSING',
      fix: 'Give the file that `npx rifle runs export --bundle FILE` wrote, or its folder.',
    });
  const parent = await fsp.mkdtemp(path.join(os.tmpdir(), 'rifle-bundle-'));
  try {
    const folder = path.join(parent, 'bundle');
    await extract(file, folder, BOUNDS);
    const { runs } = await readManifest(folder, file);
    const store = new RunStore(path.join(folder, 'runs'));
    for (const id of runs) await requireSound(store, id, file);
    return await use(store);
  } finally {
    await fsp.rm(parent, { recursive: true, force: true });
  }
}

async function requireSound(store: RunStore, id: string, file: string): Promise<void> {
  const record = store.find(id)!; // the manifest was checked: it is there
  const { kit } = record.environment;
  if (record.numerics.kit > KIT_NUMERICS || isNewerKit(kit))
    throw new KitError(`The run ${id} of the bundle ${file} is from rifle-kit ${kit}. This is ${kitVersion()}.`, {
      code: 'BUNDLE_NEWER',
      fix: `Update the kit to ${kit}.`,
    });
  const { state, problems } = await verifyRun(store, id);
  if (state === 'wrong')
    throw new KitError(`The run ${id} of the bundle ${file} is wrong: ${problems.join('; ')}.`, {
      code: 'BUNDLE_RUN_WRONG',
      fix: 'Get the bundle again from where it came from. For a definition of a study, give --extension FILE.',
    });
}

/**
 * Copies the runs of `bundle` that `store` does not have into it, each whole or not at all.
 * @throws KitError as `withBundle`; then nothing is imported.
 */
export async function importBundle(store: RunStore, bundle: string): Promise<ImportedRun[]> {
  return withBundle(bundle, async (runs) => {
    const results: ImportedRun[] = [];
    for (const id of runs.ids())
      results.push({ run: id, state: await importRun(store, runs, id), isCurrent: isCurrent(runs.find(id)!) });
    return results;
  });
}

async function importRun(store: RunStore, from: RunStore, id: string): Promise<ImportedRun['state']> {
  const theirs = from.findWithSums(id)!;
  if (fs.existsSync(store.folder(id))) {
    const ours = store.findWithSums(id);
    if (ours === null) return 'unfinished';
    if (ours.checksums?.record === theirs.checksums?.record) return 'present';
    const none = { firstLoss: 0, top1: 0 };
    const { grade } = gradeExecution(await executionOf(from, id), await executionOf(store, id), none);
    return grade === 'same bits' ? 'repeated' : 'differs';
  }
  await makeAtomically(store.folder(id), async (partial) => {
    await fsp.cp(from.folder(id), partial, { recursive: true });
  });
  return 'imported';
}

/** The run `id` of `store` as an execution. @throws KitError when its files cannot be used. */
export async function executionOf(store: RunStore, id: string): Promise<Execution> {
  return { record: store.find(id)!, layers: store.layers(id), predictions: await store.predictions(id) };
}
