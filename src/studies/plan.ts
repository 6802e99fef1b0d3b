// Many runs: a grid of specs, and their records one after another.
import type { OnProgress } from '../base/progress';
import { methods } from '../transfer/methods';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec/spec';
import { timetable } from '../transfer/resets/reset';
import { finetune, type FinetuneOptions } from '../runs/finetune';
import type { RunRecord } from '../runs/store/record';
import { inFolds, requireVaried, varied, type Vary } from './vary';

/** A study: one spec, run with every method and every seed. */
export interface Grid {
  /** What all runs share. */
  spec: RunSpecInput;
  /** Names of methods. */
  methods: readonly string[];
  seeds: readonly number[];
  /**
   * Values to try of any field, by its path: `{ 'optimizer.learningRate': [0.003, 0.01] }`. All combinations. Choose
   * among them on validation images: `evaluateOn: 'validation'` in `spec`.
   */
  vary?: Vary;
  /** Cross-validation: every run once for each of this many folds. Tables pair by fold and seed. Default: none. */
  folds?: number;
}

/**
 * The specs of a grid, seed by seed, so that a table of pairs fills early. Within a seed: each combination of varied
 * values, with every method.
 * @throws KitError for a spec that is not valid; VARY_FIELD.
 */
export function plan({ spec, methods: names, seeds, vary = {}, folds }: Grid): RunSpec[] {
  const specs = seeds.map((seed) => names.map((name) => parseRunSpec(methods.apply(name, { ...spec, seed }))));
  requireVaried(specs.flat(), vary);
  return specs.flatMap((ofSeed) => inFolds(varied(ofSeed, vary), folds));
}

/** Options of `runAll`. */
export interface RunAllOptions extends Pick<FinetuneOptions, 'runs' | 'signal' | 'onEpoch' | 'keepWeights'> {
  /** Receives one task `all runs`, in epochs, beside the tasks of each run. */
  onProgress?: OnProgress;
  /**
   * Called with each record as it is there; `reused` when it was finished before. A promise that it returns is
   * awaited.
   */
  onRecord?: (record: RunRecord, reused: boolean) => unknown;
}

/** The records of `specs`, in order: each from the store, or by running it. */
export async function runAll(
  specs: readonly RunSpec[],
  { onRecord, onProgress, ...options }: RunAllOptions = {},
): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  const epochsOf = (spec: RunSpec): number => timetable(spec).epochs;
  // to train: what is reused is taken off, so that the pace is real
  let total = specs.reduce((sum, spec) => sum + epochsOf(spec), 0);
  let done = 0;
  for (const [i, spec] of specs.entries()) {
    const report = (epochs: number): void =>
      onProgress?.({
        task: 'all runs',
        done: done + epochs,
        total,
        unit: 'epochs',
        detail: `run ${i + 1}/${specs.length}`,
      });
    report(0);
    let reused = true;
    const record = await finetune(spec, {
      ...options,
      onProgress,
      onEpoch: (row, ofRun) => {
        reused = false;
        report(row.epoch);
        options.onEpoch?.(row, ofRun);
      },
    });
    if (reused) total -= epochsOf(spec);
    else done += epochsOf(spec);
    records.push(record);
    await onRecord?.(record, reused);
  }
  onProgress?.({ task: 'all runs', done, total, unit: 'epochs', detail: `${specs.length} runs` });
  return records;
}
