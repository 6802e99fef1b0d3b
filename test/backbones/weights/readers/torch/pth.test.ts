import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readPth } from '../../../../../src/backbones/weights/readers/torch/pth';
import { float32Of, sizeOf } from '../../../../../src/backbones/weights/readers/state-dict';
import type { Progress } from '../../../../../src/base/progress';
import { fixture } from '../../../golden-resnet';
import { refused } from '../../../refused';

/** What PyTorch says the files hold (data-scripts/golden/pth_files.py). */
const expected = JSON.parse(fs.readFileSync(fixture('pth', 'expected.json'), 'utf8')) as Record<
  string,
  { shape: number[]; dtype: string; values: (number | boolean)[] }
>;

describe('readPth', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-pth-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  const write = (name: string, bytes: Buffer): string => {
    fs.writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };

  for (const container of ['zip', 'legacy']) {
    const file = fixture('pth', `${container}.pth`);

    it(`reads every element type, views and shared storages of a ${container} file`, async () => {
      const found = await readPth(file);
      assert.deepEqual([...found.keys()], Object.keys(expected));
      for (const [name, { shape, dtype, values }] of Object.entries(expected)) {
        const tensor = found.get(name)!;
        assert.deepEqual([tensor.shape, tensor.dtype, tensor.data.length], [shape, dtype, sizeOf(shape)], name);
        const numbers = dtype.includes('float') ? float32Of(tensor, name) : tensor.data;
        assert.deepEqual(
          Array.from(numbers as ArrayLike<number | bigint>, Number),
          values.map((v) => (dtype === 'float64' ? Math.fround(v as number) : Number(v))),
          name,
        );
      }
      assert.equal(found.get('tied')!.data.buffer, found.get('float32')!.data.buffer);
    });

    it(`refuses a ${container} file that is cut anywhere`, async () => {
      const whole = fs.readFileSync(file);
      for (let length = 0; length < whole.length; length += 37) {
        await refused(readPth(write('cut.pth', whole.subarray(0, length))), [
          'WEIGHTS_TRUNCATED',
          'WEIGHTS_UNREADABLE',
        ]);
      }
    });

    it(`refuses or reads, but never fails otherwise, a ${container} file with a damaged byte`, async () => {
      const whole = fs.readFileSync(file);
      for (let at = 0; at < whole.length; at += 11) {
        const damaged = Buffer.from(whole);
        damaged[at] ^= 0x55;
        await readPth(write('damaged.pth', damaged)).catch(async () =>
          refused(readPth(path.join(folder, 'damaged.pth')), [
            'PTH_FORMAT',
            'PTH_CHECKSUM',
            'WEIGHTS_UNREADABLE',
            'PTH_NO_PICKLE',
            'PTH_ENTRY_MISSING',
            'PTH_ENTRY_COMPRESSED',
            'PTH_ENTRIES',
            'WEIGHTS_TRUNCATED',
            'PICKLE_MALFORMED',
            'PICKLE_OPCODE',
            'PICKLE_NAME',
            'PTH_STORAGE',
            'PTH_TENSOR',
          ]),
        );
      }
    });
  }

  it('finds the state dict of a checkpoint, and leaves its names as they are', async () => {
    const found = await readPth(fixture('pth', 'checkpoint.pth'));
    assert.deepEqual(
      [...found].map(([name, { shape, data }]) => [name, shape, Array.from(data as Float32Array)]),
      [
        ['module.weight', [1, 2], [0.5, -0.5]],
        ['module.bias', [1], [0.125]],
      ],
    );
  });

  it('reports the bytes that it has read', async () => {
    const reports: Progress[] = [];
    await readPth(fixture('pth', 'legacy.pth'), { onProgress: (p) => reports.push(p) });
    const { size } = fs.statSync(fixture('pth', 'legacy.pth'));
    assert.deepEqual(reports.at(-1), { task: 'read weights', done: size, total: size, unit: 'bytes' });
  });

  it('executes nothing: a file that asks for os.system is refused', async () => {
    for (const name of ['system.pth', 'system-legacy.pth']) {
      await refused(readPth(fixture('pth', name)), 'PICKLE_NAME');
    }
    assert.equal(fs.existsSync('rifle-kit-was-here'), false);
  });

  it('refuses a small file that would fill the memory: the same numbers in view after view', async () => {
    await refused(readPth(fixture('pth', 'views.pth')), 'PTH_VIEWS');
  });

  it('refuses a whole model, which is a program and not weights', async () => {
    await refused(readPth(fixture('pth', 'model.pth')), 'PICKLE_NAME');
  });

  it('refuses a file that is not a PyTorch file', async () => {
    await refused(readPth(write('garbage.pth', Buffer.from('<!doctype html><p>404'))), 'PTH_FORMAT');
    await refused(readPth(write('other.pth', Buffer.from('\x80\x02K\x01.\x80\x02K\x02.', 'latin1'))), 'PTH_FORMAT');
    await refused(readPth(write('empty.pth', Buffer.alloc(0))), 'WEIGHTS_TRUNCATED');
    await refused(readPth(path.join(folder, 'nowhere.pth')), 'WEIGHTS_UNREADABLE');
  });
});
