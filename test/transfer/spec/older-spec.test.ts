import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { upgradedSpec, withoutOlderFields } from '../../../src/transfer/spec/older-spec';

describe('specs of older kits', () => {
  it('have one regularizer, one trick and RIFLE in fields of their own', () => {
    assert.deepEqual(
      withoutOlderFields({
        regularizer: { name: 'l2-sp', alpha: 0.1 },
        trick: 'dropout',
        rifle: { preset: 'authors' },
        seed: 3,
      }),
      {
        regularizers: [{ name: 'l2-sp', alpha: 0.1 }],
        tricks: ['dropout'],
        reset: { name: 'rifle', preset: 'authors' },
        seed: 3,
      },
    );
  });

  it('say `l2`, `none` and null for nothing', () => {
    assert.deepEqual(withoutOlderFields({ regularizer: { name: 'l2' }, trick: 'none', rifle: null }), {
      regularizers: [],
      tricks: [],
      reset: null,
    });
  });

  it('are left alone where they have the fields of today, and refused with both', () => {
    const today = { regularizers: [], tricks: ['dropout'], reset: 'rifle' };
    assert.deepEqual(withoutOlderFields(today), today);
    assert.equal(withoutOlderFields('elpv'), 'elpv');
    assert.throws(
      () => withoutOlderFields({ tricks: [], trick: 'dropout' }),
      (error: KitError) => error.code === 'SPEC_FIELD_TWICE' && error.message.includes('`tricks`'),
    );
  });

  it('had one optimizer and one augmentation', () => {
    assert.deepEqual(upgradedSpec({ optimizer: { learningRate: 0.1 }, regularizer: 'l2' }), {
      augmentation: { name: 'flip-crop' },
      regularizers: [],
      optimizer: { name: 'sgd', clipNorm: null, learningRate: 0.1 },
    });
  });
});
