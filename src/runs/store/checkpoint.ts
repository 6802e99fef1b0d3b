// Checkpoints of a run: its whole state on disk, so that it resumes to the same bits after any interruption.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import stableStringify from 'safe-stable-stringify';
import { hashStateDict, type StateDict } from '../../backbones/weights/readers/state-dict';
import { readSafetensors, writeSafetensors } from '../../backbones/weights/readers/safetensors';
import { errnoOf, KitError } from '../../base/errors';
import { writeWhole } from '../../base/files/write-whole';
import { kitVersion } from '../../base/home';
import type { Observation } from '../../transfer/observer';
import type { TrainState } from '../../transfer/train-state';
import { Journal } from './journal';
import type { CodeDigests } from './record';
import { toCurrentRows } from './format/older-formats';

/** What a run carries over from the processes that made it so far, besides its state. */
export interface RunHistory {
  /** ISO 8601, UTC: when the first of them began. */
  startedAt: string;
  wallSeconds: number;
  /** Highest resident memory of any of them, MB. */
  peakMemoryMb: number;
  /** Whether weights worth keeping were written beside the record on the way. */
  keepWeights: boolean;
  /** Of the code that made the run so far; absent in checkpoints of kits before 0.2. */
  graph?: CodeDigests;
  /** What observers have seen so far; absent where there is none. */
  observations?: Observation[];
}

/** A checkpoint as read. */
export interface Checkpoint {
  file: string;
  state: TrainState;
  history: RunHistory;
}

/** A checkpoint that was read and cannot be used, and why. */
export interface DamagedCheckpoint {
  file: string;
  why: string;
}

/** The JSON file of a checkpoint; the variables are in the safetensors file of the same name. */
interface Written {
  format: number;
  /** Version of the kit that wrote it; absent in checkpoints of kit 0.1. */
  kit?: string;
  run: string;
  numericsVersion: number;
  state: Omit<TrainState, 'variables'>;
  history: RunHistory;
  /** sha256 of the variables: names, shapes and numbers. */
  variables: string;
  /** sha256 of everything above, as canonical JSON. */
  sha256: string;
}

/** Number of the form; 1 had rows of epochs of record format 1. */
const FORMAT = 2;

/** A whole checkpoint that a newer kit has written: it is neither used nor deleted. */
export class NewerCheckpointError extends KitError {
  constructor(file: string, { kit, format }: Pick<Written, 'kit' | 'format'>, run: string) {
    super(
      `The checkpoint ${file} is from a newer rifle-kit${kit === undefined ? '' : `, ${kit}`}: ` +
        `its format is ${format}. This kit, ${kitVersion()}, reads formats up to ${FORMAT}.`,
      {
        code: 'CHECKPOINT_NEWER',
        fix: `Update the kit, or discard the run's progress: npx rifle runs prune ${run} --yes.`,
      },
    );
  }
}

/** How many stay: the last, and the one before, should the last be damaged. */
const KEPT = 2;

/** Name of a damaged checkpoint that was set aside begins so. */
const ASIDE = 'damaged-';

/** Milliseconds before each further try to read a file that the disk refuses. */
const RETRIES = [50, 200, 1000];

/** The checkpoints of one run. A process that writes or removes them holds the run's lock. */
export class Checkpoints {
  readonly folder: string;

  /** @param runFolder of the store. */
  constructor(
    private readonly runFolder: string,
    private readonly run: string,
    private readonly numericsVersion: number,
  ) {
    this.folder = path.join(runFolder, 'checkpoints');
  }

