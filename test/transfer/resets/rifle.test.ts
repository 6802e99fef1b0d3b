import assert from 'node:assert/strict';
import { drawHead } from '../../../src/transfer/head';
import { randomStream } from '../../../src/base/random';
import { timetable } from '../../../src/transfer/resets/reset';
import { resetHead, rifle, riflePresets } from '../../../src/transfer/resets/rifle';

describe('RIFLE', () => {
  describe('resets after the epochs that its published variants do, of 40 (paper.md sections 3 and 4)', () => {
    const at = (epochs: number, ...args: Parameters<typeof rifle>) => timetable({ epochs, reset: rifle(...args) });
    it('authors: P = 2 after 20 and, harmlessly, 40; P = 3 runs 39 epochs', () => {
      assert.deepEqual(at(40, 'authors'), { epochs: 40, period: 20, resets: [20, 40] });
      assert.deepEqual(at(40, 'authors', { reinitializations: 2 }), { epochs: 39, period: 13, resets: [13, 26, 39] });
    });
    it('haozhe-an: P = 2 after 20; P = 3 after 13, 26; P = 4 after 10, 20, 30; none in the last 5', () => {
      assert.deepEqual(at(40, 'haozhe-an', { reinitializations: 1 }).resets, [20]);
      assert.deepEqual(at(40, 'haozhe-an'), { epochs: 40, period: 13, resets: [13, 26] });
      assert.deepEqual(at(40, 'haozhe-an', { reinitializations: 3 }).resets, [10, 20, 30]);
      assert.deepEqual(
        at(16, 'haozhe-an', { reinitializations: 3 }).resets,
        [4, 8],
        'the reset after 12 of 16 would be in the last 5',
      );
    });
    it('paddle-transfer: after 10, 20, 30', () =>
      assert.deepEqual(at(40, 'paddle-transfer'), { epochs: 40, period: 10, resets: [10, 20, 30] }));
    it('rifle-module: every 5 epochs, 3 times', () =>
      assert.deepEqual(at(40, 'rifle-module'), { epochs: 40, period: 5, resets: [5, 10, 15] }));
    it('and refuse a run that would never be reset', () => {
      assert.throws(() => at(6, 'haozhe-an'), { code: 'RESET_NEVER' });
      assert.throws(() => at(5, 'rifle-module'), { code: 'RESET_NEVER' });
    });
    it('none without RIFLE', () =>
      assert.deepEqual(timetable({ epochs: 7, reset: null }), { epochs: 7, period: 7, resets: [] }));
  });

  it('names its presets, and calls a changed one custom', () => {
    assert.deepEqual(riflePresets, ['authors', 'haozhe-an', 'paddle-transfer', 'rifle-module']);
    assert.equal(rifle('authors').preset, 'authors');
    assert.equal(rifle('authors', { clearMomentum: true }).preset, 'custom');
    assert.throws(() => rifle('author'), /no preset of RIFLE named "author"/);
  });

  it('draws the head from the distribution of each variant', () => {
    const [features, classes] = [64, 500];
    const moments = (xs: Float32Array) => ({
      max: Math.max(...xs.map(Math.abs)),
      std: Math.sqrt(xs.reduce((sum, x) => sum + x * x, 0) / xs.length),
    });
    const pytorch = drawHead('pytorch-linear', features, classes, randomStream(0, 'a'));
    assert.equal(pytorch.weight.length, features * classes);
    for (const part of [pytorch.weight, pytorch.bias]) {
      const { max, std } = moments(part);
      assert.ok(max <= 1 / 8 && Math.abs(std - 1 / 8 / Math.sqrt(3)) < 0.01, 'U(-1/sqrt(64), 1/sqrt(64))');
    }
    const normal = drawHead('kaiming-normal', features, classes, randomStream(0, 'b'));
    assert.ok(Math.abs(moments(normal.weight).std - Math.sqrt(2 / features)) < 0.005);
    assert.ok(Math.abs(moments(normal.bias).std - Math.sqrt(2 / classes)) < 0.01);
    const uniform = drawHead('uniform-classes', features, classes, randomStream(0, 'c'));
    assert.ok(
      moments(uniform.weight).max <= 1 / Math.sqrt(classes) &&
        Math.abs(moments(uniform.weight).std - 1 / Math.sqrt(3 * classes)) < 0.001,
    );
  });

  it('resets the parts that the variant resets, anew at each epoch, the same for the same seed', () => {
    assert.deepEqual(Object.keys(resetHead(rifle('paddle-transfer'), randomStream(0, 'reset', 10), 4, 3)), ['weight']);
    assert.deepEqual(Object.keys(resetHead(rifle('authors'), randomStream(0, 'reset', 10), 4, 3)), ['weight', 'bias']);
    const at = (seed: number, epoch: number) =>
      String(resetHead(rifle('authors'), randomStream(seed, 'reset', epoch), 4, 3).weight);
    assert.equal(at(1, 10), at(1, 10));
    assert.notEqual(at(1, 10), at(1, 20));
    assert.notEqual(at(1, 10), at(2, 10));
  });
});
