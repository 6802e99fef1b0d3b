// The parts of a study in the workers of a pool, after a killed process, and in tables and figures.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  accuracyFigure,
  finetune,
  metricsTable,
  parseRunSpec,
  runPool,
  RunStore,
  type RunRecord,
} from '../../src/index';
import { packageRoot } from '../../src/base/home';
import { makeEightParts, type EightParts } from './eight-parts';

describe('the parts of a study', function () {
  this.timeout(120_000);
  let study: EightParts;
  let alone: RunRecord;
  before(async () => {
    study = await makeEightParts();
    alone = await finetune(study.spec, { runs: path.join(study.folder, 'alone') });
  });
  after(() => study?.remove());
  const numbers = ({ epochs }: RunRecord) => epochs.map(({ trainLoss, loss, top1 }) => [trainLoss, loss, top1]);

  it('are in the record, with title and colour of their method; tables and figures show both', () => {
    assert.equal(alone.status, 'finished');
    assert.equal(alone.method, study.method);
    assert.deepEqual(alone.resets, [2]);
    assert.equal(
      Object.keys(alone.numerics).length,
      7,
      'versions of the kit and of six parts; data and network have hashes',
    );
    assert.match(metricsTable([alone]).toString(), /All at once/);
    const figure = JSON.stringify(accuracyFigure([alone]).toPlotlyJson());
    assert.ok(figure.includes('All at once') && figure.includes('#117733'));
  });

  it('give the same bits in the workers of a pool, and after a process was killed', async () => {
    const killed = path.join(study.folder, 'killed');
    const spec = path.join(study.folder, 'spec.json');
    fs.writeFileSync(spec, JSON.stringify(study.spec));
    // prettier-ignore
    const flags = ['train', '--spec', spec, '--extension', study.file, '--runs', killed];
    const child = spawn(process.execPath, [path.join(packageRoot(), 'dist/src/cli/main.js'), ...flags], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const events = (): string[] =>
      new RunStore(killed)
        .journal(alone.id)
        .read()
        .map(({ event }) => event);
    while (child.exitCode === null && !events().includes('checkpoint')) await wait(20);
    child.kill('SIGKILL');
    await ended;
    assert.equal(child.signalCode, 'SIGKILL', 'it was killed before its end');
    const options = { workers: 1, devices: [] };
    const [resumed] = await runPool([study.spec], { ...options, runs: killed });
    assert.ok(events().includes('resumed'), events().join());
    const [pooled] = await runPool([study.spec], { ...options, runs: path.join(study.folder, 'pool') });
    for (const record of [resumed, pooled]) {
      assert.equal(record.id, alone.id);
      assert.deepEqual(record.guestMethod, alone.guestMethod);
      assert.deepEqual(numbers(record), numbers(alone));
    }
  });

  it('end a worker with file and line when their file no longer loads', async () => {
    const text = fs.readFileSync(study.file, 'utf8');
    fs.writeFileSync(study.file, 'const one: number = 1;\nthrow new Error(`boom ${one}`);');
    const options = { workers: 1, devices: [], runs: path.join(study.folder, 'pool') };
    const failing = runPool([parseRunSpec({ ...study.spec, seed: 1 })], options);
    await assert.rejects(failing, { code: 'EXTENSION_FAILED', message: /parts\.ts:2: .*boom/ });
    fs.writeFileSync(study.file, text);
  });
});
