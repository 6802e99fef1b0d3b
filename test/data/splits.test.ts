// Splits, limits and hashes: pure functions, against hand-made cases.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { hashDataset, type Dataset, type Sample } from '../../src/data/dataset';
import { groupFolds } from '../../src/data/group-folds';
import {
  assignFolds,
  carveValidation,
  drawPerClass,
  foldDataset,
  limitPerClass,
  splitByRule,
} from '../../src/data/splits';
import { packageRoot } from '../../src/base/home';
import { KitError } from '../../src/base/errors';
import { randomStream } from '../../src/base/random';

const makeSamples = (counts: number[]): Sample[] =>
  counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ file: `${label}/${String(i).padStart(3, '0')}.png`, label })),
  );
const countByLabel = (samples: Sample[]) =>
  samples.reduce<number[]>((counts, { label }) => ((counts[label] = (counts[label] ?? 0) + 1), counts), []);
const files = (samples: Sample[]) => samples.map(({ file }) => file);
const isSubsequence = (part: string[], whole: string[]) =>
  part.every(
    (
      (at) => (file: string) =>
        (at = whole.indexOf(file, at) + 1) > 0
    )(0),
  );

function makeDataset(counts: number[]): Dataset {
  return {
    name: 'made',
    root: '/nowhere',
    classes: counts.map((_, i) => `class ${i}`),
    train: makeSamples(counts),
    test: [],
    hash: 'a'.repeat(64),
    imagesHash: 'b'.repeat(64),
    licence: '',
    citation: '',
  };
}

describe('splitByRule', () => {
  it('puts round(n / 4) of each class into test', () => {
    // ELPV's four certain classes: 588 / 4 = 147, 313 / 4 = 78.25, 920 / 4 = 230, 402 / 4 = 100.5 (rounded up).
    const { train, test } = splitByRule(makeSamples([588, 313, 920, 402]));
    assert.deepEqual(countByLabel(test), [147, 78, 230, 101]);
    assert.deepEqual(countByLabel(train), [441, 235, 690, 301]);
  });

  it('does not depend on the order given, splits without overlap, and sorts by file', () => {
    const samples = makeSamples([20, 13]);
    const one = splitByRule(samples);
    assert.deepEqual(splitByRule([...samples].reverse()), one);
    assert.deepEqual(files([...one.train, ...one.test]).sort(), files(samples));
    assert.ok(isSubsequence(files(one.train), files(samples)) && isSubsequence(files(one.test), files(samples)));
  });

  it('draws each class apart: another class more does not shift the first', () => {
    const first = (samples: Sample[]) => files(splitByRule(samples).test).filter((file) => file.startsWith('0/'));
    assert.deepEqual(first(makeSamples([30, 10])), first(makeSamples([30, 25, 7])));
  });
});

describe('limitPerClass', () => {
  it('keeps that many of each class, all when there are fewer, in their order', () => {
    const samples = makeSamples([30, 4, 12]);
    const limited = limitPerClass(samples, 10, 3);
    assert.deepEqual(countByLabel(limited), [10, 4, 10]);
    assert.ok(isSubsequence(files(limited), files(samples)));
  });

  it('is drawn by the seed', () => {
    const samples = makeSamples([40, 40]);
    assert.deepEqual(limitPerClass(samples, 10, 3), limitPerClass(samples, 10, 3));
    assert.notDeepEqual(limitPerClass(samples, 10, 3), limitPerClass(samples, 10, 4));
    assert.notDeepEqual(
      limitPerClass(samples, 10, 3),
      samples.filter(({ file }) => /0[0-9]\./.test(file)),
      'not the first ones',
    );
  });

  it('gives the smaller draw inside the larger one', () => {
    const samples = makeSamples([40, 40]);
    const large = files(limitPerClass(samples, 20, 5));
    assert.ok(files(limitPerClass(samples, 5, 5)).every((file) => large.includes(file)));
  });

  it('refuses a limit that is no whole number from 1', () => {
    for (const limit of [0, -3, 1.5, NaN]) assert.throws(() => limitPerClass(makeSamples([3, 3]), limit, 0), KitError);
  });
});

