import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../src/engine/errors';
import { Checkpoints } from '../../src/runs/checkpoint';
import type { RunRecord } from '../../src/runs/record';
import { RunStore } from '../../src/runs/store';
import type { TrainState } from '../../src/transfer/trainer';

const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;

/** A state of about `kilobytes`. */
const state = (epoch: number, kilobytes: number): TrainState => ({
  epoch, step: 0, rows: [], layerRows: [], lastLoss: null,
  sums: { images: 0, loss: 0, crossEntropy: 0, correct: 0, trainSeconds: 0, dataWaitSeconds: 0 },
  layerSums: { steps: 0, gradients: [], updates: [] },
  variables: { w: new Float32Array(256 * kilobytes).fill(epoch) },
});
const history = { startedAt: '', wallSeconds: 0, peakMemoryMb: 0, keepWeights: false };

describe('a disk of 1 MB (where this user may mount one)', () => {
  let folder: string;
  beforeEach(function () {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-disk-'));
    if (!mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder)) this.skip();
  });
  afterEach(() => {
    spawnSync('umount', [folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('that is full keeps the checkpoint before, and nothing half-written', async () => {
    const checkpoints = new Checkpoints(folder, 'aa', 2);
    await checkpoints.write(state(1, 400), history);
    await assert.rejects(checkpoints.write(state(2, 700), history), (error: KitError) => /could not be written/.test(error.message) && error.fix !== '');
    assert.deepEqual(fs.readdirSync(checkpoints.folder).sort(), ['00001-0000000.json', '00001-0000000.safetensors']);
    assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 1);
  });

  it('has no room for a record: refused before the run begins, and told when it is written', async () => {
    const store = new RunStore(folder);
    assert.throws(() => store.requireRoom(), (error: KitError) => /Runs cannot be kept in/.test(error.message) && /disk is full/.test(error.fix));
    const record = { id: 'aa', status: 'finished', epochs: [], notes: 'x'.repeat(2_000_000) } as unknown as RunRecord;
    await assert.rejects(store.put(record, []), (error: KitError) => /is over but could not be written/.test(error.message) && /disk is full/.test(error.fix));
    assert.equal(store.find('aa'), null);
    assert.ok(!fs.readdirSync(path.join(folder, 'aa')).some((name) => name.startsWith('record.json')));
  });

  it('that is read-only: refused before the run begins; what is there is listed all the same', async () => {
    const store = new RunStore(folder);
    await store.put({ id: 'aa', status: 'finished', epochs: [], startedAt: '2026' } as unknown as RunRecord, []);
    assert.ok(mount('-o', 'remount,ro', folder));
    assert.throws(() => store.requireRoom(), /Runs cannot be kept in/);
    assert.deepEqual(store.brief().map(({ id }) => id), ['aa']);
  });
});
