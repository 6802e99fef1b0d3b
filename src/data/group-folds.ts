// Deals whole groups to folds so that each fold has about the same share of each class.
import { KitError } from '../base/errors';
import type { RandomStream } from '../base/random';
import type { Sample } from './dataset';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation, divided by n. */
function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

/**
 * The fold of each sample, in [0, of); samples of one group are in one fold. The groups, in the order of their first
 * sample, are permuted by `stream` (default: not) and sorted by how uneven their class counts are (standard deviation,
 * descending, stable). Each is then put into the fold that keeps the classes' shares most even: the smallest mean, over
 * the classes, of the standard deviation of the folds' shares; of equals (to 1e-8), the fold with fewest samples, then
 * the first. The rule of scikit-learn's StratifiedGroupKFold, whose folds it equals without a permutation.
 * @throws KitError `FOLDS_GROUPS_TOO_FEW` when there are fewer groups than folds.
 */
export function groupFolds(
  samples: readonly Sample[],
  groups: Readonly<Record<string, string>>,
  of: number,
  stream?: RandomStream,
): number[] {
  const classes = 1 + samples.reduce((most, { label }) => Math.max(most, label), 0);
  const counts = new Map<string, number[]>();
  const groupOf = samples.map(({ file }) => (Object.hasOwn(groups, file) ? `group ${groups[file]}` : `file ${file}`));
  samples.forEach(({ label }, i) => {
    if (!counts.has(groupOf[i])) counts.set(groupOf[i], new Array<number>(classes).fill(0));
    counts.get(groupOf[i])![label]++;
  });
  if (counts.size < of) {
    throw new KitError(`There are ${counts.size} groups of images, fewer than the ${of} parts to divide them into.`, {
      code: 'FOLDS_GROUPS_TOO_FEW',
      fix: 'Use fewer folds, or smaller groups.',
    });
  }
  const names = [...counts.keys()];
  const order = stream === undefined ? names : [...stream.permutation(names.length)].map((i) => names[i]);
  const uneven = new Map(order.map((name) => [name, deviation(counts.get(name)!)]));
  order.sort((a, b) => uneven.get(b)! - uneven.get(a)!);

  const totals = Array.from({ length: classes }, (_, label) =>
    samples.reduce((sum, sample) => sum + Number(sample.label === label), 0),
  );
  const present = [...totals.keys()].filter((label) => totals[label] > 0);
  const inFold = Array.from({ length: of }, () => new Array<number>(classes).fill(0));
  const foldOf = new Map<string, number>();
  for (const name of order) {
    const own = counts.get(name)!;
    const unevenness = (candidate: number): number =>
      mean(
        present.map((label) =>
          deviation(inFold.map((row, fold) => (row[label] + (fold === candidate ? own[label] : 0)) / totals[label])),
        ),
      );
    const sizeOf = (fold: number): number => inFold[fold].reduce((sum, count) => sum + count, 0);
    let best = 0;
    let least = unevenness(0);
    for (let fold = 1; fold < of; fold++) {
      const value = unevenness(fold);
      const equal = Math.abs(value - least) <= 1e-8 + 1e-5 * Math.abs(least);
      if (value < least || (equal && sizeOf(fold) < sizeOf(best))) [best, least] = [fold, value];
    }
    own.forEach((count, label) => (inFold[best][label] += count));
    foldOf.set(name, best);
  }
  return groupOf.map((name) => foldOf.get(name)!);
}
