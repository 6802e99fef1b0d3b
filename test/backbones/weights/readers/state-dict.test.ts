import assert from 'node:assert/strict';
import {
  float32Of,
  hashStateDict,
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
    assert.throws(() => float32Of({ shape: [1], dtype: 'int64', data: BigInt64Array.of(1n) }, 'x'), {
      code: 'WEIGHTS_ELEMENT_TYPE',
    });
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
