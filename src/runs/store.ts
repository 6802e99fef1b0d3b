// The store of finished runs: one folder a run, named by the hash of everything its numbers depend on.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import writeFileAtomic from 'write-file-atomic';
import { KitError } from '../engine/errors';
import { kitHome } from '../engine/home';
import type { RunSpec } from '../transfer/spec';
import type { LayerRow, RunRecord } from './record';

/** Raised whenever a change of the kit changes the numbers of a run: older runs are then made again. */
export const NUMERICS_VERSION = 2;

/** Everything that the numbers of a run depend on. */
export interface RunKey {
  spec: RunSpec;
  dataHash: string;
  weightsHash: string;
}

/** The name of a run in the store: the first 16 hex digits of the sha256 of its key, in canonical JSON, and the numerics version. */
export function runId(key: RunKey): string {
  return createHash('sha256').update(stableStringify({ ...key, numericsVersion: NUMERICS_VERSION })!).digest('hex').slice(0, 16);
}

/** Runs that are over, finished or failed, in a folder. */
export class RunStore {
  /** @param root default: the folder in the environment variable RIFLE_RUNS, or `runs` in the kit's home. Made when first written to. */
  constructor(readonly root: string = process.env.RIFLE_RUNS || kitHome('runs')) {}

  private file(id: string, name = 'record.json'): string {
    return path.join(this.root, id, name);
  }

  /** Gradient, update and distance of every layer and epoch of the run `id`. @throws KitError when there is no such run. */
  layers(id: string): LayerRow[] {
    const file = this.file(id, 'layers.json');
    if (!fs.existsSync(file)) throw new KitError(`There is no run ${id} in ${this.root}.`, { fix: 'Make it first: `npx rifle reproduce` or `npx rifle train`.' });
    try {
      const { columns, rows } = JSON.parse(fs.readFileSync(file, 'utf8')) as { columns: string[]; rows: unknown[][] };
      return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])) as unknown as LayerRow);
    } catch (cause) {
      throw damaged(file, 'it is not JSON', cause);
    }
  }

  /** The final weights of the run `id`, in the names and layouts of the file they came from; null when it was not asked to keep them. */
  weights(id: string): string | null {
    const file = this.weightsFile(id);
    return fs.existsSync(file) ? file : null;
  }

  /** Where the final weights of the run `id` are kept. */
  weightsFile(id: string): string {
    return this.file(id, 'weights.safetensors');
  }

  /** The record of `id`; null when the run is not over. @throws KitError when the file is damaged. */
  find(id: string): RunRecord | null {
    const file = this.file(id);
    if (!fs.existsSync(file)) return null;
    let record: Partial<RunRecord>;
    try {
      record = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<RunRecord>;
    } catch (cause) {
      throw damaged(file, 'it is not JSON', cause);
    }
    if (record.id !== id || (record.status !== 'finished' && record.status !== 'failed') || !Array.isArray(record.epochs)) {
      throw damaged(file, `expected the run ${id}, found ${String(record.status)} ${String(record.id)}`);
    }
    return { ...record, testTop1: record.testTop1 ?? NaN } as RunRecord;
  }

  /** Makes the folder, and makes sure that a record will find its place there. @throws KitError before hours are spent on a run that could not be kept. */
  requireRoom(): void {
    try {
      fs.mkdirSync(this.root, { recursive: true });
      fs.accessSync(this.root, fs.constants.W_OK);
      const { bavail, bsize } = fs.statfsSync(this.root);
      if (bavail * bsize < RECORD_ROOM) throw Object.assign(new Error(`only ${bavail * bsize} bytes are free`), { code: 'ENOSPC' });
    } catch (cause) {
      throw notKept('Runs cannot be kept in', this.root, cause as NodeJS.ErrnoException);
    }
  }

  /** Writes a run that is over, its record last: whole or not at all, flushed to the disk. */
  async put(record: RunRecord, layers: readonly LayerRow[]): Promise<void> {
    const file = this.file(record.id);
    try {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      await writeFileAtomic(this.file(record.id, 'layers.json'), tableText(layers));
      await writeFileAtomic(file, `${JSON.stringify(record, null, 1)}\n`);
    } catch (cause) {
      throw notKept(`The run ${record.id} is over but could not be written to`, file, cause as NodeJS.ErrnoException);
    }
  }

  /** All runs that are over, oldest first; a damaged one is an error. */
  list(): RunRecord[] {
    if (!fs.existsSync(this.root)) return [];
    return fs
      .readdirSync(this.root)
      .sort()
      .map((id) => this.find(id))
      .filter((record): record is RunRecord => record !== null)
      .sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  }
}

/** Rows as JSON, a line each: the names of the columns are written once. */
function tableText(rows: readonly LayerRow[]): string {
  const columns = ['epoch', 'layer', 'place', 'kind', 'gradientNorm', 'updateNorm', 'weightDistance'] as const;
  return `{"columns":${JSON.stringify(columns)},"rows":[\n${rows.map((row) => JSON.stringify(columns.map((column) => row[column]))).join(',\n')}\n]}\n`;
}

/** Bytes that a record may take: 40 epochs of 100 layers take 0.4 MB. */
const RECORD_ROOM = 4_000_000;

const notKept = (what: string, where: string, cause: NodeJS.ErrnoException): KitError =>
  new KitError(`${what} ${where}: ${cause.message}`, {
    fix: cause.code === 'ENOSPC' ? 'The disk is full: free some space and run it again.' : 'Check that the folder can be written to, or choose another with --runs.',
    cause,
  });

const damaged = (file: string, why: string, cause?: unknown): KitError =>
  new KitError(`The run record ${file} is damaged: ${why}.`, { fix: 'Delete its folder: the run is then made again.', cause });
