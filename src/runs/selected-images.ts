// The images of a run: the part of its data set that its spec selects.
import { KitError } from '../base/errors';
import { hashOf, type Dataset, type Sample } from '../data/dataset';
import { carveValidation, foldDataset, limitPerClass } from '../data/splits';
import type { RunSpec } from '../transfer/spec/spec';

/** Seed of the selection of images where the spec has limits: the same for all runs. */
export const LIMIT_SEED = 0;

/** A data set without all but its first `count` classes. @throws KitError DATASET_FEW_CLASSES when it has fewer. */
function firstClasses(dataset: Dataset, count: number): Dataset {
  if (dataset.classes.length < count)
    throw new KitError(
      `The data set ${dataset.name} has ${dataset.classes.length} classes, expected ${count} or more.`,
      {
        code: 'DATASET_FEW_CLASSES',
        fix: 'Lower `limits.classes`, or leave it out.',
      },
    );
  const within = (samples: Sample[]): Sample[] => samples.filter(({ label }) => label < count);
  const { validation } = dataset;
  return {
    ...dataset,
    classes: dataset.classes.slice(0, count),
    train: within(dataset.train),
    test: within(dataset.test),
    ...(validation === undefined ? {} : { validation: within(validation) }),
  };
}

/** Fraction of the training images of each class that is carved for validation. */
const CARVED = { fraction: 0.2, seed: LIMIT_SEED };

/**
 * The images of a run: first its classes and its fold, then the splits that `evaluateOn` asks for, then the limits.
 * - `test`: training and test images.
 * - `validation`: a fifth of the training images (or the data set's own validation images) as `test`.
 * - `both`: the same as `validation`, and the test images.
 *
 * All folds of a data set have the same hash: they are repetitions of one experiment, and `fold` is in the id.
 * @throws KitError DATASET_FEW_CLASSES; as `foldDataset` and `carveValidation`.
 */
export function selectImages(
  all: Dataset,
  {
    limits: { classes, trainPerClass, testPerClass },
    evaluateOn,
    fold,
  }: Pick<RunSpec, 'limits' | 'evaluateOn' | 'fold'>,
): Dataset {
  const whole = classes === undefined ? all : firstClasses(all, classes);
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
