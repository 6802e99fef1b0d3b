import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { forgetDefinitions } from '../../../src/base/definitions/registry';
import { isCurrent, numericsOf, runId, sparse } from '../../../src/runs/store/identity';
import { defineTrick, tricks } from '../../../src/transfer/tricks/trick';
import { parseRunSpec, type RunSpecInput } from '../../../src/transfer/spec/spec';

const first16 = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const key = (spec: RunSpecInput) => ({ spec: parseRunSpec(spec), data: 'd', weights: 'w' });
const base = { dataset: 'elpv', backbone: 'resnet50.tv_in1k' };

/** A trick as a study first writes it, and with an option more. */
const first = (version = 1) =>
  defineTrick({
    name: 'identity/trick',
    version,
    options: z.strictObject({ side: z.number().default(16) }),
  });
const withOptionMore = () =>
  defineTrick({
    name: 'identity/trick',
    options: z.strictObject({ side: z.number().default(16), soft: z.boolean().default(false) }),
  });

describe('the identity of a run', () => {
  after(() => forgetDefinitions('identity/'));

  it('is the sha256 of canonical JSON, without values that equal their defaults', () => {
    const text = `{"data":"d","numerics":{"kit":4},"spec":{"backbone":"resnet50.tv_in1k","dataset":"elpv"},"weights":"w"}`;
    assert.equal(runId(key(base)), first16(text));
    const changed = { ...base, epochs: 8, optimizer: { learningRate: 0.02 }, limits: { trainPerClass: 4 } };
    assert.deepEqual(sparse(parseRunSpec(changed)), {
      ...base,
      epochs: 8,
      optimizer: { name: 'sgd', learningRate: 0.02 },
      limits: { trainPerClass: 4 },
    });
  });

  it('is the same for a default that is written out, and for the fields of an older kit', () => {
    assert.equal(runId(key({ ...base, epochs: 40, tricks: [], schedule: 'cosine' })), runId(key(base)));
    assert.equal(
      runId(key({ ...base, trick: { name: 'dropout', rate: 0.5, at: 'head' } })),
      runId(key({ ...base, tricks: [{ name: 'dropout', rate: 0.5, at: 'head' }] })),
    );
  });

  it('has the version of each definition of a study; an option more with a default changes nothing', () => {
    const before = runId(key({ ...base, tricks: [first()()] }));
    assert.deepEqual(numericsOf(key({ ...base, tricks: [first()()] }).spec), { kit: 4, 'identity/trick': 1 });
    assert.equal(runId(key({ ...base, tricks: [withOptionMore()()] })), before);
    assert.notEqual(runId(key({ ...base, tricks: [withOptionMore()({ soft: true })] })), before);
    assert.notEqual(runId(key({ ...base, tricks: [first(2)()] })), before);
  });

  it('says whether a record is of the present code', () => {
    const { spec } = key({ ...base, tricks: [first()()] });
    assert.equal(isCurrent({ spec, numerics: { kit: 4, 'identity/trick': 1 } }), true);
    assert.equal(isCurrent({ spec, numerics: { kit: 3, 'identity/trick': 1 } }), false);
    first(2);
    assert.equal(isCurrent({ spec, numerics: { kit: 4, 'identity/trick': 1 } }), false);
    tricks.remove('identity/trick');
    assert.equal(isCurrent({ spec, numerics: { kit: 4, 'identity/trick': 1 } }), true, 'the definition is not loaded');
  });
});
