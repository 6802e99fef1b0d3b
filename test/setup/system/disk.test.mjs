import assert from 'node:assert/strict';
import { SetupError } from '../../../setup/setup-error.mjs';
import { needSpace, size } from '../../../setup/system/disk.mjs';

describe('needSpace', () => {
  it('throws when there is less free space than needed', () => {
    needSpace('/some/folder', 1e9, 'it', () => 1e9);
    assert.throws(
      () => needSpace('/some/folder', 2.5e9, 'the library', () => 0.4e9),
      (error) =>
        error instanceof SetupError &&
        /expected 2\.5 GB at \/some\/folder, found 400 MB/.test(error.message) &&
        /Free 2\.1 GB there/.test(error.fix),
    );
    assert.deepEqual([999, 4_200_000, 273_829_956, 3_379_649_224].map(size), ['1 kB', '4 MB', '274 MB', '3.4 GB']);
  });
});
