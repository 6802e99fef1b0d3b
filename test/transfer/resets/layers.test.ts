import assert from 'node:assert/strict';
import { buildResNet } from '../../../src/backbones/families/resnet';
import type { Backbone } from '../../../src/backbones/backbone';
import type { KitError } from '../../../src/base/errors';
import { layersReset } from '../../../src/transfer/resets/layers';
import { resetValues, timetable } from '../../../src/transfer/resets/reset';
import { parseRunSpec } from '../../../src/transfer/spec/spec';

describe('the reset of later layers', () => {
  let backbone: Backbone;
  before(() => (backbone = buildResNet({ block: 'basic', layers: [1, 1], width: 8, classes: 3 }, null)));
  after(() => backbone.dispose());

  /** Every present value is 5. */
  const present = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, new Float32Array(backbone.variables[name].size).fill(5)]));
  const reset = (options: Parameters<typeof layersReset>[0], epoch = 1, seed = 0) =>
    resetValues({ reset: layersReset(options), seed }, backbone, epoch, present);
  const before1 = (name: string): Float32Array => backbone.variables[name].dataSync<'float32'>();

  it('is at equal distances, never after the last epoch', () => {
    const at = (epochs: number, options: Parameters<typeof layersReset>[0]) =>
      timetable({ epochs, reset: layersReset(options) });
    assert.deepEqual(at(8, { times: 3 }), { epochs: 8, period: 2, resets: [2, 4, 6] });
    assert.deepEqual(at(9, { times: 1 }), { epochs: 9, period: 4, resets: [4] });
    assert.deepEqual(at(40, { times: 3, skipLastEpochs: 10 }).resets, [10, 20, 30]);
    assert.deepEqual(at(40, { times: 3, skipLastEpochs: 11 }).resets, [10, 20]);
    assert.throws(
      () => parseRunSpec({ dataset: 'a', backbone: 'b', epochs: 3, reset: layersReset({ times: 3 }) }),
      (error: KitError) => error.code === 'SPEC_PARTS',
    );
  });

  it('takes all variables from a stage on, with statistics and head; `last-stage` is the last stage', () => {
    assert.deepEqual(Object.keys(reset({ from: 'head' }).values), ['fc.weight', 'fc.bias']);
    const { values, cleared } = reset({ from: 'stage2' });
    const names = Object.keys(values);
    assert.ok(
      names.every((name) => name.startsWith('layer2.') || name.startsWith('fc.')),
      names.join(),
    );
    assert.ok(names.includes('layer2.0.bn1.running_mean') && names.includes('layer2.0.downsample.0.weight'));
    assert.deepEqual(cleared, names);
    assert.deepEqual(Object.keys(reset({ from: 'last-stage' }).values), names);
    assert.equal(Object.keys(reset({ from: 'stem' }).values).length, Object.keys(backbone.variables).length);
    assert.deepEqual(reset({ from: 'stage2', clearMomentum: false }).cleared, []);
    assert.throws(
      () => reset({ from: 'stage3' }),
      (error: KitError) => error.code === 'UNKNOWN_STAGE' && error.fix.includes('stage1, stage2, last-stage, head'),
    );
  });

  it('to pretrained values, and part of the way there', () => {
    const name = 'layer2.0.conv1.weight';
    assert.deepEqual(reset({ from: 'stage2', to: 'pretrained' }).values[name], before1(name));
    const half = reset({ from: 'stage2', to: 'pretrained', strength: 0.25 }).values[name];
    before1(name).forEach((value, i) => assert.ok(Math.abs(half[i] - (0.75 * 5 + 0.25 * value)) < 1e-6));
  });

  it('to random values: the same for the same seed and epoch, others else; statistics as in a new network', () => {
    const name = 'layer2.0.conv1.weight';
    const values = (epoch: number, seed = 0) => reset({ from: 'stage2' }, epoch, seed).values;
    assert.deepEqual(values(1), values(1));
    assert.notDeepEqual(values(1)[name], values(2)[name]);
    assert.notDeepEqual(values(1)[name], values(1, 1)[name]);
    assert.notDeepEqual(values(1)[name], before1(name));
    assert.ok(values(1)['layer2.0.bn1.running_mean'].every((value) => value === 0));
    assert.ok(values(1)['layer2.0.bn1.running_var'].every((value) => value === 1));
  });

  it('by noise: added to the present values of parameters, statistics stay', () => {
    const name = 'layer2.0.conv1.weight';
    const drawn = reset({ from: 'stage2' }).values[name];
    const { values } = reset({ from: 'stage2', to: 'noise', strength: 0.1 });
    drawn.forEach((value, i) => assert.ok(Math.abs(values[name][i] - (5 + 0.1 * value)) < 1e-6));
    assert.ok(!('layer2.0.bn1.running_mean' in values));
  });
});
