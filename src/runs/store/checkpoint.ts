// Checkpoints of a run: its whole state on disk, so that it goes on to the very bits after whatever stopped it.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { hashStateDict, type StateDict } from '../../backbones/weights/readers/state-dict';
import { readSafetensors, writeSafetensors } from '../../backbones/weights/readers/safetensors';
import { KitError } from '../../base/errors';
import { kitVersion } from '../../base/home';
import type { TrainState } from '../../transfer/train-state';
import { writeWhole } from '../../base/files/write-whole';

/** What a run carries over from the processes that made it so far, besides its state. */
export interface RunHistory {
  /** ISO 8601, UTC: when the first of them began. */
  startedAt: string;
  wallSeconds: number;
  /** Highest resident memory of any of them, MB. */
  peakMemoryMb: number;
  /** Whether weights worth keeping were written beside the record on the way. */
  keepWeights: boolean;
}

/** A checkpoint as read. */
export interface Checkpoint {
  file: string;
  state: TrainState;
  history: RunHistory;
}

/** A checkpoint that cannot be used, and why. */
export interface DamagedCheckpoint {
  file: string;
  why: string;
}

/** What the JSON file of a checkpoint holds; the variables lie in the safetensors file of the same name. */
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

const FORMAT = 1;

/** A whole checkpoint that a newer kit has written: it must neither be used nor make way. */
export class NewerCheckpointError extends KitError {
  constructor(file: string, { kit, format }: Pick<Written, 'kit' | 'format'>, run: string) {
    super(
      `The checkpoint ${file} is from a newer rifle-kit${kit === undefined ? '' : `, ${kit}`} (its format is ${format}; this kit, ${kitVersion()}, reads ${FORMAT}).`,
      {
        fix: `Update the kit, or begin the run anew: npx rifle runs prune ${run} --yes.`,
      },
    );
  }
}

/** How many stay: the last, and the one before, should the last be damaged. */
const KEPT = 2;

/** The checkpoints of one run. Whoever writes or removes them holds the run's lock. */
export class Checkpoints {
  readonly folder: string;

  /** @param runFolder of the store. */
  constructor(
    runFolder: string,
    private readonly run: string,
    private readonly numericsVersion: number,
  ) {
    this.folder = path.join(runFolder, 'checkpoints');
  }

  /**
   * Writes a checkpoint, whole or not at all, and removes all but the last two. @throws KitError when the disk refuses.
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
    try {
      await fs.promises.mkdir(this.folder, { recursive: true });
      await writeSafetensors(tensorsOf(file), tensors, {
        notes: { run: this.run, epoch: String(state.epoch), step: String(state.step) },
      });
      await writeWhole(file, `${JSON.stringify({ ...content, sha256: sumOf(content) } satisfies Written)}\n`);
    } catch (cause) {
      throw new KitError(`The checkpoint ${file} could not be written: ${(cause as Error).message}`, {
        fix: (cause as KitError).fix || 'Free some space there, or give yourself the right to write.',
        cause,
      });
    }
    for (const older of this.files().slice(0, -KEPT)) this.drop(older);
    return file;
  }

  /**
   * The last checkpoint that is whole; null when there is none. What stands in the way is told in `damaged`, newest
   * first.
   * @param fits whether a checkpoint will do: else an older one is taken.
   * @throws NewerCheckpointError where one is whole and from a newer kit.
   */
  async latest(
    fits: (checkpoint: Checkpoint) => boolean = () => true,
  ): Promise<{ checkpoint: Checkpoint | null; damaged: DamagedCheckpoint[] }> {
    const damaged: DamagedCheckpoint[] = [];
    for (const file of this.files().reverse()) {
      try {
        const checkpoint = await this.read(file);
        if (fits(checkpoint)) return { checkpoint, damaged };
      } catch (error) {
        if (error instanceof NewerCheckpointError) throw error;
        damaged.push({ file, why: (error as Error).message });
      }
    }
    return { checkpoint: null, damaged };
  }

  /** Reads one, with every sum checked. */
  private async read(file: string): Promise<Checkpoint> {
    const { sha256, ...content } = JSON.parse(await fs.promises.readFile(file, 'utf8')) as Written;
    if (sha256 !== sumOf(content)) throw new KitError('Its checksum is not that of its content.');
    if (content.format > FORMAT) throw new NewerCheckpointError(file, content, this.run);
    if (content.format !== FORMAT) throw new KitError(`It is of format ${content.format}, this kit reads ${FORMAT}.`);
    if (content.run !== this.run || content.numericsVersion !== this.numericsVersion)
      throw new KitError(`It is of run ${content.run}, numerics ${content.numericsVersion}.`);
    const tensors = await readSafetensors(tensorsOf(file));
    if (hashStateDict(tensors) !== content.variables)
      throw new KitError(`The numbers in ${path.basename(tensorsOf(file))} are not those that were written.`);
    const variables = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
    return { file, state: { ...content.state, variables }, history: content.history };
  }

  /** The JSON files, oldest first. */
  private files(): string[] {
    if (!fs.existsSync(this.folder)) return [];
    return fs
      .readdirSync(this.folder)
      .filter((name) => /^\d+-\d+\.json$/.test(name))
      .sort()
      .map((name) => path.join(this.folder, name));
  }

  private drop(file: string): void {
    fs.rmSync(file, { force: true }); // first: without it the numbers beside it are nothing
    fs.rmSync(tensorsOf(file), { force: true });
  }

  /**
   * Removes what a run that goes on from `checkpoint` has no use for: later ones, and what a killed process left
   * half-written.
   */
  keepUpTo(checkpoint: Checkpoint | null): void {
    if (!fs.existsSync(this.folder)) return;
    for (const file of this.files()) if (checkpoint === null || file > checkpoint.file) this.drop(file);
    const whole = new Set(this.files().flatMap((file) => [file, tensorsOf(file)]));
    for (const name of fs.readdirSync(this.folder))
      if (!whole.has(path.join(this.folder, name))) fs.rmSync(path.join(this.folder, name), { force: true });
  }

  /** Removes all of them. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

const tensorsOf = (file: string): string => file.replace(/\.json$/, '.safetensors');

const sumOf = (content: object): string => createHash('sha256').update(stableStringify(content)!).digest('hex');
