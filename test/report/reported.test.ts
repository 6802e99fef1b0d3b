// The reported values: exactly those that have a source, and clear errors in files that readers add.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readReported, reportedFor } from '../../src/report/reported';

describe('reported values', () => {
  const all = readReported();
  const value = (source: string, row: string, column: string): unknown => all.find((v) => v.source.id === source && v.row === row && v.column === column)?.value;

  it('are those of the sources at hand, and no others', () => {
    const counts: Record<string, number> = {};
    for (const { source } of all) counts[source.id] = (counts[source.id] ?? 0) + 1;
    assert.deepEqual(counts, { abstract: 1, 'dr-tune': 40, 'haozhe-an': 4, 'paddle-transfer': 21 });
    assert.deepEqual(value('abstract', 'RIFLE above the compared tricks', 'difference in test accuracy'), [0.5, 2]);
    assert.equal(value('haozhe-an', 'RIFLE', 'Stanford Cars'), 86.1);
    assert.equal(value('paddle-transfer', 'RIFLE', 'Texture (DTD)'), 63.15);
    assert.equal(value('dr-tune', 'RIFLE', 'Cars'), 89.72);
    assert.equal(value('dr-tune', 'CE', 'avg'), 87.76);
    assert.ok(all.every(({ source }) => source.caveat !== '' && source.setting !== ''));
  });

  it('stand beside runs of the same data set, method and family of backbones only', () => {
    const found = reportedFor(all, { method: 'rifle', dataset: 'dtd', backbone: 'resnet50.tv_in1k' });
    assert.deepEqual(found.map((v) => [v.source.id, v.value]), [['paddle-transfer', 63.15]]);
    assert.deepEqual(reportedFor(all, { method: 'rifle', dataset: 'elpv', backbone: 'resnet50.tv_in1k' }), []);
  });

  it('are refused with the file and the field that is wrong', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-reported-'));
    try {
      const file = path.join(folder, 'paper.json');
      const source = { id: 'paper', title: 't', address: 'a', setting: 's', caveat: 'c', backbone: null };
      fs.writeFileSync(file, JSON.stringify({ source, values: [{ table: 'T', row: 'r', column: 'c', value: 'high' }] }));
      assert.throws(() => readReported(folder), /paper\.json: .*values\.0\.value/);
      fs.writeFileSync(file, '{');
      assert.throws(() => readReported(folder), /paper\.json: expected JSON/);
      const good = JSON.stringify({ source, values: [{ table: 'T', row: 'r', column: 'c', value: 12.5 }] });
      fs.writeFileSync(file, good);
      assert.equal(readReported(folder)[0].value, 12.5);
      fs.writeFileSync(path.join(folder, 'second.json'), good);
      assert.throws(() => readReported(folder), /"paper" is already in paper\.json/);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    assert.deepEqual(readReported('/nonexistent'), []);
  });
});
