// Varied fields: all combinations, of any field, and what cannot be varied.
import assert from 'node:assert/strict';
import '../../src/studies/built-in';
import { varied as parsed } from '../../src/cli/flags/vary';
import { plan } from '../../src/studies/plan';
import { studies } from '../../src/studies/study';
import { requireVaried, varied, variedText, type Vary } from '../../src/studies/vary';
import { methods } from '../../src/transfer/methods';
import { parseRunSpec, type RunSpec } from '../../src/transfer/spec/spec';

describe('varied fields', () => {
  const spec = { dataset: 'elpv', backbone: 'efficientnet_lite0.tf_in1k' };
  const [plain, dropout] = ['fine-tuning', 'dropout'].map((name) => parseRunSpec(methods.apply(name, spec)));

  it('are combined, a spec without the part once', () => {
    const vary: Vary = { batchSize: [16, 32], 'tricks.0.rate': [0.1, 0.4] };
    const texts = varied([plain, dropout], vary).map((each) => [methods.nameOf(each), variedText(each, vary)]);
    assert.deepEqual(texts, [
      ['fine-tuning', 'batch size 16'],
      ['dropout:custom', 'batch size 16, rate 0.1'],
      ['dropout:custom', 'batch size 16, rate 0.4'],
      ['fine-tuning', 'batch size 32'],
      ['dropout:custom', 'batch size 32, rate 0.1'],
      ['dropout:custom', 'batch size 32, rate 0.4'],
    ]);
  });

  it('reach plans and studies, which evaluate where they are told', () => {
    const rates = (specs: readonly RunSpec[]): unknown[] => specs.map(({ optimizer }) => optimizer.learningRate);
    const vary = { 'optimizer.learningRate': [0.003, 0.01] };
    assert.deepEqual(rates(plan({ spec, methods: ['rifle'], seeds: [0, 1], vary })), [0.003, 0.01, 0.003, 0.01]);
    const specs = studies.specs('f1', { scale: 'smoke', seeds: [0], vary, evaluateOn: 'validation' });
    assert.deepEqual(rates(specs), [0.003, 0.003, 0.01, 0.01]);
    assert.ok(specs.every(({ evaluateOn }) => evaluateOn === 'validation'));
  });

  it('are repeated in folds', () => {
    const folds = plan({ spec, methods: ['fine-tuning', 'rifle'], seeds: [0, 1], folds: 2 });
    const texts = folds.map((each) => [methods.nameOf(each), each.seed, each.fold!.index, each.fold!.of].join(' '));
    assert.deepEqual(texts, [
      ...['fine-tuning 0 0 2', 'rifle 0 0 2', 'fine-tuning 0 1 2', 'rifle 0 1 2'],
      ...['fine-tuning 1 0 2', 'rifle 1 0 2', 'fine-tuning 1 1 2', 'rifle 1 1 2'],
    ]);
    assert.equal(studies.specs('f1', { scale: 'smoke', seeds: [0], folds: 3 }).length, 6);
    assert.throws(() => plan({ spec, methods: ['rifle'], seeds: [0], folds: 1 }), { code: 'SPEC_INVALID' });
  });

  it('are refused where they are unknown, decided by the study, or of no run', () => {
    assert.throws(() => varied([plain], { bachSize: [3] }), { code: 'SPEC_INVALID', message: /batchSize/ });
    assert.throws(() => varied([plain], { 'optimizer.learningRate': ['fast'] }), { code: 'SPEC_INVALID' });
    for (const vary of [{ seed: [1] }, { batchSize: [] }, { 'tricks.0.rate': [0.1] }] as Vary[])
      assert.throws(() => requireVaried([plain], vary), { code: 'VARY_FIELD' });
    requireVaried([plain, dropout], { 'tricks.0.rate': [0.1] });
  });

  it('are read from the command line as JSON or text', () => {
    assert.deepEqual(parsed('optimizer.learningRate=0.003, 1e-2'), { 'optimizer.learningRate': [0.003, 0.01] });
    assert.deepEqual(parsed('precision=float32,bfloat16', { epochs: [1] }), {
      epochs: [1],
      precision: ['float32', 'bfloat16'],
    });
    assert.deepEqual(parsed('reset=null,{"name":"rifle"}'), { reset: [null, { name: 'rifle' }] });
    for (const wrong of ['epochs', 'epochs=', '=3', 'epochs=3,3', 'epochs=3,', 'a b=3'])
      assert.throws(() => parsed(wrong), { code: 'commander.invalidArgument' }, wrong);
    assert.throws(() => parsed('epochs=3', { epochs: [1] }), { code: 'commander.invalidArgument' });
  });
});
