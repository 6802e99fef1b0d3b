// The store of runs: one folder a run, named by the hash of everything its numbers depend on.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errnoOf, KitError } from '../../base/errors';
import { sha256File } from '../../base/files/file-hash';
import { writeWhole } from '../../base/files/write-whole';
import { kitHome } from '../../base/home';
import { Journal } from './journal';
import type { LayerRow, RunRecord } from './record';
import { layersText, readLayers, readRecord, recordText, type StoredRecord } from './format/record-file';
import { readPredictions, type RunPredictions } from './predictions';
import { indexedRecords, type BriefRecord } from './record-index';
import { RUN_ID } from './format/record-schema';

/** Called with a run whose record cannot be used, and why. */
export type OnDamaged = (id: string, error: KitError) => void;

/**
 * Runs in a folder. A finished or failed run has `record.json`, `layers.json`, `journal.jsonl`, and weights where they
 * were asked for. An unfinished one has `journal.jsonl`, `checkpoints`, and the `lock` of the process that makes it.
 * Folders with other names than a run's id are not looked at.
 */
export class RunStore {
  /**
   * @param root default: the folder in the environment variable RIFLE_RUNS, or `runs` in the kit's home. Made when
   * first written to.
   */
  constructor(readonly root: string = process.env.RIFLE_RUNS || kitHome('runs')) {}

  private file(id: string, name = 'record.json'): string {
    return path.join(this.root, id, name);
  }

  /**
   * Gradient, update and distance of every layer and epoch of the run `id`.
   * @throws KitError RUN_UNKNOWN when there is no such run; LAYERS_DAMAGED when the rows cannot be used.
   */
  layers(id: string): LayerRow[] {
    const rows = RUN_ID.test(id) ? readLayers(this.file(id, 'layers.json')) : null;
    if (rows !== null) return rows;
    throw new KitError(`There is no finished run ${id} in ${this.root}.`, {
      code: 'RUN_UNKNOWN',
      fix: 'Make it first: `npx rifle reproduce` or `npx rifle train`.',
    });
  }

  /**
   * The final weights of the run `id`, in the names and layouts of the file they came from, or those of its `best`
   * epoch: the first of the highest validation top-1, where the run was evaluated on validation images. A best epoch is
   * never chosen on test images. Null when the run was not asked to keep them.
   */
  weights(id: string, which: 'last' | 'best' = 'last'): string | null {
    const file = this.weightsFile(id, which);
    // one file where the last epoch is the best, or none was chosen
    return fs.existsSync(file) ? file : which === 'best' ? this.weights(id) : null;
  }

  /** Where weights of the run `id` are kept. */
  weightsFile(id: string, which: 'last' | 'best' = 'last'): string {
    return this.file(id, which === 'last' ? 'weights.safetensors' : 'best-weights.safetensors');
  }

  /**
   * What the run `id` predicted for the images that it was evaluated on: at its last epoch, or at its `best` one (see
   * `weights`). `null` of a run that is not finished, and of runs of kit 0.1.
   * @throws KitError `PREDICTIONS_DAMAGED`.
   */
  async predictions(id: string, which: 'last' | 'best' = 'last'): Promise<RunPredictions | null> {
    const file = this.predictionsFile(id, which);
    if (fs.existsSync(file)) return readPredictions(file);
    return which === 'best' ? this.predictions(id) : null;
  }

  /** Where predictions of the run `id` are kept. */
  predictionsFile(id: string, which: 'last' | 'best' = 'last'): string {
    return this.file(id, which === 'last' ? 'predictions.safetensors' : 'best-predictions.safetensors');
  }

  /** The folder of the run `id`. */
  folder(id: string): string {
    return path.join(this.root, id);
  }

  /** What happened to the run `id`. */
  journal(id: string): Journal {
    return new Journal(this.folder(id));
  }

  /** Ids of all runs, finished or not. */
  ids(): string[] {
    if (!fs.existsSync(this.root)) return [];
    return fs
      .readdirSync(this.root)
      .filter((id) => RUN_ID.test(id))
      .sort();
  }

