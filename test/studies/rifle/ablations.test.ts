// The ablations and the published variants: every choice in its block, the authors' variant as the reference of each.
import assert from 'node:assert/strict';
import { ablationsTable, variantsTable } from '../../../src/studies/rifle/ablations';
import { rifle } from '../../../src/transfer/resets/rifle';
import { syntheticRecord, syntheticStudy } from '../../report/records';

describe('ablationsTable', () => {
  const values = {
    'fine-tuning': [0.8, 0.81],
    rifle: [0.82, 0.83],
    'rifle:2-resets': [0.83, 0.84],
    'rifle:bias': [0.79, 0.8],
    'rifle:noise': [0.81, 0.82],
    'rifle:rifle-module': [0.82, 0.83],
  };
  const table = ablationsTable(syntheticStudy(values, { epochs: 12 }));
  const rows = table.rows.map(({ section, method, difference, status }) => [
    section,
    method,
    difference === null ? null : Math.round(difference as number),
    status,
  ]);

  it("sorts variants by what they vary, with the authors' in every block", () => {
    assert.deepEqual(rows, [
      ['without RIFLE', 'fine-tuning', null, 'finished'],
      ['number of resets, head rate', '1 re-initialisation, cyclic', null, 'not run'],
      ['number of resets, head rate', '1 re-initialisation, shared', 2, 'finished'],
      ['number of resets, head rate', '2 re-initialisations, cyclic', null, 'not run'],
      ['number of resets, head rate', '2 re-initialisations, shared', 3, 'finished'],
      ['number of resets, head rate', '3 re-initialisations, cyclic', null, 'not run'],
      ['number of resets, head rate', '3 re-initialisations, shared', null, 'not run'],
      ['what is reset', 'bias', -1, 'finished'],
      ['what is reset', 'weights', null, 'not run'],
      ['what is reset', 'weights and bias', 2, 'finished'],
      ['what is reset', 'weights and bias, momentum cleared', null, 'not run'],
      ['what the head gets', 'new values, pytorch-linear', 2, 'finished'],
      ['what the head gets', 'noise added, pytorch-linear', 1, 'finished'],
      ['published variant', 'authors', 2, 'finished'],
      ['published variant', 'rifle-module', 2, 'finished'],
    ]);
  });

  it('counts a comparison of several blocks once', () => {
    assert.match(table.caption, /Verdict: supported 4, contradicted 1, not run 6\.$/);
    assert.ok(table.notes.some((note) => note.includes('`npx rifle sweep --study t5`')));
  });

  it('has a row for every other run, in the block of its change', () => {
    const run = (changes: Parameters<typeof rifle>[1]) =>
      syntheticRecord({ epochs: 12, spec: { rifle: rifle('authors', changes) }, top1: 0.9 });
    const more = ablationsTable([
      ...syntheticStudy(values, { epochs: 12 }),
      run({ reinitializations: 5 }),
      run({ reinitializations: 2, resetBias: false }),
    ]).rows;
    assert.ok(
      more.some(
        ({ section, method, status }) =>
          section === 'number of resets, head rate' &&
          method === '5 re-initialisations, shared' &&
          status === 'finished',
      ),
    );
    assert.equal(more.filter(({ section }) => section === 'several choices').length, 1);
  });
});

describe('variantsTable', () => {
  it('has the four published variants beside fine-tuning, with what sets them apart', () => {
    const table = variantsTable(
      syntheticStudy(
        {
          'fine-tuning': [0.8, 0.8],
          rifle: [0.81, 0.81],
          'rifle:paddle-transfer': [0.79, 0.8],
          'rifle:2-resets': [0.9, 0.9],
        },
        { epochs: 12 },
      ),
    );
    assert.deepEqual(
      table.rows.map(({ method, redrawn, distribution, verdict }) => [method, redrawn, distribution, verdict]),
      [
        ['fine-tuning', null, null, null],
        ['authors', 'weights and bias', 'pytorch-linear', 'supported'],
        ['haozhe-an', 'weights and bias', 'kaiming-normal', 'not run'],
        ['paddle-transfer', 'weights', 'uniform-classes', 'inconclusive'],
        ['rifle-module', 'weights and bias', 'pytorch-linear', 'not run'],
      ],
    );
    assert.equal(table.rows[1].resets, '6', 'a reset after the last epoch changes nothing that is shown');
  });
});
