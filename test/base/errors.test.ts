import assert from 'node:assert/strict';
import { nearNames, unknownName } from '../../src/base/errors';
import { flatten, unflatten } from '../../src/engine/graph/nested';

describe('names that are not known', () => {
  const known = ['resnet50.keras_in1k', 'efficientnet_lite0.tf_in1k', 'efficientnet_lite1.tf_in1k'];
  it('are told the near ones, nearest first', () => {
    assert.deepEqual(nearNames('efficientnet_lite0', known)[0], 'efficientnet_lite0.tf_in1k');
    assert.match(
      unknownName('backbone', 'resnet50', ['resnet50.a', 'vgg']).fix,
      /Did you mean "resnet50.a"\? Known: resnet50.a, vgg\./,
    );
  });
  it('or all, when none is near', () =>
    assert.equal(unknownName('backbone', 'x', known).fix, `Known: ${known.join(', ')}.`));
});

describe('nested values', () => {
  const isNumber = (value: unknown): value is number => typeof value === 'number';
  it('come apart and together again', () => {
    const value = { a: 1, b: [2, { c: 3 }], d: {} };
    const { leaves, structure } = flatten<number>(value, isNumber, 'value');
    assert.deepEqual(leaves, [1, 2, 3]);
    assert.deepEqual(unflatten(structure, leaves), value);
  });
  it('say where something does not belong', () =>
    assert.throws(
      () => flatten<number>({ a: ['x' as unknown as number] }, isNumber, 'value'),
      /The value.a\[0\] is string/,
    ));
});
