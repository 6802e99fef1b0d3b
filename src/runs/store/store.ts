// The store of runs: one folder a run, named by the hash of everything its numbers depend on.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../../base/errors';
import { isNewerKit, kitHome, kitVersion } from '../../base/home';
import { upgradedRecord } from './older-record';
import { Journal } from './journal';
import type { LayerRow, RunRecord } from './record';
import { readPredictions, type RunPredictions } from './predictions';
import { indexedRecords, type BriefRecord } from './record-index';
import { writeWhole } from '../../base/files/write-whole';

/**
 * The sha256 of what a run left, inside `record.json`: of the record's canonical JSON without these, and of the files
 * beside it.
 */
export interface Checksums {
  record: string;
  [file: string]: string;
}

/** The sha256 of a record's canonical JSON. */
export const recordSum = (record: object): string =>
  createHash('sha256').update(stableStringify(record)!).digest('hex');

/**
 * Runs in a folder. Of each that is over, finished or failed: `record.json`, `layers.json`, `journal.jsonl`, and
 * weights where they were asked
 * for. Of one that is not: `journal.jsonl`, `checkpoints`, and the `lock` of the process that makes it.
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
   * Gradient, update and distance of every layer and epoch of the run `id`. @throws KitError when there is no such run.
   */
  layers(id: string): LayerRow[] {
    const file = this.file(id, 'layers.json');
    if (!fs.existsSync(file))
      throw new KitError(`There is no run ${id} in ${this.root}.`, {
        fix: 'Make it first: `npx rifle reproduce` or `npx rifle train`.',
      });
    try {
      const { columns, rows } = JSON.parse(fs.readFileSync(file, 'utf8')) as { columns: string[]; rows: unknown[][] };
      return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])) as unknown as LayerRow);
    } catch (cause) {
      throw damaged(file, 'it is not JSON', cause);
    }
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

  /** The folder of the run `id`, over or not. */
  folder(id: string): string {
    return path.join(this.root, id);
  }

  /** What happened to the run `id`. */
  journal(id: string): Journal {
    return new Journal(this.folder(id));
  }

  /** Ids of all runs, over or not. */
  ids(): string[] {
    return fs.existsSync(this.root)
      ? fs
          .readdirSync(this.root)
          .filter((id) => /^[0-9a-f]{16}$/.test(id))
          .sort()
      : [];
  }

  /** Ids of the runs that were begun and are not over. */
  unfinished(): string[] {
    return this.ids().filter((id) => !fs.existsSync(this.file(id)));
  }

  /** The record of `id`; null when the run is not over. @throws KitError when the file is damaged. */
  find(id: string): RunRecord | null {
    return this.findWithSums(id)?.record ?? null;
  }

  /**
   * The record of `id`, the record as it was written, and its checksums, which records of kit 0.1 do not have.
   * @throws KitError when the file is damaged.
   */
  findWithSums(id: string): { record: RunRecord; written: object; checksums: Checksums | null } | null {
    const file = this.file(id);
    if (!fs.existsSync(file)) return null;
    let found: Partial<RunRecord> & { checksums?: Checksums };
    try {
      found = JSON.parse(fs.readFileSync(file, 'utf8')) as typeof found;
    } catch (cause) {
      throw damaged(file, 'it is not JSON', cause);
    }
    const { checksums = null, ...record } = found;
    if (
      record.id !== id ||
      (record.status !== 'finished' && record.status !== 'failed') ||
      !Array.isArray(record.epochs)
    ) {
      const kit = record.environment?.kit;
      if (record.id === id && typeof kit === 'string' && isNewerKit(kit)) {
        throw new KitError(
          `The run record ${file} is from rifle-kit ${kit}, which is newer than this one (${kitVersion()}) and writes records of another form.`,
          { fix: `Update the kit to ${kit}.` },
        );
      }
      throw damaged(file, `expected the run ${id}, found ${String(record.status)} ${String(record.id)}`);
    }
    const upgraded = upgradedRecord(record as Record<string, unknown>);
    return { record: { ...upgraded, top1: record.top1 ?? NaN }, written: record, checksums };
  }

  /**
   * Makes the folder, and makes sure that a record will find its place there. @throws KitError before hours are spent
   * on a run that could not be kept.
   */
  requireRoom(): void {
    try {
      fs.mkdirSync(this.root, { recursive: true });
      fs.accessSync(this.root, fs.constants.W_OK);
      const { bavail, bsize } = fs.statfsSync(this.root);
      if (bavail * bsize < RECORD_ROOM)
        throw Object.assign(new Error(`only ${bavail * bsize} bytes are free`), { code: 'ENOSPC' });
    } catch (cause) {
      throw notKept('Runs cannot be kept in', this.root, cause as NodeJS.ErrnoException);
    }
  }

  /** Writes a run that is over, its record last: whole or not at all, flushed to the disk. */
  async put(record: RunRecord, layers: readonly LayerRow[]): Promise<void> {
    const file = this.file(record.id);
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const layersText = tableText(layers);
      const checksums: Checksums = {
        record: recordSum(JSON.parse(JSON.stringify(record)) as object),
        'layers.json': createHash('sha256').update(layersText).digest('hex'),
      };
      const which = ['last', 'best'] as const;
      const beside = which.flatMap((epoch) => [
        this.weightsFile(record.id, epoch),
        this.predictionsFile(record.id, epoch),
      ]);
      for (const kept of beside) if (fs.existsSync(kept)) checksums[path.basename(kept)] = await hashFile(kept);
      await writeWhole(this.file(record.id, 'layers.json'), layersText);
      await writeWhole(file, `${JSON.stringify({ ...record, checksums }, null, 1)}\n`);
    } catch (cause) {
      throw notKept(`The run ${record.id} is over but could not be written to`, file, cause as NodeJS.ErrnoException);
    }
  }

  /** All runs that are over, oldest first; a damaged one is an error. */
  list(): RunRecord[] {
    if (!fs.existsSync(this.root)) return [];
    return oldestFirst(
      fs
        .readdirSync(this.root)
        .sort()
        .map((id) => this.find(id))
        .filter((record): record is RunRecord => record !== null),
    );
  }

  /**
   * The same, quickly, from an index: the `epochs` of each record hold the last one alone. @param onDamaged default: a
   * damaged one is an error.
   */
  brief(onDamaged?: (id: string, error: KitError) => void): BriefRecord[] {
    if (!fs.existsSync(this.root)) return [];
    const read = (id: string): RunRecord | null => {
      try {
        return this.find(id);
      } catch (error) {
        if (onDamaged === undefined) throw error;
        onDamaged(id, error as KitError);
        return null;
      }
    };
    return oldestFirst(indexedRecords(this.root, read));
  }
}

