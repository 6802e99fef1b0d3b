import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tf } from '../../../../../src/engine/tensorflow';
import { readTfjsLayers } from '../../../../../src/backbones/weights/readers/tensorflow/tfjs-layers';
import { refused } from '../../../refused';

describe('readTfjsLayers', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-tfjs-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const writeModel = (manifest: unknown): string => {
    const file = path.join(folder, 'model.json');
    fs.writeFileSync(file, JSON.stringify({ format: 'layers-model', weightsManifest: manifest }));
    return file;
  };
  const writeShards = (bytes: Buffer, ...sizes: number[]): string[] => {
    let at = 0;
    return sizes.map((size, i) => {
      fs.writeFileSync(path.join(folder, `shard${i}.bin`), bytes.subarray(at, (at += size)));
      return `shard${i}.bin`;
    });
  };

  it('reads what tfjs itself saved', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, name: 'conv' }),
        tf.layers.batchNormalization({ name: 'norm' }),
      ],
    });
    await model.save(`file://${folder}`);
    const found = await readTfjsLayers(path.join(folder, 'model.json'));
    assert.deepEqual(
      [...found.keys()],
      model.weights.map((weight) => weight.originalName),
    );
    for (const weight of model.weights) {
      const { shape, data } = found.get(weight.originalName)!;
      assert.deepEqual([shape, data], [weight.shape, weight.read().dataSync()]);
    }
    model.dispose();
  });

  it('reads weights that begin in one shard and end in another', async () => {
    const numbers = Float32Array.from({ length: 10 }, (_, i) => i / 4);
    const paths = writeShards(Buffer.from(numbers.buffer), 6, 1, 0, 20, 13);
    const weights = [
      { name: 'a', shape: [2, 2], dtype: 'float32' },
      { name: 'b', shape: [], dtype: 'float32' },
      { name: 'c', shape: [5], dtype: 'float32' },
    ];
    const found = await readTfjsLayers(writeModel([{ paths, weights }]));
    assert.deepEqual(
      [...found.values()].map(({ data }) => data),
      [numbers.slice(0, 4), numbers.slice(4, 5), numbers.slice(5)],
    );
  });

  it('refuses a shard that is missing, truncated, or outside the folder', async () => {
    const weights = [{ name: 'a', shape: [4], dtype: 'float32' }];
    await refused(readTfjsLayers(writeModel([{ paths: ['gone.bin'], weights }])), 'TFJS_LAYERS_SHARD');
    const paths = writeShards(Buffer.alloc(16), 8, 7);
    await refused(readTfjsLayers(writeModel([{ paths, weights }])), 'TFJS_LAYERS_SHARD');
    await refused(readTfjsLayers(writeModel([{ paths: ['../secret.bin'], weights }])), 'TFJS_LAYERS_MANIFEST');
  });

  it('refuses what is no layers model, and types that cannot be trained on', async () => {
    const file = path.join(folder, 'model.json');
    fs.writeFileSync(file, '{"weightsManifest": [');
    await refused(readTfjsLayers(file), 'TFJS_LAYERS_MANIFEST');
    fs.writeFileSync(file, '{"nodes": []}');
    await refused(readTfjsLayers(file), 'TFJS_LAYERS_MANIFEST');
    const of = (extra: object) =>
      writeModel([{ paths: [], weights: [{ name: 'a', shape: [1], dtype: 'float32', ...extra }] }]);
    await refused(readTfjsLayers(of({ quantization: { dtype: 'uint8' } })), 'TFJS_LAYERS_MANIFEST');
    await refused(readTfjsLayers(of({ dtype: 'complex64' })), 'TFJS_LAYERS_MANIFEST');
    await refused(readTfjsLayers(of({ shape: [-1] })), 'TFJS_LAYERS_MANIFEST');
  });
});
