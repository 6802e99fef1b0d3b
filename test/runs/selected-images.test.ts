import assert from 'node:assert/strict';
import type { Dataset } from '../../src/data/dataset';
import { selectImages } from '../../src/runs/selected-images';
import { parseRunSpec } from '../../src/transfer/spec/spec';

const images = (split: string, classes: number, each: number) =>
  Array.from({ length: classes * each }, (_, i) => ({ file: `${split}/${i}.png`, label: i % classes }));
const whole: Dataset = {
  name: 'four',
  root: '/nowhere',
  classes: ['a', 'b', 'c', 'd'],
  train: images('train', 4, 5),
  test: images('test', 4, 3),
  hash: 'h',
  licence: '',
  citation: '',
};
const limits = (changes: object) => parseRunSpec({ dataset: 'four', backbone: 'b', limits: changes });

describe('the images of a run', () => {
  it('are of the first classes, where a spec limits them, and then as many of each as it says', () => {
    const found = selectImages(whole, limits({ classes: 2, trainPerClass: 4 }));
    assert.deepEqual(found.classes, ['a', 'b']);
    assert.deepEqual([found.train.length, found.test.length], [8, 6]);
    assert.ok([...found.train, ...found.test].every(({ label }) => label < 2));
    assert.deepEqual(selectImages(whole, limits({ classes: 4 })), selectImages(whole, limits({})));
  });
  it('are refused where there are fewer classes', () => {
    assert.throws(() => selectImages(whole, limits({ classes: 5 })), { code: 'DATASET_FEW_CLASSES' });
  });
});