describe('carveValidation', () => {
  it('makes test a stratified part of train, and train the rest', () => {
    const dataset = makeDataset([20, 10, 3]);
    const carved = carveValidation(dataset, { fraction: 0.2, seed: 1 });
    assert.deepEqual(countByLabel(carved.test), [4, 2, 1]); // 0.2 of 20, 10 and 3 (0.6, rounded)
    assert.deepEqual(countByLabel(carved.train), [16, 8, 2]);
    assert.deepEqual(files([...carved.train, ...carved.test]).sort(), files(dataset.train));
  });

  it('never empties a class of either', () => {
    assert.deepEqual(countByLabel(carveValidation(makeDataset([2, 2]), { fraction: 0.01, seed: 1 }).test), [1, 1]);
    assert.deepEqual(countByLabel(carveValidation(makeDataset([2, 2]), { fraction: 0.99, seed: 1 }).train), [1, 1]);
  });

  it('is another data set by its hash, of the same images', () => {
    const dataset = makeDataset([20, 10]);
    const [one, again, other] = [1, 1, 2].map((seed) => carveValidation(dataset, { fraction: 0.2, seed }));
    assert.equal(one.hash, again.hash);
    assert.equal(new Set([dataset.hash, one.hash, other.hash]).size, 3);
    assert.equal(one.imagesHash, dataset.imagesHash);
  });

  it('refuses what cannot be carved', () => {
    for (const fraction of [0, 1, -0.1, NaN])
      assert.throws(() => carveValidation(makeDataset([5, 5]), { fraction, seed: 0 }), KitError);
    assert.throws(
      () => carveValidation(makeDataset([5, 1]), { fraction: 0.5, seed: 0 }),
      /"class 1" has one training image only/,
    );
  });
});

describe('drawPerClass', () => {
  const samples = makeSamples([80, 95, 120]);

  it('is the written rule: of the permutation by (2020, split, 0, label), the first are test and those after them train', () => {
    const { train, test } = drawPerClass([...samples].reverse(), { train: 30, test: 20 });
    for (const label of [0, 1, 2]) {
      const own = samples.filter((sample) => sample.label === label);
      const order = [...randomStream(2020, 'split', 0, label).permutation(own.length)].map((i) => own[i].file);
      assert.deepEqual(files(test.filter((sample) => sample.label === label)), order.slice(0, 20).sort());
      assert.deepEqual(files(train.filter((sample) => sample.label === label)), order.slice(20, 50).sort());
    }
  });

  it('keeps the test images, and adds to the training images, when more are drawn', () => {
    const [small, large] = [
      drawPerClass(samples, { train: 30, test: 20 }),
      drawPerClass(samples, { train: 60, test: 20 }),
    ];
    assert.deepEqual(small.test, large.test);
    assert.ok(isSubsequence(files(small.train), files(large.train)));
    assert.deepEqual(countByLabel(large.train), [60, 60, 60]);
  });

  it('takes all others for test when asked to', () => {
    const { train, test } = drawPerClass(samples, { train: 60, test: 'rest' });
    assert.deepEqual(
      [countByLabel(train), countByLabel(test)],
      [
        [60, 60, 60],
        [20, 35, 60],
      ],
    );
    assert.deepEqual(files([...train, ...test]).sort(), files(samples));
  });

  it('refuses a class that has too few', () => {
    assert.throws(
      () => drawPerClass(samples, { train: 61, test: 20 }),
      /label 0 has 80 images, of which 61 are to be train and 20 test/,
    );
    assert.throws(() => drawPerClass(samples, { train: 81, test: 'rest' }), KitError);
  });
});

interface FoldCase {
  folds: number;
  labels: number[];
  groups: number[];
  groupFolds: number[];
  stratifiedCounts: number[][];
}
const foldCases = (
  JSON.parse(fs.readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'data', 'folds.json'), 'utf8')) as {
    cases: FoldCase[];
  }
).cases;

