// Many runs: a grid of specs, and their records one after another.
import type { OnProgress } from '../base/progress';
import { methods } from '../transfer/methods';
import { parseRunSpec, type RunSpec, type RunSpecInput } from '../transfer/spec/spec';
import { timetable } from '../transfer/resets/reset';
import { finetune, type FinetuneOptions } from '../runs/finetune';
import type { RunRecord } from '../runs/store/record';

/** A study: one spec, run with every method and every seed. */
export interface Grid {
  /** What all runs share. */
  spec: RunSpecInput;
  /** Names of methods. */
  methods: readonly string[];
  seeds: readonly number[];
  /** Values to try of any field, by its path: `{ 'optimizer.learningRate': [0.003, 0.01] }`. All combinations. */
  vary?: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * The specs of a grid, seed by seed, so that a table of pairs fills early. Within a seed: each combination of varied
 * values, with every method.
 * @throws KitError for a spec that is not valid.
 */
export function plan({ spec, methods: names, seeds, vary = {} }: Grid): RunSpec[] {
  type Setting = readonly (readonly [path: string, value: unknown])[];
  let settings: Setting[] = [[]];
  for (const [path, values] of Object.entries(vary))
    settings = settings.flatMap((setting) => values.map((value): Setting => [...setting, [path, value]]));
  return seeds.flatMap((seed) =>
    settings.flatMap((setting) =>
      names.map((name) => {
        const whole = parseRunSpec(methods.apply(name, { ...spec, seed })) as unknown as Record<string, unknown>;
        return parseRunSpec(setting.reduce((value, [path, field]) => withField(value, path.split('.'), field), whole));
      }),
    ),
  );
}

/** A copy of `value`, an object or a list, with another field at `path`. */
function withField<T extends object>(value: T, [key, ...rest]: readonly string[], field: unknown): T {
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
  copy[key] = rest.length === 0 ? field : withField((copy[key] ?? {}) as object, rest, field);
  return copy as T;
}

/** Options of `runAll`. */
export interface RunAllOptions extends Pick<FinetuneOptions, 'runs' | 'signal' | 'onEpoch' | 'keepWeights'> {
  /** Receives one task `all runs`, in epochs, beside the tasks of each run. */
  onProgress?: OnProgress;
  /** Called with each record as it is there; `reused` when it was finished before. */
  onRecord?: (record: RunRecord, reused: boolean) => void;
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
      onEpoch: (row) => {
        reused = false;
        report(row.epoch);
        options.onEpoch?.(row);
      },
    });
    if (reused) total -= epochsOf(spec);
    else done += epochsOf(spec);
    records.push(record);
    onRecord?.(record, reused);
  }
  onProgress?.({ task: 'all runs', done, total, unit: 'epochs', detail: `${specs.length} runs` });
  return records;
}
