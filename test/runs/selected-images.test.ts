// The images of a run: folds, three splits, limits; nothing is in two of them.
import assert from 'node:assert/strict';
import type { Dataset, Sample } from '../../src/data/dataset';
import { selectImages } from '../../src/runs/selected-images';
import type { RunSpec } from '../../src/transfer/spec/spec';

type Selection = Pick<RunSpec, 'limits' | 'evaluateOn' | 'fold'>;

const samples = (folder: string, counts: number[]): Sample[] =>
  counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ file: `${folder}/${label}/${i}.png`, label })),
  );
const dataset: Dataset = {
  name: 'pets',
  root: '/pets',
  classes: ['cat', 'dog'],
  train: samples('a', [11, 23]),
  test: samples('b', [4, 6]),
  split: { rule: 'stratified', version: 1, test: 0.2, seed: 0 },
  hash: 'h',
  imagesHash: 'i',
  licence: '',
  citation: '',
};
const files = (list: readonly Sample[]): string[] => list.map(({ file }) => file);
const select = (whole: Dataset, changes: Partial<Selection> = {}): Dataset =>
  selectImages(whole, {
    limits: { trainPerClass: null, testPerClass: null },
    evaluateOn: 'test',
    fold: null,
    ...changes,
  });
const counts = (list: readonly Sample[]): number[] =>
  [0, 1].map((wanted) => list.filter(({ label }) => label === wanted).length);

describe('the images of a run', () => {
  it('of folds: each image is test once, and the classes of the folds differ by one at most', () => {
    const folds = Array.from({ length: 5 }, (_, index) => select(dataset, { fold: { of: 5, index } }));
    const all = files([...dataset.train, ...dataset.test]).sort();
    assert.deepEqual(folds.flatMap(({ test }) => files(test)).sort(), all);
    for (const { train, test } of folds) assert.deepEqual(files([...train, ...test]).sort(), all);
    // 15 and 29 images in 5 folds, as StratifiedKFold: 3 of the first class in each, 5 or 6 of the second
    assert.deepEqual(
      folds.map(({ test }) => counts(test)[0]),
      [3, 3, 3, 3, 3],
    );
    assert.deepEqual(folds.map(({ test }) => counts(test)[1]).sort(), [5, 6, 6, 6, 6]);
    assert.equal(new Set(folds.map(({ hash }) => hash)).size, 1, 'folds are repetitions on the same data');
    assert.notEqual(folds[0].hash, select(dataset, { fold: { of: 4, index: 0 } }).hash);
  });

  it('of folds where the data set has a split of its own: its test images are in none', () => {
    const { split: _, ...own } = dataset;
    const { train, test } = select(own, { fold: { of: 5, index: 1 } });
    assert.deepEqual(files([...train, ...test]).sort(), files(dataset.train).sort());
  });

  it('with three splits: disjoint, the validation images those of `validation`, the test images those of `test`', () => {
    for (const fold of [null, { of: 3, index: 2 }]) {
      const [both, validation, test] = (['both', 'validation', 'test'] as const).map((evaluateOn) =>
        select(dataset, { evaluateOn, fold }),
      );
      assert.deepEqual([both.validation, both.test, both.train], [validation.test, test.test, validation.train]);
      const all = files([...both.train, ...both.validation!, ...both.test]);
      assert.equal(new Set(all).size, 44);
      assert.deepEqual([validation.validation, test.validation], [undefined, undefined]);
    }
    const own = { ...dataset, validation: samples('c', [2, 2]) };
    assert.deepEqual(select(own, { evaluateOn: 'both' }).validation, own.validation);
    assert.equal(select(own).validation, undefined, 'a run on test images has no validation images');
  });

  it('has the limits in every split, and is the same for records without the newer fields', () => {
    const limits = { trainPerClass: 3, testPerClass: 1 };
    const { train, validation, test } = select(dataset, { limits, evaluateOn: 'both' });
    assert.deepEqual([train, validation!, test].map(counts), [
      [3, 3],
      [1, 1],
      [1, 1],
    ]);
    const { fold: _, ...older } = { limits, evaluateOn: 'test' as const, fold: null };
    assert.deepEqual(selectImages(dataset, older as Selection), select(dataset, { limits }));
  });

  it('are of the first classes, where a spec limits them, and then as many of each as it says', () => {
    const none = { trainPerClass: null, testPerClass: null };
    const three = { ...dataset, classes: ['cat', 'dog', 'eel'], train: samples('a', [11, 23, 7]) };
    const found = select(three, { limits: { ...none, classes: 2, trainPerClass: 4 } });
    assert.deepEqual(
      [found.classes, counts(found.train), counts(found.test)],
      [
        ['cat', 'dog'],
        [4, 4],
        [4, 6],
      ],
    );
    assert.equal(found.train.length, 8);
    assert.deepEqual(select(three, { limits: { ...none, classes: 3 } }), select(three));
    assert.throws(() => select(three, { limits: { ...none, classes: 4 } }), { code: 'DATASET_FEW_CLASSES' });
  });
});
