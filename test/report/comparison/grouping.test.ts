// The names, colours and conditions of methods that studies define, in tables and figures.
import assert from 'node:assert/strict';
import { groupRuns } from '../../../src/report/comparison/grouping';
import { colorOf } from '../../../src/report/drawing/figure-style';
import { accuracyFigure } from '../../../src/report/figures/figure';
import { methodsTable } from '../../../src/report/tables/methods-table';
import type { GuestMethod, RunRecord } from '../../../src/runs/store/record';
import { defineMethod } from '../../../src/transfer/methods';
import { syntheticRecord } from '../records';

/** A run of a method whose code is not loaded. */
const guestRun = (name: string, guest: Partial<GuestMethod> = {}, changes: Partial<RunRecord> = {}): RunRecord => ({
  ...syntheticRecord({ method: 'fine-tuning' }),
  id: name,
  method: name,
  guestMethod: { title: 'Cutout', colour: null, control: null, decides: [], ...guest },
  ...changes,
});

/** With the trick `jdoe/cut`, in a version. */
const withTrick = (run: RunRecord, version: number): RunRecord => ({
  ...run,
  id: `${run.id}-${version}`,
  spec: { ...run.spec, tricks: [{ name: 'jdoe/cut' }] },
  numerics: { ...run.numerics, 'jdoe/cut': version },
});

describe('methods of studies in tables and figures', () => {
  const labels = (records: readonly RunRecord[]): string[][] =>
    groupRuns(records).map(({ methods }) => methods.map(({ label }) => label));

  it('have the title and the colour of their records', () => {
    const records = [syntheticRecord(), guestRun('jdoe/a', { colour: '#117733' })];
    assert.deepEqual(labels(records), [['fine-tuning', 'Cutout']]);
    const drawn = accuracyFigure(records).data;
    const names = drawn.map(({ name }) => name);
    assert.ok(names.includes('Cutout (n = 1)'), names.join());
    assert.ok(JSON.stringify(drawn).includes('#117733'));
  });

  it('have their names too when two have one title', () => {
    assert.deepEqual(labels([guestRun('jdoe/a'), guestRun('other/a')]), [['Cutout (jdoe/a)', 'Cutout (other/a)']]);
  });

  it('stand beside the baseline, whatever the versions of their parts, each version in a row', () => {
    const records = [syntheticRecord(), withTrick(guestRun('jdoe/a'), 1), withTrick(guestRun('jdoe/a'), 2)];
    assert.deepEqual(labels(records), [['fine-tuning', 'Cutout (jdoe/cut version 1)', 'Cutout (jdoe/cut version 2)']]);
  });

  it('stand beside runs that differ in the settings which the method decides, and in no others', () => {
    const plain = syntheticRecord();
    const { spec } = plain;
    const optimizer = { ...spec.optimizer, name: 'adamw' };
    const decides: GuestMethod['decides'] = ['optimizer'];
    assert.deepEqual(labels([plain, guestRun('jdoe/a', { decides }, { spec: { ...spec, optimizer } })]), [
      ['fine-tuning', 'Cutout'],
    ]);
    assert.deepEqual(labels([plain, guestRun('jdoe/a', {}, { spec: { ...spec, optimizer } })]).length, 2);
    const batchSize = spec.batchSize * 2;
    assert.equal(
      labels([plain, guestRun('jdoe/a', { decides }, { spec: { ...spec, optimizer, batchSize } })]).length,
      2,
    );
  });

  it('are compared with the control of their definition', () => {
    const compared = (control: string | null): unknown => {
      const records = [syntheticRecord(), syntheticRecord({ method: 'rifle' }), guestRun('jdoe/a', { control })];
      const row = methodsTable(records).rows.find(({ method }) => method === 'Cutout')!;
      return [row.control, row.verdict];
    };
    assert.deepEqual(compared(null), ['fine-tuning', null], 'as every method that is no claim');
    assert.deepEqual(compared('rifle'), ['rifle', 'inconclusive'], 'a claim of the study');
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
