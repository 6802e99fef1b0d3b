// Writes runs as one file that can be archived, cited and imported: a gzipped tar archive, which is an RO-Crate.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import path from 'node:path';
import { makeAtomically } from '../../base/files/atomic';
import { KitError } from '../../base/errors';
import { tar } from '../../base/packages';
import { recordText } from '../store/format/record-file';
import type { RunStore } from '../store/store';
import { verifyRun } from '../store/verify';
import { crateOf, type CrateRun } from './crate';
import { CRATE, RUN_FILES, runPath, writeManifest } from './manifest';

/** What was written. */
export interface WrittenBundle {
  /** Absolute. */
  path: string;
  bytes: number;
  runs: string[];
}

/**
 * Writes records, numbers of layers and predictions of the runs `ids` to `file`. The same runs give the same content.
 * Weights, journals and checkpoints stay behind.
 * @param options.name of the bundle, in its metadata. Default: the file's name.
 * @throws KitError BUNDLE_NO_RUNS; BUNDLE_RUN_UNFINISHED; BUNDLE_RUN_WRONG for a run that `rifle runs verify` rejects.
 */
export async function exportBundle(
  store: RunStore,
  ids: readonly string[],
  file: string,
  { name = path.basename(file) }: { name?: string } = {},
): Promise<WrittenBundle> {
  const runs = [...new Set(ids)].sort();
  if (runs.length === 0)
    throw new KitError('A bundle needs at least one finished run, found none.', {
      code: 'BUNDLE_NO_RUNS',
      fix: 'See `npx rifle runs list`.',
    });
  const final = path.resolve(file);
  const folder = `${final}.content`;
  await makeAtomically(final, async (partial) => {
    await fsp.rm(folder, { recursive: true, force: true });
    try {
      const described: CrateRun[] = [];
      for (const id of runs) described.push(await stageRun(store, id, folder));
      await fsp.writeFile(path.join(folder, CRATE), `${JSON.stringify(crateOf(described, { name }), null, 1)}\n`);
      await writeManifest(folder, runs);
      const names = (await fsp.readdir(folder)).sort();
      // No times, users or rights of this machine: the same content gives the same archive.
      const portable = { portable: true, mtime: new Date(0), noMtime: false };
      await tar().create({ file: partial, cwd: folder, gzip: { level: 9 }, ...portable }, names);
    } finally {
      await fsp.rm(folder, { recursive: true, force: true });
    }
  });
  return { path: final, bytes: (await fsp.stat(final)).size, runs };
}

/** Copies the files of a run into `folder`. Its checksums are then of these files alone. */
async function stageRun(store: RunStore, id: string, folder: string): Promise<CrateRun> {
  const { state, problems } = await verifyRun(store, id);
  if (state === 'unfinished')
    throw new KitError(`The run ${id} is not finished.`, {
      code: 'BUNDLE_RUN_UNFINISHED',
      fix: 'Wait until it is finished, or leave it out.',
    });
  if (state === 'wrong')
    throw new KitError(`The run ${id} is not put into a bundle: ${problems.join('; ')}.`, {
      code: 'BUNDLE_RUN_WRONG',
      fix: `See \`npx rifle runs verify ${id}\`.`,
    });
  const { record, checksums } = store.findWithSums(id)!;
  if (checksums === null)
    throw new KitError(`The run ${id} has no checksums: kit 0.1 made it.`, {
      code: 'BUNDLE_RUN_WRONG',
      fix: 'Leave it out, or repeat it with this kit.',
    });
  const to = path.join(folder, runPath(id));
  await fsp.mkdir(to, { recursive: true });
  const files = RUN_FILES.filter((name) => name !== 'record.json' && fs.existsSync(path.join(store.folder(id), name)));
  for (const name of files) await fsp.copyFile(path.join(store.folder(id), name), path.join(to, name));
  const sums = Object.fromEntries(files.flatMap((name) => (checksums[name] ? [[name, checksums[name]]] : [])));
  await fsp.writeFile(path.join(to, 'record.json'), recordText(record, sums));
  return { record, files: ['record.json', ...files] };
}
