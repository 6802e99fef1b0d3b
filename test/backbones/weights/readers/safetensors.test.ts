import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readWeights, hashWeights } from '../../../../src/backbones/weights/read';
import {
  readSafetensors,
  readSafetensorsNotes,
  writeSafetensors,
} from '../../../../src/backbones/weights/readers/safetensors';
import { float32Of, type StateDict, type StateTensor } from '../../../../src/backbones/weights/readers/state-dict';
import { fixture } from '../../golden-resnet';
import { refused } from '../../refused';

/** What the safetensors package says that its file holds (data-scripts/golden/safetensors_files.py). */
const expected = JSON.parse(fs.readFileSync(fixture('safetensors', 'expected.json'), 'utf8')) as {
  notes: Record<string, string>;
  tensors: { name: string; shape: number[]; dtype: string; values: (number | boolean | string)[] }[];
};
const every = fixture('safetensors', 'every.safetensors');

const place = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-safetensors-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  const write = (name: string, bytes: Buffer): string => {
    fs.writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };
  /** A file with this header, `length` bytes of data, and a claim of how long its header is. */
  const made = (header: unknown, length: number, claim?: bigint): string => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(claim ?? BigInt(json.length));
    return write('made.safetensors', Buffer.concat([start, json, Buffer.alloc(length)]));
  };

  it('reads every element type that Python wrote, in the order of the bytes, and the notes', async () => {
    const found = await readSafetensors(every);
    assert.deepEqual(
      [...found.keys()],
      expected.tensors.map(({ name }) => name),
    );
    for (const { name, shape, dtype, values } of expected.tensors) {
      const tensor = found.get(name)!;
      assert.deepEqual([tensor.shape, tensor.dtype], [shape, dtype], name);
      const numbers = dtype.includes('float') ? float32Of(tensor, name) : tensor.data;
      const wanted = values.map((v) =>
        v === 'inf' ? Infinity : dtype.includes('float') ? Math.fround(v as number) : Number(v),
      );
      assert.deepEqual(Array.from(numbers as ArrayLike<number | bigint>, Number), wanted, name);
    }
    assert.deepEqual(await readSafetensorsNotes(every), expected.notes);
  });

  it('writes the bytes that Python writes', async () => {
    const file = path.join(folder, 'ours.safetensors');
    await writeSafetensors(file, await readSafetensors(every), { notes: expected.notes });
    assert.deepEqual(fs.readFileSync(file), fs.readFileSync(every));
    assert.deepEqual(fs.readdirSync(folder), ['ours.safetensors'], 'nothing else stays');
  });

  it('writes wider elements first, views of larger arrays alone, and reads all back', async () => {
    const file = path.join(folder, 'views.safetensors');
    const base = Float32Array.of(1, 2, 3, 4, 5, 6);
    const tensors: StateDict = new Map<string, StateTensor>([
      ['byte', { shape: [1], dtype: 'uint8', data: Uint8Array.of(9) }],
      ['b', { shape: [2], dtype: 'float32', data: base.subarray(2, 4) }],
      ['a', { shape: [2, 1], dtype: 'float32', data: base.subarray(4) }],
      ['long', { shape: [], dtype: 'int64', data: BigInt64Array.of(-5n) }],
    ]);
    await writeSafetensors(file, tensors);
    const found = await readWeights(file);
    assert.deepEqual([...found.keys()], ['long', 'b', 'a', 'byte']);
    for (const [name, tensor] of tensors) assert.deepEqual(found.get(name), { ...tensor, data: tensor.data.slice() });
    assert.deepEqual(await readSafetensorsNotes(file), { format: 'pt' });
    assert.match(await hashWeights(file), /^[0-9a-f]{64}$/);
  });

  it('refuses to write what no reader could read', async () => {
    const data = new Float32Array(3);
    await refused(
      writeSafetensors(path.join(folder, 'no'), new Map([['w', { shape: [2], dtype: 'float32', data }]])),
      'SAFETENSORS_SHAPE',
    );
    await refused(
      writeSafetensors(path.join(folder, 'no'), new Map([['__metadata__', { shape: [3], dtype: 'float32', data }]])),
      'SAFETENSORS_NAME',
    );
    assert.equal(fs.existsSync(path.join(folder, 'no')), false);
  });

  const cases: [what: string, file: () => string, code: string][] = [
    ['overlapping tensors', () => made({ a: place(0, 8), b: place(4, 12) }, 12), 'SAFETENSORS_RANGES'],
    ['one place for two', () => made({ a: place(0, 8), b: place(0, 8) }, 8), 'SAFETENSORS_RANGES'],
    ['a gap', () => made({ a: place(0, 4), b: place(8, 12) }, 12), 'SAFETENSORS_RANGES'],
    ['a negative offset', () => made({ a: place(-4, 4) }, 8), 'SAFETENSORS_TENSOR'],
    [
      'an end before its begin',
      () => made({ a: { dtype: 'F32', shape: [1], data_offsets: [8, 4] } }, 8),
      'SAFETENSORS_TENSOR',
    ],
    [
      'a gigantic offset',
      () => made(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551616]}}`, 8),
      'SAFETENSORS_TENSOR',
    ],
    ['a large place in a small file', () => made({ a: place(0, 4e12) }, 8), 'SAFETENSORS_RANGES'],
    [
      'a shape that overflows',
      () => made({ a: { dtype: 'F32', shape: [2 ** 32, 2 ** 32, 2 ** 32, 2 ** 32], data_offsets: [0, 0] } }, 0),
      'SAFETENSORS_TENSOR',
    ],
    ['a negative side', () => made({ a: place(0, 8, [-1, -2]) }, 8), 'SAFETENSORS_TENSOR'],
    ['a broken side', () => made({ a: place(0, 8, [0.5, 4]) }, 8), 'SAFETENSORS_TENSOR'],
    ['a shape of too many axes', () => made({ a: place(0, 4, Array<number>(65).fill(1)) }, 4), 'SAFETENSORS_TENSOR'],
    ['another size than the shape asks for', () => made({ a: place(0, 8, [3]) }, 8), 'SAFETENSORS_TENSOR'],
    ['bytes that no tensor owns', () => made({ a: place(0, 4) }, 5), 'SAFETENSORS_RANGES'],
    [
      'a name twice',
      () => made(`{"a":${JSON.stringify(place(0, 4))},"\\u0061":${JSON.stringify(place(0, 4))}}`, 4),
      'SAFETENSORS_NAME_TWICE',
    ],
    [
      'a field twice',
      () => made('{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}', 8),
      'SAFETENSORS_NAME_TWICE',
    ],
    ['notes that are no text', () => made({ __metadata__: { a: 1 } }, 0), 'SAFETENSORS_HEADER'],
    ['a type without a meaning', () => made({ a: place(0, 4, [1], 'F31') }, 4), 'WEIGHTS_ELEMENT_TYPE'],
    ['a type that the kit cannot hold', () => fixture('safetensors', 'float8.safetensors'), 'WEIGHTS_ELEMENT_TYPE'],
    ['a list for a header', () => made([1], 0), 'SAFETENSORS_HEADER'],
    ['a tensor that is no object', () => made({ a: null }, 0), 'SAFETENSORS_TENSOR'],
    ['a header that is no JSON', () => made('{"a":', 0), 'SAFETENSORS_HEADER'],
    [
      'a header that is no UTF-8',
      () => write('latin.safetensors', Buffer.from('\x04\0\0\0\0\0\0\0{"\xff"', 'latin1')),
      'SAFETENSORS_HEADER',
    ],
    ['a length beyond the file', () => made({}, 8, 2n ** 63n), 'SAFETENSORS_HEADER'],
    [
      'a page of a web server',
      () => write('404.safetensors', Buffer.from('<!doctype html><p>404')),
      'SAFETENSORS_HEADER',
    ],
    ['a file without a header', () => write('empty.safetensors', Buffer.alloc(0)), 'WEIGHTS_TRUNCATED'],
    ['a file that is not there', () => path.join(folder, 'nowhere.safetensors'), 'WEIGHTS_UNREADABLE'],
  ];
  for (const [what, file, code] of cases) {
    it(`refuses ${what}`, async () => {
      await refused(readSafetensors(file()), code);
      assert.equal(({} as Record<string, unknown>).dtype, undefined);
    });
  }

  it('refuses a file that is cut anywhere', async () => {
    const whole = fs.readFileSync(every);
    for (let length = 0; length < whole.length; length += 7) {
      await refused(readSafetensors(write('cut.safetensors', whole.subarray(0, length))), [
        'WEIGHTS_TRUNCATED',
        'SAFETENSORS_HEADER',
        'SAFETENSORS_RANGES',
      ]);
    }
  });
});
