// Verifies a run of a store: checksums, the id that its content gives, and numbers that agree with each other.
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors } from '../../backbones/weights/readers/safetensors';
import { KitError } from '../../base/errors';
import { isNewerKit, kitVersion } from '../../base/home';
import { datasets } from '../../data/catalog';
import { selectImages } from '../selected-images';
import { sha256File } from '../../base/files/file-hash';
import { unknownRun } from './selection';
import { KIT_NUMERICS, olderRunId, runId } from './identity';
import type { RunRecord } from './record';
import type { RunStore } from './store';

/** The result for one run. */
export interface RunVerdict {
  run: string;
  /**
   * `sound`; `unchecked`: no problem was found, but the record has no checksums (kit 0.1); `wrong`: see `problems`;
   * `unfinished`: it has no record yet.
   */
  state: 'sound' | 'unchecked' | 'wrong' | 'unfinished';
  problems: string[];
}

/**
 * Verifies the run `id`. @param options.data also load its data set again and compare hashes.
 * @throws KitError RUN_UNKNOWN when there is no such run.
 */
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
    if (!fs.existsSync(store.folder(id))) throw unknownRun(store, id);
    return { run: id, state: 'unfinished', problems };
  }
  const { record, written, checksums } = found;
  if (record.numerics.kit > KIT_NUMERICS || isNewerKit(record.environment.kit)) {
    problems.push(
      `rifle-kit ${record.environment.kit} made it (numerics ${record.numerics.kit}), which is newer than ` +
        `this one, ${kitVersion()} (${KIT_NUMERICS}): update the kit`,
    );
  }
  const named = idOfContent(record, written);
  if (named === null)
    problems.push('its id cannot be checked: a definition that its spec uses is not loaded (--extension FILE)');
  else if (named !== id) problems.push(`its spec, data and weights give the id ${named}: one of them was changed`);
  if (record.status === 'finished') {
    const last = record.epochs.at(-1);
    if (last?.top1 !== record.top1) problems.push(`top1 is ${record.top1}, the last epoch's ${last?.top1}`);
    if (record.epochs.some((row, i) => row.epoch !== i + 1)) problems.push('its epochs are not 1, 2, 3, ...');
  }
  for (const [name, sum] of Object.entries(checksums ?? { 'layers.json': null })) {
    if (name === 'record') continue;
    const file = path.join(store.folder(id), name);
    if (!fs.existsSync(file)) problems.push(`${name} is missing`);
    else if (sum !== null && (await sha256File(file)) !== sum)
      problems.push(`${name} was changed after it was written`);
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

/** How the data set of the run `id` has changed since. */
async function changedData(store: RunStore, id: string): Promise<string[]> {
  const { spec, dataset } = store.find(id)!;
  try {
    const started = store.journal(id).started();
    const { hash } = selectImages(await datasets.load(started?.dataset.from ?? spec.dataset), spec);
    return hash === dataset.hash
      ? []
      : [`the data set ${dataset.name} has changed since: its hash was ${dataset.hash}, it is ${hash}`];
  } catch (error) {
    return [`the data set ${dataset.name} cannot be read: ${(error as Error).message}`];
  }
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
