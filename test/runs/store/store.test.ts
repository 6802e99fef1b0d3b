import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type KitError } from '../../../src/base/errors';
import type { RunRecord } from '../../../src/runs/store/record';
import { runId } from '../../../src/runs/store/identity';
import { matchesFilter } from '../../../src/runs/store/selection';
import { RunStore } from '../../../src/runs/store/store';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import { syntheticRecord, syntheticStudy } from '../../report/records';

const spec = parseRunSpec({ dataset: 'elpv', backbone: 'b' });
const key = { spec, data: 'd', weights: 'w' };
const ID = 'aa'.repeat(8);
const record = (id: string): RunRecord => ({ ...syntheticRecord(), id });

describe('the store of runs', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-store-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('names a run by everything that its numbers depend on, in any order of fields', () => {
    assert.match(runId(key), /^[0-9a-f]{16}$/);
    const reordered = Object.fromEntries(Object.entries(spec).reverse()) as unknown as typeof spec;
    assert.equal(runId({ ...key, spec: reordered }), runId(key));
    for (const other of [
      { ...key, data: 'e' },
      { ...key, weights: 'x' },
      { ...key, spec: { ...spec, seed: 1 } },
    ])
      assert.notEqual(runId(other), runId(key));
  });

  it('gives back what it was given, and nothing for what it was not', async () => {
    const store = new RunStore(path.join(folder, 'runs'));
    assert.equal(store.find(ID), null);
    assert.deepEqual(store.list(), []);
    await store.put(record(ID), []);
    assert.deepEqual(store.find(ID), record(ID));
    assert.deepEqual(
      store.list().map(({ id }) => id),
      [ID],
    );
    assert.deepEqual(
      fs.readdirSync(path.join(folder, 'runs', ID)),
      ['layers.json', 'record.json'],
      'nothing half-written stays',
    );
    assert.equal(store.find('../aa'), null);
  });

  it('refuses a damaged record, and one of a newer kit', async () => {
    const store = new RunStore(folder);
    await store.put(record(ID), []);
    const file = path.join(folder, ID, 'record.json');
    fs.truncateSync(file, 20);
    const refused = (expected: string, fix: RegExp): void =>
      assert.throws(
        () => store.find(ID),
        (error: KitError) => error.code === expected && fix.test(error.fix),
      );
    refused('RECORD_DAMAGED', new RegExp(`runs prune ${ID} --yes`));
    fs.writeFileSync(file, JSON.stringify({ ...record('bb'.repeat(8)), format: 2 }));
    refused('RECORD_DAMAGED', /Restore/);
    const newer = { ...record(ID), epochs: { columns: [] }, environment: { kit: '99.1.0' } };
    fs.writeFileSync(file, JSON.stringify(newer));
    refused('RECORD_NEWER', /Update the kit to 99\.1\.0/);
    fs.writeFileSync(file, JSON.stringify({ ...record(ID), format: 3 }));
    refused('RECORD_NEWER', /Update the kit/);
  });

  it('lists ten thousand runs from an index, which is made again where records are new, changed or gone', async () => {
    const [template] = syntheticStudy({ rifle: [0.8] }, { epochs: 40 });
    const ids = Array.from({ length: 10_000 }, (_, i) => i.toString(16).padStart(16, '0'));
    for (const [i, id] of ids.entries()) {
      fs.mkdirSync(path.join(folder, id));
      fs.writeFileSync(
        path.join(folder, id, 'record.json'),
        JSON.stringify({ ...template, id, top1: i / 10_000, spec: { ...template.spec, seed: i % 5 } }),
      );
    }
    const store = new RunStore(folder);
    assert.equal(store.brief().length, 10_000);
    const again = store.brief();
    assert.deepEqual(
      again[77],
      { ...store.find(ids[77])!, epochs: template.epochs.slice(-1) },
      'a brief record is the record with its last epoch',
    );
    assert.equal(again.filter((record) => matchesFilter(record, { seed: 3, method: 'rifle' })).length, 2000);

    fs.rmSync(path.join(folder, ids[0]), { recursive: true });
    fs.writeFileSync(
      path.join(folder, ids[1], 'record.json'),
      JSON.stringify({ ...template, id: ids[1], top1: 0.123456 }),
    );
    const changed = store.brief();
    assert.deepEqual([changed.length, changed.find(({ id }) => id === ids[1])!.top1], [9999, 0.123456]);
    const index = path.join(folder, 'index.json');
    const edited = fs.readFileSync(index, 'utf8').replace('"top1":0.0077', '"top1":0.9977');
    fs.writeFileSync(index, edited);
    assert.equal(store.brief().find(({ id }) => id === ids[77])!.top1, 0.0077, 'an edited index is not used');
    fs.writeFileSync(index, '{"format":1,"runs":');
    assert.equal(store.brief().length, 9999, 'a damaged index is not used');
    fs.truncateSync(path.join(folder, ids[2], 'record.json'), 10);
    const damaged: string[] = [];
    assert.equal(store.brief((id) => damaged.push(id)).length, 9998);
    assert.deepEqual(damaged, [ids[2]]);
    assert.throws(
      () => store.brief(),
      ({ code }: KitError) => code === 'RECORD_DAMAGED',
    );
  }).timeout(600_000);

  it('reports a record that cannot be written', async () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    assert.throws(
      () => new RunStore(path.join(folder, 'file')).requireRoom(),
      ({ code }: KitError) => code === 'STORE_NOT_WRITABLE',
    );
    await assert.rejects(
      new RunStore(path.join(folder, 'file')).put(record(ID), []),
      (error: KitError) => error.code === 'RUN_NOT_WRITTEN' && error.fix !== '',
    );
  });
});
