// The images of a run: those of its data set that its spec lets it see.
import type { Dataset } from '../data/dataset';
import { carveValidation, limitPerClass } from '../data/splits';
import type { RunSpec } from '../transfer/spec';

/** Seed of the choice of images when there is a limit: the same for all runs, whatever their own seed. */
export const LIMIT_SEED = 0;

/** The images of a run: test images, or instead a fifth of the training images; then the limits. */
export function chosen(
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
