// The names and colours of methods that studies define, in tables and figures.
import assert from 'node:assert/strict';
import { groupRuns } from '../../../src/report/comparison/grouping';
import { colorOf } from '../../../src/report/drawing/figure-style';
import { accuracyFigure } from '../../../src/report/figures/figure';
import type { RunRecord } from '../../../src/runs/store/record';
import { defineMethod } from '../../../src/transfer/methods';
import { syntheticRecord } from '../records';

/** A run of a method whose code is not loaded. */
const guestRun = (method: string, title: string, colour: string | null, seed = 0): RunRecord => {
  const record = syntheticRecord({ method: 'rifle', seed });
  return { ...record, id: `${method}-${seed}`, method, methodStyle: { title, colour } };
};

describe('methods of studies in tables and figures', () => {
  const labels = (records: readonly RunRecord[]): string[] =>
    groupRuns(records).flatMap(({ methods }) => methods.map(({ label }) => label));

  it('have the title and the colour of their records', () => {
    const records = [syntheticRecord(), guestRun('jdoe/a', 'Cutout', '#117733')];
    assert.deepEqual(labels(records), ['fine-tuning', 'Cutout']);
    const names = accuracyFigure(records).data.map(({ name }) => name);
    assert.ok(names.includes('Cutout (n = 1)'), names.join());
    assert.ok(JSON.stringify(accuracyFigure(records).data).includes('#117733'));
  });

  it('have their names too when two have one title', () => {
    const records = [guestRun('jdoe/a', 'Cutout', null), guestRun('other/a', 'Cutout', null)];
    assert.deepEqual(labels(records), ['Cutout (jdoe/a)', 'Cutout (other/a)']);
  });

  it('have a colour from their name when they give none', () => {
    assert.equal(colorOf('jdoe/a', null), colorOf('jdoe/a'));
    assert.equal(colorOf('jdoe/a', '#123456'), '#123456');
  });

  it('are refused with a colour of another form, or a title too long for a table', () => {
    assert.throws(() => defineMethod({ name: 'grouping/a', colour: 'red' }), { code: 'METHOD_COLOUR' });
    assert.throws(() => defineMethod({ name: 'grouping/a', title: 'x'.repeat(121) }), { code: 'METHOD_TITLE' });
  });
});
