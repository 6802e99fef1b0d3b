// The images of a run: the part of its data set that its spec selects.
import { hashOf, type Dataset, type Sample } from '../data/dataset';
import { carveValidation, foldDataset, limitPerClass } from '../data/splits';
import type { RunSpec } from '../transfer/spec/spec';

/** Seed of the selection of images where the spec has limits: the same for all runs. */
export const LIMIT_SEED = 0;

/** Fraction of the training images of each class that is carved for validation. */
const CARVED = { fraction: 0.2, seed: LIMIT_SEED };

/**
 * The images of a run: first its fold, then the splits that `evaluateOn` asks for, then the limits.
 * - `test`: training and test images.
 * - `validation`: a fifth of the training images (or the data set's own validation images) as `test`.
 * - `both`: the same as `validation`, and the test images.
 *
 * All folds of a data set have the same hash: they are repetitions of one experiment, and `fold` is in the id.
 * @throws KitError as `foldDataset` and `carveValidation`.
 */
export function selectImages(
  whole: Dataset,
  { limits: { trainPerClass, testPerClass }, evaluateOn, fold }: Pick<RunSpec, 'limits' | 'evaluateOn' | 'fold'>,
): Dataset {
  // records of older kits have no field `fold`
  const folded = (fold ?? null) === null ? whole : foldDataset(whole, { ...fold!, over: overOf(whole) });
  const { validation: _own, ...withoutOwn } = folded;
  const carved = evaluateOn === 'test' ? withoutOwn : carveValidation(folded, CARVED);
  const train = trainPerClass === null ? carved.train : limitPerClass(carved.train, trainPerClass, LIMIT_SEED);
  const limited = (samples: Sample[]): Sample[] =>
    testPerClass === null ? samples : limitPerClass(samples, testPerClass, LIMIT_SEED);
  return {
    ...carved,
    train,
    ...(evaluateOn === 'both' ? { validation: limited(carved.test) } : {}),
    test: limited(evaluateOn === 'both' ? folded.test : carved.test),
    ...((fold ?? null) === null ? {} : { hash: hashOf(['folds', whole.hash, fold!.of]) }),
  };
}

/** A data set with a split of its own keeps its test images out of all folds. */
const overOf = ({ split }: Dataset): 'all' | 'train' => (split === undefined ? 'train' : 'all');