  /**
   * Writes a checkpoint, whole or not at all, and removes all but the last two. On a full disk the older of two makes
   * room; the last one never does.
   * @throws KitError CHECKPOINT_NOT_WRITTEN when the disk refuses.
   */
  async write({ variables, ...state }: TrainState, history: RunHistory): Promise<string> {
    const name = `${String(state.epoch).padStart(5, '0')}-${String(state.step).padStart(7, '0')}`;
    const file = path.join(this.folder, `${name}.json`);
    const tensors: StateDict = new Map(
      Object.entries(variables).map(([name, data]) => [name, { shape: [data.length], dtype: 'float32', data }]),
    );
    const content = {
      format: FORMAT,
      kit: kitVersion(),
      run: this.run,
      numericsVersion: this.numericsVersion,
      state,
      history,
      variables: hashStateDict(tensors),
    } as const;
    for (;;) {
      try {
        await fs.promises.mkdir(this.folder, { recursive: true });
        await writeSafetensors(tensorsOf(file), tensors, {
          notes: { run: this.run, epoch: String(state.epoch), step: String(state.step) },
        });
        await writeWhole(file, `${JSON.stringify({ ...content, sha256: sumOf(content) } satisfies Written)}\n`);
        break;
      } catch (cause) {
        await fs.promises.rm(tensorsOf(file), { force: true }).catch(() => undefined); // half of a checkpoint
        if (['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '') && this.makeRoom()) continue;
        throw new KitError(`The checkpoint ${file} could not be written: ${(cause as Error).message}`, {
          code: 'CHECKPOINT_NOT_WRITTEN',
          fix: (cause as KitError).fix || 'Free some space there, or give yourself the right to write.',
          cause,
        });
      }
    }
    for (const older of this.files().slice(0, -KEPT)) this.drop(older);
    return file;
  }

  /** Removes what is needed least: damaged checkpoints, then the older of two. @returns whether there was any. */
  private makeRoom(): boolean {
    const aside = this.names().filter((name) => name.startsWith(ASIDE));
    for (const name of aside) fs.rmSync(path.join(this.folder, name), { force: true });
    if (aside.length > 0) return true;
    const files = this.files();
    if (files.length < 2) return false;
    this.drop(files[0]);
    return true;
  }

  /**
   * The last checkpoint that is whole; null when there is none. `damaged` holds those that were read and are not,
   * newest first.
   * @param fits whether a checkpoint can be used: else an older one is taken.
   * @throws NewerCheckpointError where one is whole and from a newer kit; KitError CHECKPOINT_UNREADABLE where the disk
   *   does not give one, also after some tries: it may be whole, so no older one is taken.
   */
  async latest(
    fits: (checkpoint: Checkpoint) => boolean = () => true,
  ): Promise<{ checkpoint: Checkpoint | null; damaged: DamagedCheckpoint[] }> {
    const damaged: DamagedCheckpoint[] = [];
    for (const file of this.files().reverse()) {
      try {
        const checkpoint = await this.readPatiently(file);
        if (fits(checkpoint)) return { checkpoint, damaged };
      } catch (error) {
        if (error instanceof NewerCheckpointError || isRefused(error)) throw this.explained(error, file);
        damaged.push({ file, why: (error as Error).message });
      }
    }
    return { checkpoint: null, damaged };
  }

  /** Reads one; where the disk refuses, tries again some times. */
  private async readPatiently(file: string): Promise<Checkpoint> {
    for (const pause of RETRIES) {
      try {
        return await this.read(file);
      } catch (error) {
        if (!isRefused(error)) throw error;
        await wait(pause);
      }
    }
    return this.read(file);
  }

  private explained(error: unknown, file: string): Error {
    if (error instanceof NewerCheckpointError) return error;
    return new KitError(`The checkpoint ${file} could not be read: ${(error as Error).message}`, {
      code: 'CHECKPOINT_UNREADABLE',
      fix:
        'Check the disk and the rights of the file, then start the run again: it resumes. ' +
        `To discard its progress instead: npx rifle runs prune ${this.run} --yes.`,
      cause: error,
    });
  }

  /** Reads one, with every checksum verified. */
  private async read(file: string): Promise<Checkpoint> {
    const { sha256, ...content } = JSON.parse(await fs.promises.readFile(file, 'utf8')) as Written;
    if (sha256 !== sumOf(content)) throw unusable('Its checksum is not that of its content.');
    if (content.format > FORMAT) throw new NewerCheckpointError(file, content, this.run);
    if (content.run !== this.run || content.numericsVersion !== this.numericsVersion)
      throw unusable(`It is of run ${content.run}, numerics ${content.numericsVersion}.`);
    const tensors = await readSafetensors(tensorsOf(file));
    if (hashStateDict(tensors) !== content.variables)
      throw unusable(`The numbers in ${path.basename(tensorsOf(file))} are not those that were written.`);
    const variables = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
    return { file, state: { ...this.currentState(content), variables }, history: content.history };
  }

  private currentState({ format, state }: Pick<Written, 'format' | 'state'>): Written['state'] {
    if (format === FORMAT) return state;
    const evaluateOn = new Journal(this.runFolder).started()?.spec.evaluateOn ?? 'test';
    return { ...state, rows: toCurrentRows(state.rows, evaluateOn === 'test' ? 'test' : 'validation') };
  }

  /** Names in the folder; none where there is no folder. @throws the system's error when it cannot be read. */
  private names(): string[] {
    try {
      return fs.readdirSync(this.folder).sort();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw this.explained(error, this.folder);
    }
  }

  /** The JSON files, oldest first. */
  private files(): string[] {
    return this.names()
      .filter((name) => /^\d+-\d+\.json$/.test(name))
      .map((name) => path.join(this.folder, name));
  }

  private drop(file: string): void {
    fs.rmSync(file, { force: true }); // first: without it the numbers beside it are not used
    fs.rmSync(tensorsOf(file), { force: true });
  }

  /**
   * Clears the folder for a run that resumes from `checkpoint`: sets the damaged checkpoints aside, and removes later
   * ones and what a killed process left half-written. Those that were set aside before make way for new ones.
   */
  keepUpTo(checkpoint: Checkpoint | null, damaged: readonly DamagedCheckpoint[] = []): void {
    if (damaged.length > 0)
      for (const name of this.names())
        if (name.startsWith(ASIDE)) fs.rmSync(path.join(this.folder, name), { force: true });
    for (const { file } of damaged)
      for (const each of [file, tensorsOf(file)])
        if (fs.existsSync(each)) fs.renameSync(each, path.join(this.folder, `${ASIDE}${path.basename(each)}`));
    for (const file of this.files()) if (checkpoint === null || file > checkpoint.file) this.drop(file);
    const whole = new Set(this.files().flatMap((file) => [file, tensorsOf(file)]));
    for (const name of this.names())
      if (!name.startsWith(ASIDE) && !whole.has(path.join(this.folder, name)))
        fs.rmSync(path.join(this.folder, name), { force: true });
  }

  /** Removes all of them. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether the disk did not give a file, which may be whole. A file that is not there, or is a folder, is damage. */
function isRefused(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && !['ENOENT', 'EISDIR', 'ENOTDIR'].includes(errno);
}

const unusable = (why: string): KitError => new KitError(why, { code: 'CHECKPOINT_DAMAGED' });

const tensorsOf = (file: string): string => file.replace(/\.json$/, '.safetensors');

const sumOf = (content: object): string => createHash('sha256').update(stableStringify(content)!).digest('hex');
