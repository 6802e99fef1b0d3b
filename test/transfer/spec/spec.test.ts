import assert from 'node:assert/strict';
import type { KitError } from '../../../src/base/errors';
import { methods } from '../../../src/transfer/methods';
import { rifle } from '../../../src/transfer/resets/rifle';
import { parseRunSpec, type RunSpecInput } from '../../../src/transfer/spec/spec';

const base = { dataset: 'elpv', backbone: 'efficientnet_lite0.tf_in1k' };

describe('RunSpec', () => {
  it("fills in the authors' defaults (train.py: 40 epochs, batch 32, lr 0.01, momentum 0.9, weight decay 1e-4, cosine)", () => {
    const spec = parseRunSpec(base);
    assert.deepEqual(
      [spec.epochs, spec.batchSize, spec.optimizer, spec.schedule.name],
      [
        40,
        32,
        {
          name: 'sgd',
          learningRate: 0.01,
          headFactor: 1,
          weightDecay: 1e-4,
          clipNorm: null,
          momentum: 0.9,
          nesterov: false,
        },
        'cosine',
      ],
    );
    assert.deepEqual(parseRunSpec(JSON.parse(JSON.stringify(spec))), spec, 'a complete spec is itself');
  });
  const refused: [string, object, RegExp][] = [
    ['an unknown field, with the near one', { ...base, epoch: 3 }, /epoch: unknown field; did you mean epochs/],
    [
      'an unknown nested field',
      { ...base, optimizer: { learning_rate: 1 } },
      /optimizer.learning_rate: unknown field; did you mean learningRate/,
    ],
    [
      'an unknown field of RIFLE',
      { ...base, rifle: { ...rifle(), resetWeight: true } },
      /reset.resetWeight: unknown field; did you mean resetWeights/,
    ],
    ['a missing field', { backbone: 'b' }, /dataset: /],
    ['a wrong type', { ...base, epochs: '3' }, /epochs: .*expected number/],
    ['an unknown precision', { ...base, precision: 'float8' }, /precision: .*"float32"\|"bfloat16"\|"float16"/],
    ['a fold outside', { ...base, fold: { of: 5, index: 5 } }, /fold: expected an index from 0 that is smaller/],
    ['early stopping on test images', { ...base, patience: 2 }, /must not be stopped by its test images/],
    [
      'early stopping of RIFLE',
      { ...base, patience: 2, evaluateOn: 'both', rifle: rifle() },
      /"rifle" needs its whole timetable/,
    ],
    ['a value out of range', { ...base, optimizer: { momentum: 1 } }, /optimizer.momentum: /],
    ['more resets than epochs allow', { ...base, epochs: 1, rifle: rifle() }, /at least 2 epochs, found 1/],
    [
      'RIFLE that resets nothing',
      { ...base, rifle: rifle('authors', { resetWeights: false, resetBias: false }) },
      /re-initialises nothing/,
    ],
  ];
  it('says that a spec with unknown fields is from a newer kit, which, and what to do; what such a kit wrote is read where it is known', () => {
    const kit = '99.1.0';
    assert.throws(
      () => parseRunSpec({ ...base, kit, mixup: 0.2, precision: 'float4' }),
      (error: KitError) => {
        assert.match(
          error.message,
          /^The spec of the run was written by rifle-kit 99\.1\.0\. This is \d+\.\d+\.\d+, .*mixup: unknown field/,
        );
        assert.match(error.message, /precision: /);
        assert.doesNotMatch(error.message, /\n/, 'one line');
        return /Update the kit to 99\.1\.0/.test(error.fix);
      },
    );
    assert.deepEqual(parseRunSpec({ ...base, kit }), parseRunSpec(base));
    assert.throws(
      () => parseRunSpec({ ...base, kit: '0.0.1', mixup: 0.2 }),
      /The spec of the run is not valid:\n {2}- mixup: unknown field/,
    );
    assert.throws(() => parseRunSpec({ ...base, kit: 3 }), { code: 'SPEC_INVALID', message: /kit: unknown field/ });
  });
  it('has no evaluateEvery where every epoch is evaluated', () => {
    assert.deepEqual(parseRunSpec({ ...base, evaluateEvery: 1 }), parseRunSpec(base));
    assert.equal(parseRunSpec({ ...base, evaluateEvery: 5 }).evaluateEvery, 5);
  });
  for (const [what, input, message] of refused)
    it(`refuses ${what}`, () => assert.throws(() => parseRunSpec(input), message));
});

describe('methods', () => {
  it('are found again from the specs that they make', () => {
    for (const { name } of methods.list()) assert.equal(methods.nameOf(parseRunSpec(methods.apply(name, base))), name);
  });
  it('have a name from their parts when they are not in the list', () => {
    const name = (regularizer: RunSpecInput['regularizer'], choices: RunSpecInput['rifle']) =>
      methods.nameOf(parseRunSpec({ ...base, regularizer, rifle: choices }));
    assert.equal(name({ name: 'l2-sp', alpha: 0.1, beta: 0.01 }, null), 'l2-sp:custom');
    assert.equal(name({ name: 'l2' }, rifle('authors', { clearMomentum: true, resetBias: false })), 'rifle:custom');
  });
  it('have near names for an unknown one', () => {
    assert.throws(
      () => methods.get('riffle'),
      (error: KitError) => error.code === 'UNKNOWN_METHOD' && /"rifle"/.test(error.fix),
    );
  });
});
