// The images of a run: the part of its data set that its spec selects.
import { KitError } from '../base/errors';
import type { Dataset, Sample } from '../data/dataset';
import { carveValidation, limitPerClass } from '../data/splits';
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

/**
 * The images of a run: of the first classes, where the spec limits them. With `evaluateOn: 'validation'` a fifth of the
 * training images replaces the test images. Then the limits of each class apply.
 */
export function selectImages(
  all: Dataset,
  { limits: { classes, trainPerClass, testPerClass }, evaluateOn }: Pick<RunSpec, 'limits' | 'evaluateOn'>,
): Dataset {
  const whole = classes === undefined ? all : firstClasses(all, classes);
  const dataset = evaluateOn === 'test' ? whole : carveValidation(whole, { fraction: 0.2, seed: LIMIT_SEED });
  return {
    ...dataset,
    train: trainPerClass === null ? dataset.train : limitPerClass(dataset.train, trainPerClass, LIMIT_SEED),
    test: testPerClass === null ? dataset.test : limitPerClass(dataset.test, testPerClass, LIMIT_SEED),
  };
}
