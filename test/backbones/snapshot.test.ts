import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../src/base/errors';
import { tf } from '../../src/engine/tensorflow';
import { backbones } from '../../src/backbones/backbone';
import { stateDictOf } from '../../src/backbones/snapshot';
import { readSafetensors, writeSafetensors } from '../../src/backbones/weights/readers/safetensors';
import { hashStateDict } from '../../src/backbones/weights/readers/state-dict';
import { goldenCases, goldenNetwork, startingWeights } from './golden-resnet';

describe('stateDictOf', () => {
  const [, bottlenecks] = goldenCases;

  it('gives back the file that a network was made of: names, layouts and numbers', () => {
    const network = goldenNetwork(bottlenecks);
    const tensors = tf.memory().numTensors;
    assert.deepEqual(stateDictOf(network), startingWeights(bottlenecks));
    assert.equal(tf.memory().numTensors, tensors);
    network.dispose();
  });

  it('writes other values in place of the present ones, and refuses what fits no parameter', () => {
    const network = goldenNetwork(bottlenecks);
    const [inputs, classes] = network.head.weight.shape;
    const weight = tf.range(0, inputs * classes).reshape([inputs, classes]);
    const written = stateDictOf(network, { 'fc.weight': weight, 'fc.bias': new Float32Array(classes).fill(3) });
    assert.deepEqual(written.get('fc.weight')!.shape, [classes, inputs]);
    assert.equal(written.get('fc.weight')!.data[1], classes, 'the second input of the first class');
    assert.deepEqual(written.get('fc.bias')!.data, new Float32Array(classes).fill(3));
    assert.deepEqual(written.get('conv1.weight'), startingWeights(bottlenecks).get('conv1.weight'));
    const refusal = (values: Record<string, Float32Array>, code: string) =>
      assert.throws(
        () => stateDictOf(network, values),
        (error: unknown) => error instanceof KitError && error.code === code,
      );
    refusal({ 'fc.wait': new Float32Array(1) }, 'UNKNOWN_PARAMETER');
    refusal({ 'fc.bias': new Float32Array(1) }, 'PARAMETER_SIZE');
    weight.dispose();
    network.dispose();
  });

  it('makes a file that loads as the same network', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-snapshot-'));
    const file = path.join(folder, 'lite0.safetensors');
    const id = 'efficientnet_lite0.tf_in1k';
    const network = await backbones.load(id, { classes: 7, weights: 'random', seed: 3 });
    await writeSafetensors(file, stateDictOf(network));
    const again = await backbones.load(id, { classes: 7, weights: file });
    assert.equal(hashStateDict(stateDictOf(again)), hashStateDict(stateDictOf(network)));
    assert.deepEqual([...(await readSafetensors(file)).keys()], Object.keys(network.variables));
    network.dispose();
    again.dispose();
    fs.rmSync(folder, { recursive: true });
  });
});
