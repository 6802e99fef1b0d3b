import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Journal } from '../../../src/runs/store/journal';
import { parseRunSpec } from '../../../src/transfer/spec/spec';

describe('the journal of a run', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-journal-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('has the events in order with their process; half a line of a killed process does no harm', () => {
    const journal = new Journal(path.join(folder, 'aa'));
    assert.deepEqual(journal.read(), []);
    journal.write('started', { epochs: 4 });
    fs.appendFileSync(journal.file, '{"at":"2026-01-01T00:00:00Z","event":"check');
    journal.write('resumed', { epoch: 1 });
    assert.deepEqual(
      journal.read().map(({ event, pid, host, epoch }) => [event, pid, host, epoch]),
      [
        ['started', process.pid, os.hostname(), undefined],
        ['resumed', process.pid, os.hostname(), 1],
      ],
    );
  });

  it('that cannot be written stops nothing', () => {
    fs.writeFileSync(path.join(folder, 'aa'), '');
    new Journal(path.join(folder, 'aa')).write('started');
  });

  it('leaves out lines that are JSON of another form', () => {
    const journal = new Journal(path.join(folder, 'aa'));
    const spec = parseRunSpec({ dataset: 'd', backbone: 'b' });
    journal.write('started', { spec, dataset: { name: 'd', hash: 'h', from: '/d' } });
    for (const line of ['null', '5', '[]', '{"event":"started"}', '{"at":1,"event":"x","host":"h","pid":1}'])
      fs.appendFileSync(journal.file, `${line}\n`);
    assert.equal(journal.read().length, 1);
    assert.deepEqual(journal.started()!.spec, spec);
    fs.writeFileSync(journal.file, '{"at":"","event":"started","host":"h","pid":1,"spec":{"seed":"<b>"}}\n');
    assert.equal(journal.started(), null);
  });

  it('keeps no secret of an address', () => {
    const journal = new Journal(path.join(folder, 'aa'));
    journal.write('notice', { text: 'No answer from http://alice:SECRET@host:1/?key=SECRET#SECRET.' });
    const text = fs.readFileSync(journal.file, 'utf8');
    assert.ok(!text.includes('SECRET') && text.includes('http://host:1/.'), text);
  });

  it('of a length that no process can hold is read at its beginning and its end', () => {
    const journal = new Journal(path.join(folder, 'aa'));
    journal.write('started');
    const file = fs.openSync(journal.file, 'r+');
    fs.writeSync(file, `${JSON.stringify({ at: '', event: 'finished', host: 'h', pid: 1 })}\n`, 3e9);
    fs.closeSync(file);
    assert.deepEqual(
      journal.read().map(({ event }) => event),
      ['started'],
    );
    fs.appendFileSync(journal.file, `${JSON.stringify({ at: '', event: 'failed', host: 'h', pid: 1 })}\n`);
    assert.deepEqual(
      journal.read().map(({ event }) => event),
      ['started', 'failed'],
    );
  });
});