describe('folds', () => {
  const toSamples = (labels: number[]): Sample[] =>
    labels.map((label, i) => ({ file: `${String(i).padStart(4, '0')}.png`, label }));

  it('have as many images of each class as scikit-learn gives them', () => {
    for (const { folds: of, labels, stratifiedCounts } of foldCases) {
      const samples = toSamples([...labels].sort((a, b) => a - b));
      const folds = assignFolds(samples, { of });
      const counts = stratifiedCounts.map((row, fold) =>
        row.map((_, label) => samples.filter((sample, i) => sample.label === label && folds[i] === fold).length),
      );
      assert.deepEqual(counts, stratifiedCounts);
    }
  });

  it('with groups are those of scikit-learn, when nothing is permuted', () => {
    for (const { folds: of, labels, groups, groupFolds: expected } of foldCases) {
      const samples = toSamples(labels);
      const byFile = Object.fromEntries(samples.map(({ file }, i) => [file, String(groups[i]).padStart(3, '0')]));
      // scikit-learn takes the groups in the order of their numbers.
      const order = [...samples.keys()].sort((a, b) => groups[a] - groups[b] || a - b);
      const folds = groupFolds(
        order.map((i) => samples[i]),
        byFile,
        of,
      );
      assert.deepEqual(
        folds,
        order.map((i) => expected[i]),
      );
    }
  });

  it('divide all images, each into one fold, in any order', () => {
    const dataset = { ...makeDataset([9, 7]), test: [{ file: 't/1.png', label: 0 }] };
    const seen: string[] = [];
    for (let index = 0; index < 3; index++) {
      const { train, test, hash, imagesHash } = foldDataset(dataset, { of: 3, index });
      assert.deepEqual(files([...train, ...test]).sort(), files([...dataset.train, ...dataset.test]).sort());
      assert.notEqual(hash, dataset.hash);
      assert.equal(imagesHash, dataset.imagesHash);
      seen.push(...files(test));
    }
    assert.equal(new Set(seen).size, 17);
    const samples = makeSamples([9, 7]);
    const [straight, reversed] = [assignFolds(samples, { of: 3 }), assignFolds([...samples].reverse(), { of: 3 })];
    assert.deepEqual(straight, reversed.reverse());
    assert.notDeepEqual(assignFolds(samples, { of: 3, seed: 1 }), straight);
    assert.deepEqual(
      foldDataset(dataset, { of: 3, index: 0, over: 'train' }).test.some(({ file }) => file === 't/1.png'),
      false,
    );
  });

  it('never divide a group', () => {
    const samples = makeSamples([12, 12]);
    const groups = Object.fromEntries(samples.map(({ file }, i) => [file, `g${i % 5}`]));
    const folds = assignFolds(samples, { of: 3, groups });
    const byGroup = new Map(samples.map(({ file }, i) => [groups[file], folds[i]]));
    assert.ok(samples.every(({ file }, i) => byGroup.get(groups[file]) === folds[i]));
    const carved = carveValidation({ ...makeDataset([12, 12]), groups }, { fraction: 0.25, seed: 0 });
    const inTest = new Set(carved.test.map(({ file }) => groups[file]));
    assert.ok(inTest.size > 0 && carved.train.every(({ file }) => !inTest.has(groups[file])));
  });

  it('are refused where they cannot be', () => {
    const samples = makeSamples([5, 4]);
    for (const of of [1, 2.5, NaN]) assert.throws(() => assignFolds(samples, { of }), { code: 'FOLDS_INVALID' });
    assert.throws(() => assignFolds(samples, { of: 5 }), { code: 'FOLDS_CLASS_TOO_SMALL' });
    const groups = Object.fromEntries(samples.map(({ file }) => [file, 'one']));
    assert.throws(() => assignFolds(samples, { of: 2, groups }), { code: 'FOLDS_GROUPS_TOO_FEW' });
    for (const index of [-1, 2, 0.5])
      assert.throws(() => foldDataset(makeDataset([5, 4]), { of: 2, index }), { code: 'FOLDS_INVALID' });
  });
});

describe('a validation split of its own', () => {
  it('is what is carved', () => {
    const validation = [{ file: 'v/1.png', label: 0 }];
    const carved = carveValidation({ ...makeDataset([5, 5]), validation }, { fraction: 0.2, seed: 0 });
    assert.deepEqual([carved.test, carved.train.length, carved.validation], [validation, 10, undefined]);
  });
});

describe('hashDataset', () => {
  const base = { classes: ['a', 'b'], train: makeSamples([2, 1]), test: [{ file: 'test/1', label: 1 }] };
  const digests = new Map([...base.train, ...base.test].map(({ file }) => [file, file.padEnd(64, 'x')]));
  const { hash, imagesHash } = hashDataset(base, digests);

  it('changes with a class name, a label and an image', () => {
    const others = [
      hashDataset({ ...base, classes: ['a', 'c'] }, digests),
      hashDataset({ ...base, test: [{ file: 'test/1', label: 0 }] }, digests),
      hashDataset(base, new Map(digests).set('test/1', 'y'.repeat(64))),
    ];
    assert.equal(new Set([hash, ...others.map((other) => other.hash)]).size, 4);
    assert.equal(new Set([imagesHash, ...others.map((other) => other.imagesHash)]).size, 4);
  });

  it('changes with the split, where the hash of the images does not', () => {
    const moved = hashDataset({ ...base, train: base.train.slice(1), test: [...base.test, base.train[0]] }, digests);
    assert.notEqual(moved.hash, hash);
    assert.equal(moved.imagesHash, imagesHash);
  });
});
