// Whether what a run left is still what it left: checksums, the id that its content gives, and numbers that fit each
// other.
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors } from '../../backbones/weights/readers/safetensors';
import { KitError } from '../../base/errors';
import { isNewerKit, kitVersion } from '../../base/home';
import { datasets } from '../../data/catalog';
import { selectImages } from '../selected-images';
import { KIT_NUMERICS, olderRunId, runId } from './identity';
import type { RunRecord } from './record';
import { hashFile, recordSum, type RunStore } from './store';

/** What was found of one run. */
export interface RunVerdict {
  run: string;
  /**
   * `sound`; `unchecked`: sound as far as can be told, its record has no checksums (kit 0.1); `wrong`: see `problems`;
   * `unfinished`.
   */
  state: 'sound' | 'unchecked' | 'wrong' | 'unfinished';
  problems: string[];
}

/** Looks at the run `id`. @param options.data also load its data set again and compare hashes. */
export async function verifyRun(
  store: RunStore,
  id: string,
  { data = false }: { data?: boolean } = {},
): Promise<RunVerdict> {
  const problems: string[] = [];
  let found: ReturnType<RunStore['findWithSums']>;
  try {
    found = store.findWithSums(id);
  } catch (error) {
    return { run: id, state: 'wrong', problems: [(error as Error).message] };
  }
  if (found === null) {
    if (!fs.existsSync(store.folder(id)))
      throw new KitError(`There is no run ${id} in ${store.root}.`, { fix: 'See `npx rifle runs list`.' });
    return { run: id, state: 'unfinished', problems };
  }
  const { record, written, checksums } = found;
  if (record.numerics.kit > KIT_NUMERICS || isNewerKit(record.environment.kit)) {
    problems.push(
      `it was made by a newer rifle-kit, ${record.environment.kit} (numerics ${record.numerics.kit}); this is ${kitVersion()} (${KIT_NUMERICS}): update the kit`,
    );
  }
  if (checksums !== null && checksums.record !== recordSum(written))
    problems.push('record.json was changed after it was written: its checksum is not that of its content');
  const named = idOfContent(record, written);
  if (named === null)
    problems.push('its id cannot be checked: a definition that its spec uses is not loaded (--extension FILE)');
  else if (named !== id)
    problems.push(`its spec, data and weights give the id ${named}: one of them is not what was run`);
  if (record.status === 'finished') {
    const last = record.epochs.at(-1);
    if (last?.top1 !== record.top1) problems.push(`top1 is ${record.top1}, the last epoch's ${last?.top1}`);
    if (record.epochs.some((row, i) => row.epoch !== i + 1)) problems.push('its epochs are not 1, 2, 3, ...');
  }
  for (const [name, sum] of Object.entries(checksums ?? { 'layers.json': null })) {
    if (name === 'record') continue;
    const file = path.join(store.folder(id), name);
    if (!fs.existsSync(file)) problems.push(`${name} is missing`);
    else if (sum !== null && (await hashFile(file)) !== sum) problems.push(`${name} was changed after it was written`);
  }
  try {
    store.layers(id);
  } catch (error) {
    problems.push((error as Error).message);
  }
  if (checksums === null && store.weights(id) !== null)
    await readSafetensors(store.weights(id)!).catch((error: Error) => problems.push(error.message));
  if (data) problems.push(...(await changedData(store, id)));
  return { run: id, state: problems.length > 0 ? 'wrong' : checksums === null ? 'unchecked' : 'sound', problems };
}

/** The id that the content of a record gives; null when it uses a definition that is not loaded. */
function idOfContent(record: RunRecord, written: object): string | null {
  if (record.format === 1) return olderRunId(written as Parameters<typeof olderRunId>[0]);
  try {
    const { spec, dataset, weights, numerics } = record;
    return runId({ spec, data: dataset.hash, weights: weights.hash }, numerics);
  } catch (error) {
    if (error instanceof KitError && error.code.startsWith('UNKNOWN_')) return null;
    throw error;
  }
}

/** What differs of the data set of the run `id` from what it was. */
async function changedData(store: RunStore, id: string): Promise<string[]> {
  const { spec, dataset } = store.find(id)!;
  const started = store
    .journal(id)
    .read()
    .find(({ event }) => event === 'started') as { dataset?: { from: string } } | undefined;
  try {
    const { hash } = selectImages(await datasets.load(started?.dataset?.from ?? spec.dataset), spec);
    return hash === dataset.hash
      ? []
      : [`the data set ${dataset.name} has changed since: its hash was ${dataset.hash}, it is ${hash}`];
  } catch (error) {
    return [`the data set ${dataset.name} cannot be read: ${(error as Error).message}`];
  }
}
