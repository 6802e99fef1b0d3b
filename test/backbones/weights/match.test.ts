import assert from 'node:assert/strict';
import { KitError } from '../../../src/base/errors';
import { matchStateDict, requireMatch, type MatchReport } from '../../../src/backbones/weights/match';
import type { StateDict, StateTensor } from '../../../src/backbones/weights/readers/state-dict';

const tensor = (...shape: number[]): StateTensor => ({
  shape,
  dtype: 'float32',
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

const found: StateDict = new Map([
  ['conv.weight', tensor(8, 3, 3, 3)],
  ['bn.weight', tensor(8)],
  ['bn.num_batches_tracked', tensor()],
  ['extra.bias', tensor(2)],
]);
const wanted = new Map([
  ['conv.weight', [8, 3, 7, 7]],
  ['bn.weight', [8]],
  ['fc.weight', [5, 8]],
]);

const selection = { key: '', otherKeys: [], prefix: '', outside: [], renamed: [], unreadable: [] };
const fit = (...of: Parameters<typeof matchStateDict>): MatchReport => ({ ...matchStateDict(...of), selection });

describe('matchStateDict', () => {
  const report = fit(found, wanted, /num_batches_tracked$/);

  it('lists matching, missing and unused tensors, and those of another shape', () => {
    assert.deepEqual(report, {
      selection,
      matched: ['bn.weight'],
      missing: ['fc.weight'],
      leftOver: ['extra.bias'],
      ignored: ['bn.num_batches_tracked'],
      wrongShape: [{ name: 'conv.weight', expected: [8, 3, 7, 7], found: [8, 3, 3, 3] }],
    });
  });

  it('names all of it in one error, without control characters, and a dozen names at most', () => {
    const many = new Map(Array.from({ length: 100 }, (_, i) => [`layer${i}`, tensor(1)]));
    const odd = new Map([...many, ['\u001b]0;title\u0007', tensor(1)], ['conv.weight', tensor(8, 3, 3, 3)]]);
    assert.throws(
      () => requireMatch(fit(odd, wanted), 'some.pth', 'resnet'),
      (error: unknown) => {
        assert.ok(error instanceof KitError);
        assert.equal(error.code, 'WEIGHTS_MISMATCH');
        for (const named of ['some.pth', 'resnet', 'fc.weight', 'conv.weight', '[8, 3, 7, 7]', 'layer11', '89 more'])
          assert.ok(error.message.includes(named), named);
        assert.doesNotMatch(error.message, /layer12"|\u001b/);
        return true;
      },
    );
  });

  it('accepts what fits wholly', () => {
    const fits = new Map([...found].map(([name, { shape }]) => [name, shape]));
    requireMatch(fit(found, fits), 'some.pth', 'resnet');
  });
});
