// Which runs the tables of the RIFLE study show: chosen by their specs, not by their names.
import { type Condition, isPlain, type MethodRuns, notRun } from '../../report';
import { methods as catalog, type RifleOptions, type RunSpec } from '../../transfer';
import { singleParts, type SingleParts } from './single-parts';

/** The spec that runs of one method share but for the seed; `null` when there are none. */
export const specOf = ({ records }: MethodRuns): RunSpec | null => records[0]?.spec ?? null;

/** The parts of runs; `null` when there are none. */
const partsOf = (runs: MethodRuns): SingleParts | null => {
  const spec = specOf(runs);
  return spec && singleParts(spec);
};

/** Runs with the regulariser of that name and no trick, with or without RIFLE. */
export const regularizedBy =
  (name: string) =>
  (runs: MethodRuns): boolean =>
    partsOf(runs)?.regularizer.name === name && partsOf(runs)?.trick.name === 'none';

/** Runs with another regulariser than L2 and no trick. */
export const isRegularized = (runs: MethodRuns): boolean =>
  specOf(runs) !== null && !regularizedBy('l2')(runs) && partsOf(runs)!.trick.name === 'none';

/** Runs of the authors' RIFLE, on any base method. */
export const isAuthors = (runs: MethodRuns): boolean => partsOf(runs)?.rifle?.preset === 'authors';

/** Plain fine-tuning on L2. */
export const isFineTuning = (runs: MethodRuns): boolean => regularizedBy('l2')(runs) && isPlain(runs);

/** The authors' RIFLE on L2. */
export const isRifleOnL2 = (runs: MethodRuns): boolean => regularizedBy('l2')(runs) && isAuthors(runs);

/** The choices of RIFLE on L2 without a trick, which ablations and variants change; `null` for anything else. */
export const rifleOf = (runs: MethodRuns): RifleOptions | null =>
  regularizedBy('l2')(runs) ? partsOf(runs)!.rifle : null;

/** A trick without its rate. */
function formOf(trick: SingleParts['trick']): string {
  const { name, at = '', unit = '' } = trick as { name: string; at?: string; unit?: string };
  return [name, at, unit].join(' ');
}

/** Runs of a trick of the list of methods, at any rate, on L2 and without RIFLE. */
export function usesTrick(name: string): (runs: MethodRuns) => boolean {
  const method = catalog.list().find((candidate) => candidate.name === name);
  return (runs) => {
    const parts = partsOf(runs);
    return (
      method !== undefined &&
      parts !== null &&
      isPlain(runs) &&
      parts.regularizer.name === 'l2' &&
      formOf(parts.trick) === formOf(singleParts(method).trick)
    );
  };
}

/** The runs that fit under a condition, or the method that should have been run. */
export function runsUnder(condition: Condition, fits: (runs: MethodRuns) => boolean, name: string): MethodRuns[] {
  const found = condition.methods.filter(fits);
  return found.length > 0 ? found : [notRun(name)];
}
