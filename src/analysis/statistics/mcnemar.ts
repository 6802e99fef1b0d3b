// McNemar's test: two classifiers on the same images (Q. McNemar, Psychometrika 12, 1947), by the exact binomial.
import { jStat } from 'jstat';
import { KitError } from '../../base/errors';

/** The outcome of the test. */
export interface McNemar {
  /** Images. */
  n: number;
  /** Images that only the treated classifier has right, and those that only the control has right. */
  treatedOnly: number;
  controlOnly: number;
  /** (treatedOnly - controlOnly) / n: the difference of the accuracies, as a fraction. */
  difference: number;
  /** Two-sided, exact: of `treatedOnly` heads in treatedOnly + controlOnly throws of a fair coin. */
  pValue: number;
}

/**
 * Compares two networks image by image: whether they are right equally often. One pair of runs at a time: the images of
 * several seeds are not independent.
 * @param treated whether each image is classified right. @param control the same of the same images, in that order.
 * @throws KitError MCNEMAR_LENGTH_MISMATCH when they are of different images.
 */
export function mcnemar(treated: readonly boolean[], control: readonly boolean[]): McNemar {
  if (treated.length !== control.length || treated.length === 0)
    throw new KitError(
      `McNemar's test compares predictions of the same images: found ${treated.length} and ${control.length}.`,
      { code: 'MCNEMAR_LENGTH_MISMATCH', fix: 'Give the predictions of two runs on one test set, in one order.' },
    );
  const only = (a: readonly boolean[], b: readonly boolean[]): number =>
    a.reduce((sum, right, i) => sum + Number(right && !b[i]), 0);
  const [treatedOnly, controlOnly] = [only(treated, control), only(control, treated)];
  const [few, all] = [Math.min(treatedOnly, controlOnly), treatedOnly + controlOnly];
  // P(at most `few` heads in `all` throws) is the regularised incomplete beta function at 1/2
  const tail = few === all ? 1 : jStat.ibeta(0.5, all - few, few + 1);
  const n = treated.length;
  return { n, treatedOnly, controlOnly, difference: (treatedOnly - controlOnly) / n, pValue: Math.min(1, 2 * tail) };
}
