// The table of data sets: the catalog's counts, and what runs read of them.
import assert from 'node:assert/strict';
import { datasets } from '../../../src/data/catalog';
import { datasetsTable } from '../../../src/report/tables/datasets-table';
import { syntheticRecord } from '../records';

describe('datasetsTable', () => {
  it('has what the catalog says of the data sets that were run, and what the runs used', () => {
    const limited = syntheticRecord({ spec: { limits: { trainPerClass: 80, testPerClass: 50 } } });
    const table = datasetsTable([limited, syntheticRecord({ dataset: 'my-folder', test: 40 })], {
      scale: 'mini',
      remarks: ['A remark.'],
    });
    const elpv = datasets.list().find(({ name }) => name === 'elpv')!;
    const [first, second] = table.rows;
    assert.deepEqual(
      [first.dataset, first.classes, first.train, first.test, first.used, first.licence, first.hash],
      ['elpv', 4, 1667, 556, '320 / 200', 'CC-BY-NC-SA-4.0', 'd'.repeat(12)],
    );
    assert.equal(first.archive_sha256, elpv.files[0].sha256);
    assert.deepEqual(
      [second.dataset, second.train, second.test, second.used, second.archive],
      ['my-folder', 320, 40, 'all', null],
    );
    assert.deepEqual(table.sources[0].used.runs, [limited.id]);
    assert.ok(table.notes.some((note) => note.startsWith('elpv: 2,223 grey')));
    assert.ok(table.notes.includes('A remark.'));
  });

  it('lists the catalog when nothing was run, and the planned data sets beside', () => {
    assert.deepEqual(
      datasetsTable().rows.map(({ dataset }) => dataset),
      datasets.list().map(({ name }) => name),
    );
    const planned = datasetsTable([], { planned: [{ dataset: 'photos/cub10', backbone: 'b' }] });
    assert.deepEqual(
      planned.rows.map(({ dataset, used, hash }) => [dataset, used, hash]),
      [['cub10', 'not run', null]],
    );
    assert.ok(planned.notes.some((note) => /^Nothing was run on cub10\. To run: `npx rifle sweep /.test(note)));
  });
});
