// The reported values: exactly those that have a source, and clear errors in files that readers add.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { ablationsTable, variantsTable } from '../../../src/studies/rifle/ablations';
import { readReported, reportedFor } from '../../../src/report/comparison/reported';
import { architecturesTable, regularizersTable, tricksTable } from '../../../src/studies/rifle/study-tables';
import type { Table } from '../../../src/report/table/tabular';
import { methodsTable } from '../../../src/report/tables/methods-table';
import { syntheticStudy } from '../records';
import { hasCode } from '../code';

describe('reported values', () => {
  const all = readReported();
  const value = (source: string, row: string, column: string): unknown =>
    all.find((v) => v.source.id === source && v.row === row && v.column === column)?.value;

  it('are those of the sources at hand, and no others', () => {
    const counts: Record<string, number> = {};
    for (const { source } of all) counts[source.id] = (counts[source.id] ?? 0) + 1;
    assert.deepEqual(counts, { abstract: 1, 'dr-tune': 40, 'haozhe-an': 4, 'paddle-transfer': 21, tllib: 12 });
    assert.deepEqual(value('abstract', 'RIFLE above the compared tricks', 'difference in test accuracy'), [0.5, 2]);
    assert.equal(value('haozhe-an', 'RIFLE', 'Stanford Cars'), 86.1);
    assert.equal(value('paddle-transfer', 'RIFLE', 'Texture (DTD)'), 63.15);
    assert.equal(value('dr-tune', 'RIFLE', 'Cars'), 89.72);
    assert.equal(value('dr-tune', 'CE', 'avg'), 87.76);
    assert.ok(all.every(({ source }) => source.caveat !== '' && source.setting !== ''));
  });

  it('stand beside runs of the same data set, method and family of backbones only', () => {
    const found = reportedFor(all, { method: 'rifle', dataset: 'dtd', backbone: 'resnet50.tv_in1k' });
    assert.deepEqual(
      found.map((v) => [v.source.id, v.value]),
      [['paddle-transfer', 63.15]],
    );
    assert.deepEqual(reportedFor(all, { method: 'rifle', dataset: 'elpv', backbone: 'resnet50.tv_in1k' }), []);
  });

  it('are refused with the file and the field that is wrong', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-reported-'));
    try {
      const file = path.join(folder, 'paper.json');
      const source = { id: 'paper', title: 't', address: 'a', setting: 's', caveat: 'c', backbone: null };
      fs.writeFileSync(
        file,
        JSON.stringify({ source, values: [{ table: 'T', row: 'r', column: 'c', value: 'high' }] }),
      );
      assert.throws(() => readReported(folder), hasCode('REPORTED_INVALID'));
      fs.writeFileSync(file, '{');
      assert.throws(() => readReported(folder), hasCode('REPORTED_NOT_JSON'));
      const good = JSON.stringify({ source, values: [{ table: 'T', row: 'r', column: 'c', value: 12.5 }] });
      fs.writeFileSync(file, good);
      assert.equal(readReported(folder)[0].value, 12.5);
      fs.writeFileSync(path.join(folder, 'second.json'), good);
      assert.throws(() => readReported(folder), hasCode('REPORTED_SOURCE_TWICE'));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    assert.deepEqual(readReported('/nonexistent'), []);
  });

  it("of a reader's own folder stand in every table at once", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-reported-'));
    const before = process.env.RIFLE_REPORTED;
    try {
      const source = {
        id: 'paper',
        title: 'The paper',
        address: 'a',
        setting: 'its setting',
        caveat: 'typed by hand',
        backbone: 'efficientnet_lite0',
      };
      const value = (row: string, percent: number): object => ({
        table: 'Table 2',
        row,
        column: 'ELPV',
        value: percent,
      });
      const write = (values: object[], methods: object): void =>
        fs.writeFileSync(
          path.join(folder, 'paper.json'),
          JSON.stringify({ source, methods, datasets: { ELPV: 'elpv' }, values }),
        );
      write(
        [
          value('L2', 81.5),
          value('L2+R', 82.25),
          value('DO', 80),
          { ...value('IncV3', 70), method: 'rifle', backbone: 'inception_v3' },
        ],
        { L2: 'fine-tuning', 'L2+R': 'rifle', DO: 'dropout' },
      );
      process.env.RIFLE_REPORTED = folder;
      const records = syntheticStudy(
        {
          'fine-tuning': [0.8],
          rifle: [0.81],
          dropout: [0.8],
          'l2-sp': [0.8],
          'rifle:bias': [0.8],
          'rifle:haozhe-an': [0.8],
        },
        { epochs: 12 },
      );
      const reportedIn = (table: Table, method: string): unknown =>
        table.rows.find((row) => row.method === method)!.reported;
      assert.equal(reportedIn(methodsTable(records), 'rifle'), '82.25 [1]');
      assert.equal(reportedIn(regularizersTable(records), 'L2'), '81.50 → 82.25 [1]');
      assert.equal(reportedIn(regularizersTable(records), 'L2-SP'), 'not at hand');
      assert.equal(reportedIn(tricksTable(records), 'Dropout (head)'), '80.00 [1]');
      assert.equal(architecturesTable(records).rows[0].reported, '81.50 → 82.25 [1]');
      assert.equal(
        architecturesTable(syntheticStudy({ rifle: [0.8] }, { backbone: 'inception_v3.tv_in1k' })).rows[0].reported,
        'not at hand → 70.00 [1]',
      );
      assert.equal(reportedIn(ablationsTable(records), '1 re-initialisation, shared'), '82.25 [1]');
      assert.equal(reportedIn(variantsTable(records), 'authors'), '82.25 [1]');
      assert.ok(methodsTable(records).notes.includes('[1] The paper (Table 2): its setting. Caveat: typed by hand.'));
      write([value('L2', 81.5)], { L2: 'finetuning' });
      assert.throws(
        () => readReported(folder),
        (error: KitError) => error.code === 'REPORTED_UNKNOWN_METHOD' && /fine-tuning/.test(error.fix),
      );
      process.env.RIFLE_REPORTED = path.join(folder, 'missing');
      assert.throws(() => readReported(), hasCode('REPORTED_NO_FOLDER'));
    } finally {
      if (before === undefined) delete process.env.RIFLE_REPORTED;
      else process.env.RIFLE_REPORTED = before;
      fs.rmSync(folder, { recursive: true });
    }
  });
});