  /** Ids of the runs that were started and have no record yet. */
  unfinished(): string[] {
    return this.ids().filter((id) => !fs.existsSync(this.file(id)));
  }

  /** The record of `id`; null when the run has none yet. @throws as `findWithSums`. */
  find(id: string): RunRecord | null {
    return this.findWithSums(id)?.record ?? null;
  }

  /**
   * The record of `id`, checked, and its checksums, which records of kit 0.1 do not have.
   * @throws KitError RECORD_DAMAGED, RECORD_NEWER or RECORD_UNREADABLE, see `readRecord`.
   */
  findWithSums(id: string): StoredRecord | null {
    return RUN_ID.test(id) ? readRecord(this.file(id), id) : null;
  }

  /**
   * Makes the folder, and makes sure that there is room for a record, before hours are spent on a run.
   * @throws KitError STORE_NOT_WRITABLE.
   */
  requireRoom(): void {
    try {
      fs.mkdirSync(this.root, { recursive: true });
      fs.accessSync(this.root, fs.constants.W_OK);
      const { bavail, bsize } = fs.statfsSync(this.root);
      if (bavail * bsize < RECORD_ROOM)
        throw Object.assign(new Error(`only ${bavail * bsize} bytes are free`), { code: 'ENOSPC' });
    } catch (cause) {
      throw notWritten('STORE_NOT_WRITABLE', `Runs cannot be kept in ${this.root}`, cause);
    }
  }

  /**
   * Writes a run that ended, its record last: whole or not at all, flushed to the disk.
   * @throws KitError RUN_NOT_WRITTEN.
   */
  async put(record: RunRecord, layers: readonly LayerRow[]): Promise<void> {
    const file = this.file(record.id);
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const text = layersText(layers);
      const sums: Record<string, string> = { 'layers.json': createHash('sha256').update(text).digest('hex') };
      const beside = (['last', 'best'] as const).flatMap((which) => [
        this.weightsFile(record.id, which),
        this.predictionsFile(record.id, which),
      ]);
      for (const kept of beside) if (fs.existsSync(kept)) sums[path.basename(kept)] = await sha256File(kept);
      await writeWhole(this.file(record.id, 'layers.json'), text);
      await writeWhole(file, recordText(record, sums));
    } catch (cause) {
      throw notWritten('RUN_NOT_WRITTEN', `The run ${record.id} ended but could not be written to ${file}`, cause);
    }
  }

  /** All records, oldest first. @param onDamaged default: a record that cannot be used is an error. */
  list(onDamaged?: OnDamaged): RunRecord[] {
    const read = this.reader(onDamaged);
    return oldestFirst(this.ids().flatMap((id) => read(id) ?? []));
  }

  /**
   * The same, quickly, from an index: the `epochs` of each record hold the last one alone. @param onDamaged as `list`.
   */
  brief(onDamaged?: OnDamaged): BriefRecord[] {
    if (!fs.existsSync(this.root)) return [];
    return oldestFirst(indexedRecords(this.root, this.ids(), this.reader(onDamaged)));
  }

  private reader(onDamaged?: OnDamaged): (id: string) => RunRecord | null {
    return (id) => {
      try {
        return this.find(id);
      } catch (error) {
        if (onDamaged === undefined || !(error instanceof KitError)) throw error;
        onDamaged(id, error);
        return null;
      }
    };
  }
}

/** Sorts in place. Times are of one format: their texts compare as they do. */
const oldestFirst = (records: RunRecord[]): RunRecord[] =>
  records.sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));

/** Bytes that a record may take: 40 epochs of 100 layers take 0.4 MB. */
const RECORD_ROOM = 4_000_000;

function notWritten(code: string, what: string, cause: unknown): KitError {
  const isFull = ['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '');
  return new KitError(`${what}: ${(cause as Error).message}`, {
    code,
    fix: isFull
      ? 'The disk is full: free some space and run it again.'
      : 'Check that the folder can be written to, or choose another with --runs.',
    cause,
  });
}
