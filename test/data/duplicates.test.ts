import assert from 'node:assert/strict';
import type { Sample } from '../../src/data/dataset';
import { duplicatesAcross, duplicatesNotice } from '../../src/data/duplicates';

const samples = (...files: string[]): Sample[] => files.map((file) => ({ file, label: 0 }) as Sample);
const digests = new Map([
  ['a', '1'],
  ['b', '2'],
  ['c', '1'],
  ['d', '3'],
  ['e', '2'],
  ['f', '3'],
]);

describe('duplicatesAcross', () => {
  it('counts images of later splits that have the bytes of an earlier one', () => {
    const found = duplicatesAcross(
      { train: samples('a', 'b'), validation: samples('c'), test: samples('d', 'e', 'f') },
      digests,
    );
    assert.deepEqual(found, {
      count: 2,
      examples: [
        ['a', 'c'],
        ['b', 'e'],
      ],
    });
    assert.match(duplicatesNotice(found)[0], /^2 .* c and a\./);
  });

  it('does not count equal images of one split', () => {
    const found = duplicatesAcross({ train: samples('a', 'c'), test: samples('d', 'f') }, digests);
    assert.deepEqual(found, { count: 0, examples: [] });
    assert.deepEqual(duplicatesNotice(found), []);
  });
});
