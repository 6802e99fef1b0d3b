// Repeats runs of a bundle on this machine, and grades each against the numbers in the bundle.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { KitError } from '../base/errors';
import type { OnProgress } from '../base/progress';
import { executionOf } from '../runs/bundle/import-bundle';
import { gradeExecution, ROUNDING, type Graded, type Tolerance } from '../runs/bundle/grade';
import { finetune } from '../runs/finetune';
import { identifyRun } from '../runs/identify';
import { numericsOf } from '../runs/store/identity';
import type { RunRecord } from '../runs/store/record';
import type { RunStore } from '../runs/store/store';
import { foldersOfData } from './study';

/** A run of a bundle and its repetition. */
export interface Repetition {
  record: RunRecord;
  /** `null`: it could not be repeated, see `why`. */
  graded: Graded | null;
  /** Why it could not be repeated, or why it is another run here: its data, its weights or the kit's numerics. */
  why: string | null;
}

/** Choices of `repeatRuns`. */
export interface RepeatOptions {
  /** How many runs. Default: all. */
  sample?: number;
  /** Chooses the sample: another seed chooses others. Default 0. */
  seed?: number;
  /** Default `ROUNDING`. */
  tolerance?: Tolerance;
  signal?: AbortSignal;
  onProgress?: OnProgress;
  /** Called with each repetition as it is there. */
  onRepetition?: (repetition: Repetition) => void;
}

/** `count` of `records`, chosen by `seed`, whatever their order; all when there are no more. */
export function sampleOf(records: readonly RunRecord[], count = Infinity, seed = 0): RunRecord[] {
  const rank = ({ id }: RunRecord): string => createHash('sha256').update(`${seed}/${id}`).digest('hex');
  return [...records].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, count);
}

/**
 * Makes runs of `expected` again, into the store `into`, and grades each. Data sets are those of the catalog, and the
 * folders in the environment variable RIFLE_DATA by their names.
 * @throws the signal's reason when stopped.
 */
export async function repeatRuns(
  expected: RunStore,
  into: RunStore,
  options: RepeatOptions = {},
): Promise<Repetition[]> {
  const { sample, seed, onRepetition, ...rest } = options;
  const repetitions: Repetition[] = [];
  for (const record of sampleOf(expected.list(), sample, seed)) {
    const repetition = await repeatRun(record, expected, into, rest);
    repetitions.push(repetition);
    onRepetition?.(repetition);
  }
  return repetitions;
}

async function repeatRun(
  record: RunRecord,
  expected: RunStore,
  into: RunStore,
  { tolerance = ROUNDING, signal, onProgress }: RepeatOptions,
): Promise<Repetition> {
  const folder = foldersOfData().find((each) => path.basename(each) === record.spec.dataset);
  const spec = { ...record.spec, dataset: folder ?? record.spec.dataset };
  try {
    const identity = await identifyRun(spec);
    if (identity.id !== record.id) return { record, graded: null, why: whyOther(record, identity) };
    const repeated = await finetune(spec, { runs: into, keepWeights: false, signal, onProgress });
    const graded = gradeExecution(
      await executionOf(expected, record.id),
      await executionOf(into, repeated.id),
      tolerance,
    );
    return { record, graded, why: null };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof KitError)) throw error;
    return { record, graded: null, why: `${error.message} ${error.fix}`.trim() };
  }
}

/** What sets a run of the bundle apart from the one that its spec describes here. */
function whyOther({ numerics, dataset, weights }: RunRecord, here: Awaited<ReturnType<typeof identifyRun>>): string {
  const now = numericsOf(here.spec);
  const names = [...new Set([...Object.keys(numerics), ...Object.keys(now)])].filter(
    (name) => numerics[name] !== now[name],
  );
  const reasons = [
    ...names.map(
      (name) => `numerics of ${name}: ${numerics[name] ?? 'none'} in the bundle, ${now[name] ?? 'none'} here`,
    ),
    ...(dataset.hash === here.dataset.hash ? [] : [`other images of ${dataset.name}`]),
    ...(weights.hash === here.weightsHash ? [] : [`other pretrained weights than ${weights.id}`]),
  ];
  return `It is another run here (${reasons.join('; ') || 'another spec'}).`;
}
