// Parsers of flags about images.
import assert from 'node:assert/strict';
import { classWeights, fold } from '../../src/cli/flags/splits';

describe('flags about images', () => {
  it('give the weights of classes', () => {
    assert.equal(classWeights('balanced'), 'balanced');
    assert.deepEqual(classWeights('cat=1, a=b=2.5,dog=1e-2'), { cat: 1, 'a=b': 2.5, dog: 0.01 });
    for (const text of ['', 'auto', 'cat', 'cat=', 'cat=-1', 'cat=1,cat=2', 'cat=x'])
      assert.throws(() => classWeights(text), { code: 'commander.invalidArgument' }, text);
  });

  it('give a fold, counted from 1', () => {
    assert.deepEqual(
      [fold('1/5'), fold('2/2')],
      [
        { of: 5, index: 0 },
        { of: 2, index: 1 },
      ],
    );
    for (const text of ['', '0/5', '6/5', '1/1', '1', '1.5/3', '-1/3'])
      assert.throws(() => fold(text), { code: 'commander.invalidArgument' }, text);
  });
});
