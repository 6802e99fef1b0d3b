// The images of a run: the part of its data set that its spec selects.
import type { Dataset } from '../data/dataset';
import { carveValidation, limitPerClass } from '../data/splits';
import type { RunSpec } from '../transfer/spec/spec';

/** Seed of the selection of images where the spec has limits: the same for all runs. */
export const LIMIT_SEED = 0;

/**
 * The images of a run. With `evaluateOn: 'validation'` a fifth of the training images replaces the test images. Then
 * the limits apply.
 */
export function selectImages(
  whole: Dataset,
  { limits: { trainPerClass, testPerClass }, evaluateOn }: Pick<RunSpec, 'limits' | 'evaluateOn'>,
): Dataset {
  const dataset = evaluateOn === 'test' ? whole : carveValidation(whole, { fraction: 0.2, seed: LIMIT_SEED });
  return {
    ...dataset,
    train: trainPerClass === null ? dataset.train : limitPerClass(dataset.train, trainPerClass, LIMIT_SEED),
    test: testPerClass === null ? dataset.test : limitPerClass(dataset.test, testPerClass, LIMIT_SEED),
  };
}
