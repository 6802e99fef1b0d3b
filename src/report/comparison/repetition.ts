// Which repetition of an experiment a run is: its seed, and its fold in a cross-validation.
import type { RunSpec } from '../../transfer/spec/spec';

/** What of a spec tells repetitions apart. Specs of older records have no field `fold`. */
export type Repetition = Pick<RunSpec, 'seed'> & Partial<Pick<RunSpec, 'fold'>>;

/** A number that two runs share when they have the same fold and seed: by it they are paired, and sorted. */
export const repetitionOf = ({ seed, fold }: Repetition): number => (fold?.index ?? 0) * 2 ** 32 + seed;

/** `3`, or `fold 1/5, seed 3`. */
export const repetitionText = ({ seed, fold }: Repetition): string =>
  fold == null ? String(seed) : `fold ${fold.index + 1}/${fold.of}, seed ${seed}`;

/** The seeds of runs, `0, 1, 2`; of folds `5 of 5 folds, seeds 0, 1`. */
export function repetitionsText(specs: readonly Repetition[]): string {
  const sorted = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);
  const seeds = sorted(specs.map(({ seed }) => seed));
  const folds = specs.flatMap(({ fold }) => (fold == null ? [] : [fold]));
  if (folds.length === 0) return seeds.join(', ');
  const count = sorted(folds.map(({ index }) => index)).length;
  return `${count} of ${folds[0].of} folds, ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`;
}
