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
  const refuses = (bytes: Uint8Array, code: string) =>
    assert.throws(
      () => readMat(bytes, 'x.mat'),
      (error: unknown) => error instanceof KitError && error.message.includes('x.mat') && error.code === code,
    );

  it('refuses a file that is cut off anywhere but between two variables', () => {
    for (let length = 0; length < whole.length; length++) {
      if (length < 128) refuses(whole.subarray(0, length), 'MAT_VERSION');
      else if (length % 8 !== 0) refuses(whole.subarray(0, length), 'MAT_DAMAGED');
    }
  });

  it('refuses another version, and what is no MAT-file', () => {
    refuses(
      Buffer.concat([Buffer.from('MATLAB 7.3 MAT-file'.padEnd(124)), Buffer.from([0, 2]), Buffer.from('IM')]),
      'MAT_VERSION',
    );
    refuses(Buffer.alloc(1000, 'text'), 'MAT_VERSION');
  });

  it('refuses sizes and nesting beyond bounds without using memory for them', () => {
    const tooLong = Buffer.from(whole);
    tooLong.writeUInt32LE(0x7fffffff, 128 + 4); // the length of the first variable
    refuses(tooLong, 'MAT_DAMAGED');
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
    refuses(Buffer.concat([header, tag(15, bomb)]), 'MAT_DAMAGED');
    for (const dims of [[0x7fffffff, 0x7fffffff], [0x7fffffff, 1], [-1, 2], [5]]) {
      refuses(Buffer.concat([header, matrix(1, dims)]), 'MAT_DAMAGED');
      refuses(Buffer.concat([header, matrix(2, dims, tag(5, words(8)), tag(1, Buffer.alloc(0)))]), 'MAT_DAMAGED');
    }
    let nested = matrix(6, [1, 1], tag(9, Buffer.alloc(8)));
    for (let i = 0; i < 20; i++) nested = matrix(1, [1, 1], nested);
    refuses(Buffer.concat([header, nested]), 'MAT_DAMAGED');
  });

  it('bounds time and memory by the size of the file', () => {
    const header = whole.subarray(0, 128);
    const tag = (type: number, bytes: Buffer): Buffer => {
      const start = Buffer.alloc(8);
      start.writeUInt32LE(type, 0);
      start.writeUInt32LE(bytes.length, 4);
      return Buffer.concat([start, bytes]);
    };
    const words = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);
    const packed = (matrix: Buffer): Buffer => Buffer.concat([header, tag(15, deflateSync(tag(14, matrix)))]);
    const start = (kind: number, ...dims: number[]): Buffer =>
      Buffer.concat([tag(6, words(kind, 0)), tag(5, words(...dims)), tag(1, Buffer.alloc(0))]);
    const begin = performance.now();
    const column = packed(Buffer.concat([start(4, 1_000_000, 1), tag(16, Buffer.alloc(1_000_000, 'x'))]));
    const [text] = readMat(column, 'x.mat').values();
    assert.ok(text.kind === 'text' && text.rows.length === 1_000_000);
    refuses(packed(Buffer.concat([tag(6, words(6, 0)), tag(5, Buffer.alloc(4_000_000, 1))])), 'MAT_DAMAGED');
    refuses(
      packed(Buffer.concat([start(2, 1, 1), tag(5, words(1)), tag(1, Buffer.alloc(8_000_000, 'x'))])),
      'MAT_DAMAGED',
    );
    refuses(packed(Buffer.concat([start(6, 8_000_000, 1), tag(2, Buffer.alloc(8_000_000))])), 'MAT_DAMAGED');
    assert.ok(performance.now() - begin < 4000);
  });
});
