import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type KitError } from '../../../src/base/errors';
import type { RunRecord } from '../../../src/runs/store/record';
import { isMeant } from '../../../src/runs/store/selection';
import { runId } from '../../../src/runs/store/identity';
import { RunStore } from '../../../src/runs/store/store';
import { parseRunSpec } from '../../../src/transfer/spec';
import { syntheticStudy } from '../../report/records';

const spec = parseRunSpec({ dataset: 'elpv', backbone: 'b' });
const key = { spec, data: 'd', weights: 'w' };
const record = (id: string): RunRecord =>
  ({ id, format: 2, status: 'finished', epochs: [{}], top1: 0.5, startedAt: '2026-01-01' }) as unknown as RunRecord;

describe('the store of runs', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-store-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('names a run by what its numbers depend on, whatever the order of fields', () => {
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
    assert.equal(store.find('aa'), null);
    assert.deepEqual(store.list(), []);
    await store.put(record('aa'), []);
    assert.deepEqual(store.find('aa'), record('aa'));
    assert.deepEqual(
      store.list().map(({ id }) => id),
      ['aa'],
    );
    assert.deepEqual(
      fs.readdirSync(path.join(folder, 'runs', 'aa')),
      ['layers.json', 'record.json'],
      'nothing half-written stays',
    );
  });

  it('refuses a damaged record, and says what to do', async () => {
    const store = new RunStore(folder);
    await store.put(record('aa'), []);
    const file = path.join(folder, 'aa', 'record.json');
    fs.truncateSync(file, 20);
    assert.throws(
      () => store.find('aa'),
      (error: KitError) => /is damaged: it is not JSON/.test(error.message) && /Delete its folder/.test(error.fix),
    );
    fs.writeFileSync(file, JSON.stringify(record('bb')));
    assert.throws(() => store.find('aa'), /expected the run aa, found finished bb/);
    fs.writeFileSync(
      file,
      JSON.stringify({ ...record('aa'), epochs: { columns: [] }, environment: { kit: '99.1.0' } }),
    );
    assert.throws(
      () => store.find('aa'),
      (error: KitError) =>
        /is from rifle-kit 99\.1\.0, which is newer than this one/.test(error.message) &&
        error.fix === 'Update the kit to 99.1.0.',
    );
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
    assert.equal(again.filter((record) => isMeant(record, { seed: 3, method: 'rifle' })).length, 2000);

    fs.rmSync(path.join(folder, ids[0]), { recursive: true });
    fs.writeFileSync(
      path.join(folder, ids[1], 'record.json'),
      JSON.stringify({ ...template, id: ids[1], top1: 0.123456 }),
    );
    const changed = store.brief();
    assert.deepEqual([changed.length, changed.find(({ id }) => id === ids[1])!.top1], [9999, 0.123456]);
    fs.writeFileSync(path.join(folder, 'index.json'), '{"format":1,"runs":');
    assert.equal(store.brief().length, 9999, 'a damaged index is no index');
    fs.truncateSync(path.join(folder, ids[2], 'record.json'), 10);
    const damaged: string[] = [];
    assert.equal(store.brief((id) => damaged.push(id)).length, 9998);
    assert.deepEqual(damaged, [ids[2]]);
    assert.throws(() => store.brief(), /is damaged/);
  }).timeout(600_000);

  it('says so when a record cannot be written', async () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    assert.throws(() => new RunStore(path.join(folder, 'file')).requireRoom(), /Runs cannot be kept in/);
    await assert.rejects(
      new RunStore(path.join(folder, 'file')).put(record('aa'), []),
      (error: KitError) => /could not be written/.test(error.message) && error.fix !== '',
    );
  });
});
