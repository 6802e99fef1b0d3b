// MAT-files as SciPy writes them (data-scripts/golden/mat_files.py), and damaged ones.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { readMat, type MatValue } from '../../../../src/data/readers/formats/mat';
import { KitError } from '../../../../src/base/errors';
import { packageRoot } from '../../../../src/base/home';
import { cells, makeMat, numbers, structs, text } from './mat-maker';

const FIXTURES = path.join(packageRoot(), 'test', 'fixtures', 'data', 'mat');
const expected = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'expected.json'), 'utf8')) as {
  dogs: { file_list: string[]; labels: number[] };
  flowers: Record<string, number[]>;
  cars: { annotations: Record<string, number | string>[] };
  kinds: Record<string, number[]>;
};

/** A value without its kinds: one number or text where there is one. */
function plain(value: MatValue): unknown {
  if (value.kind === 'numbers') return value.values.length === 1 ? value.values[0] : [...value.values];
  if (value.kind === 'text') return value.rows.length === 1 ? value.rows[0] : value.rows;
  if (value.kind === 'cells') return value.cells.map(plain);
  return value.structs.map((struct) => Object.fromEntries([...struct].map(([name, field]) => [name, plain(field)])));
}
const plainFile = (bytes: Uint8Array) =>
  Object.fromEntries([...readMat(bytes, 'x.mat')].map(([name, value]) => [name, plain(value)]));

describe('readMat', () => {
  for (const packed of ['', '-packed']) {
    const read = (name: string) => plainFile(fs.readFileSync(path.join(FIXTURES, `${name}${packed}.mat`)));
    it(`reads lists as SciPy writes them${packed && ', compressed'}`, () => {
      for (const name of ['dogs', 'flowers', 'cars'] as const) assert.deepEqual(read(name), expected[name], name);
    });
    it(`reads all kinds of numbers, texts and cells${packed && ', compressed'}`, () => {
      const kinds = read('kinds');
      for (const [name, values] of Object.entries(expected.kinds)) assert.deepEqual(kinds[name], values, name);
      assert.equal(kinds.word, 'Citroën €');
      assert.deepEqual(kinds.words, ['one ', 'four']);
      assert.deepEqual(kinds.nested, [['deep'], 1]);
    });
  }

  it('reads what the maker of the fixtures writes, in both byte orders', () => {
    for (const big of [false, true]) {
      const bytes = makeMat(
        {
          list: cells([text('a.jpg'), text('b/ü.jpg')]),
          labels: numbers([1, 2, 300]),
          rows: structs([{ class: numbers([7]), fname: text('1.jpg') }]),
        },
        { big },
      );
      assert.deepEqual(plainFile(bytes), {
        list: ['a.jpg', 'b/ü.jpg'],
        labels: [1, 2, 300],
        rows: [{ class: 7, fname: '1.jpg' }],
      });
    }
  });

  const whole = makeMat({ list: cells([text('a'), text('b')]), labels: numbers([1, 2, 3]) });
  const refuses = (bytes: Uint8Array, why: RegExp) =>
    assert.throws(
      () => readMat(bytes, 'x.mat'),
      (error: unknown) => error instanceof KitError && error.message.includes('x.mat') && why.test(error.message),
    );

  it('refuses a file that is cut off anywhere but between two variables', () => {
    for (let length = 0; length < whole.length; length++) {
      if (length < 128) refuses(whole.subarray(0, length), /no MAT-file/);
      else if (length % 8 !== 0) refuses(whole.subarray(0, length), /damaged/);
    }
  });

  it('refuses another version, and what is no MAT-file', () => {
    refuses(
      Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'.padEnd(124)), Buffer.from([0, 2]), Buffer.from('IM')]),
      /7\.3/,
    );
    refuses(Buffer.alloc(1000, 'text'), /no MAT-file/);
  });

  it('refuses sizes and nesting beyond bounds without using memory for them', () => {
    const tooLong = Buffer.from(whole);
    tooLong.writeUInt32LE(0x7fffffff, 128 + 4); // the length of the first variable
    refuses(tooLong, /longer than what it stands in/);
    const header = whole.subarray(0, 128);
    const tag = (type: number, bytes: Buffer) => {
      const start = Buffer.alloc(8);
      start.writeUInt32LE(type, 0);
      start.writeUInt32LE(bytes.length, 4);
      return Buffer.concat([start, bytes]);
    };
    const words = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);
    const matrix = (kind: number, dims: number[], ...rest: Buffer[]) =>
      tag(14, Buffer.concat([tag(6, words(kind, 0)), tag(5, words(...dims)), tag(1, Buffer.alloc(0)), ...rest]));
    const bomb = deflateSync(Buffer.alloc(300 * 2 ** 20));
    refuses(Buffer.concat([header, tag(15, bomb)]), /more than 268435456 bytes/);
    for (const dims of [[0x7fffffff, 0x7fffffff], [0x7fffffff, 1], [-1, 2], [5]]) {
      refuses(Buffer.concat([header, matrix(1, dims)]), /damaged/);
      refuses(Buffer.concat([header, matrix(2, dims, tag(5, words(8)), tag(1, Buffer.alloc(0)))]), /damaged/);
    }
    let nested = matrix(6, [1, 1], tag(9, Buffer.alloc(8)));
    for (let i = 0; i < 20; i++) nested = matrix(1, [1, 1], nested);
    refuses(Buffer.concat([header, nested]), /deep/);
  });
});