/** Sorts in place. Times are of one format: their texts compare as they do. */
const oldestFirst = (records: RunRecord[]): RunRecord[] =>
  records.sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));

/** The sha256 of a file's bytes. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Rows as JSON, a line each: the names of the columns are written once. */
function tableText(rows: readonly LayerRow[]): string {
  const columns = ['epoch', 'layer', 'place', 'kind', 'gradientNorm', 'updateNorm', 'weightDistance'] as const;
  return `{"columns":${JSON.stringify(columns)},"rows":[\n${rows.map((row) => JSON.stringify(columns.map((column) => row[column]))).join(',\n')}\n]}\n`;
}

/** Bytes that a record may take: 40 epochs of 100 layers take 0.4 MB. */
const RECORD_ROOM = 4_000_000;

const notKept = (what: string, where: string, cause: NodeJS.ErrnoException): KitError => {
  const code = cause.code ?? (cause.cause as NodeJS.ErrnoException | undefined)?.code;
  return new KitError(`${what} ${where}: ${cause.message}`, {
    fix:
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'The disk is full: free some space and run it again.'
        : 'Check that the folder can be written to, or choose another with --runs.',
    cause,
  });
};

const damaged = (file: string, why: string, cause?: unknown): KitError =>
  new KitError(`The run record ${file} is damaged: ${why}.`, {
    fix: 'Delete its folder: the run is then made again.',
    cause,
  });
