import assert from 'node:assert/strict';
import { KitError } from '../../../../src/base/errors';
import {
  float32Of,
  hashStateDict,
  matchStateDict,
  requireMatch,
  type StateDict,
  type StateTensor,
} from '../../../../src/backbones/weights/readers/state-dict';

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

describe('matchStateDict', () => {
  const report = matchStateDict(found, wanted, /num_batches_tracked$/);

  it('tells what fits, what is missing, left over, and of the wrong shape', () => {
    assert.deepEqual(report, {
      matched: ['bn.weight'],
      missing: ['fc.weight'],
      leftOver: ['extra.bias'],
      ignored: ['bn.num_batches_tracked'],
      wrongShape: [{ name: 'conv.weight', expected: [8, 3, 7, 7], found: [8, 3, 3, 3] }],
    });
  });

  it('says all of it in one error', () => {
    assert.throws(
      () => requireMatch(report, 'some.pth', 'resnet'),
      (error: unknown) => {
        assert.ok(error instanceof KitError);
        assert.equal(
          error.message,
          'The weights in some.pth do not fit the network resnet (1 names fit):\n' +
            '  - wrong shape: conv.weight is [8, 3, 3, 3], expected [8, 3, 7, 7]\n' +
            '  - missing (1): fc.weight\n' +
            '  - left over (1): extra.bias',
        );
        return true;
      },
    );
  });

  it('is content when everything fits', () => {
    const fits = new Map([...found].map(([name, { shape }]) => [name, shape]));
    requireMatch(matchStateDict(found, fits), 'some.pth', 'resnet');
  });
});

describe('float32Of', () => {
  // Bits and values of IEEE 754 binary16 (Wikipedia, "Half-precision floating-point format", examples).
  it('reads halves', () => {
    const bits = [0x0000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3bff, 0x3c00, 0x3c01, 0x7bff, 0x7c00, 0xc000, 0xfc00];
    const values = [
      0,
      2 ** -24,
      0.000060975551605,
      0.00006103515625,
      0.333251953125,
      0.99951171875,
      1,
      1.0009765625,
      65504,
      Infinity,
      -2,
      -Infinity,
    ];
    const numbers = float32Of({ shape: [bits.length], dtype: 'float16', data: Uint16Array.from(bits) }, 'x');
    numbers.forEach((number, i) => assert.equal(number, Math.fround(values[i]), `0x${bits[i].toString(16)}`));
  });

  it('refuses whole numbers', () => {
    assert.throws(() => float32Of({ shape: [1], dtype: 'int64', data: BigInt64Array.of(1n) }, 'x'), /"x" holds int64/);
  });
});

describe('hashStateDict', () => {
  it('changes with any name, shape or element', () => {
    const hashes = [
      found,
      new Map([...found].reverse()),
      new Map([...found].map(([name, t]) => [`${name}x`, t])),
      new Map([['conv.weight', tensor(8, 27)]]),
      new Map([['conv.weight', tensor(27, 8)]]),
    ];
    assert.equal(new Set(hashes.map(hashStateDict)).size, hashes.length);
  });
});
