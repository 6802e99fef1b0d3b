// Weights of the classes in the loss of training: those of the spec as numbers, one for each class of a data set.
import { KitError } from '../../base/errors';
import { quoted } from '../../base/visible';
import type { RunSpec } from '../spec/spec';

/**
 * The weight of each class, in the order of `classes`; null when the spec has none. `balanced` is
 * n / (classes x n of the class), as scikit-learn's `compute_class_weight('balanced')`.
 * @param labels of the training images.
 * @throws KitError `CLASS_WEIGHTS_CLASSES` when given weights name an unknown class or leave one out;
 *   `CLASS_WEIGHTS_NO_IMAGES` when a class has no training image to balance.
 */
export function classWeightsOf(
  given: RunSpec['classWeights'],
  classes: readonly string[],
  labels: readonly number[],
): Float32Array | null {
  if (given === null) return null;
  if (given === 'balanced') {
    const counts = new Array<number>(classes.length).fill(0);
    for (const label of labels) counts[label]++;
    const empty = counts.indexOf(0);
    if (empty >= 0)
      throw new KitError(`The class ${quoted(classes[empty])} has no training image: its weight cannot be balanced.`, {
        code: 'CLASS_WEIGHTS_NO_IMAGES',
        fix: 'Add images to this class, or give the weights as numbers.',
      });
    return Float32Array.from(counts, (count) => labels.length / (classes.length * count));
  }
  const names = Object.keys(given);
  const unknown = names.find((name) => !classes.includes(name));
  const missing = classes.find((name) => !Object.hasOwn(given, name));
  if (unknown !== undefined || missing !== undefined)
    throw new KitError(
      `\`classWeights\` has ${names.length} weights and the data set ${classes.length} classes: ` +
        (unknown !== undefined
          ? `there is no class ${quoted(unknown)}.`
          : `the class ${quoted(missing!)} has no weight.`),
      {
        code: 'CLASS_WEIGHTS_CLASSES',
        fix: `Give a weight for each of: ${someOf(classes)}.`,
      },
    );
  return Float32Array.from(classes, (name) => given[name]);
}

/** At most 20 names, quoted. */
const someOf = (names: readonly string[]): string =>
  names.slice(0, 20).map(quoted).join(', ') + (names.length > 20 ? ', ...' : '');
