import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../src/base/errors';
import { packageRoot } from '../../src/base/home';
import { Checkpoints } from '../../src/runs/store/checkpoint';
import type { RunRecord } from '../../src/runs/store/record';
import { RunStore } from '../../src/runs/store/store';
import type { TrainState } from '../../src/transfer/train-state';
import { syntheticRecord } from '../report/records';
import { makeImageFolder } from './image-folder';

const ID = 'aa'.repeat(8);

const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0;

/** A state of about `kilobytes`. */
const state = (epoch: number, kilobytes: number): TrainState => ({
  epoch,
  step: 0,
  rows: [],
  layerRows: [],
  lastLoss: null,
  sums: { images: 0, loss: 0, crossEntropy: 0, correct: 0, trainSeconds: 0, dataWaitSeconds: 0 },
  layerSums: { steps: 0, gradients: [], updates: [] },
  variables: { w: new Float32Array(256 * kilobytes).fill(epoch) },
});
const history = { startedAt: '', wallSeconds: 0, peakMemoryMb: 0, keepWeights: false };

/** `rifle train` into `runs`, in a process of its own. */
const train = (images: string, runs: string) =>
  spawnSync(
    process.execPath,
    [
      path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js'),
      'train',
      '--dataset',
      images,
      '--weights',
      'random',
      '--image-size',
      '32',
      '--batch-size',
      '4',
      '--epochs',
      '2',
      '--learning-rate',
      '0.0001',
      '--json',
      '--runs',
      runs,
    ],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, timeout: 120_000 },
  );

describe('rifle train on a disk of its own (where this user may mount one)', function () {
  this.timeout(120_000);
  let folder: string;
  let images: string;
  before(async () => {
    images = await makeImageFolder();
  });
  after(() => fs.rmSync(images, { recursive: true, force: true }));
  beforeEach(function () {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-disk-'));
    if (!mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder)) this.skip();
  });
  afterEach(() => {
    spawnSync('umount', [folder]);
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it('without room for a checkpoint continues without one, with a notice, and leaves its record', () => {
    const { status, stdout, stderr } = train(images, folder);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /The checkpoint .* could not be written: .*The run continues without this checkpoint/);
    const { id } = JSON.parse(stdout) as RunRecord;
    assert.deepEqual(fs.readdirSync(path.join(folder, id)).sort(), [
      'journal.jsonl',
      'layers.json',
      'predictions.safetensors',
      'record.json',
    ]);
  });

  it('that is full, or read-only, does not begin: in one line, with the remedy', () => {
    fs.writeFileSync(path.join(folder, 'full'), Buffer.alloc(7_000_000));
    const full = train(images, folder);
    assert.equal(full.status, 1);
    assert.match(
      full.stderr,
      /error: Runs cannot be kept in .*: only \d+ bytes are free\n {2}→ The disk is full: free some space/,
    );
    assert.ok(mount('-o', 'remount,ro', folder));
    const readOnly = train(images, folder);
    assert.equal(readOnly.status, 1);
    assert.match(
      readOnly.stderr,
      /error: Runs cannot be kept in .*EROFS.*\n {2}→ Check that the folder can be written to/,
    );
    assert.deepEqual(fs.readdirSync(folder), ['full']);
  });
});

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
    await assert.rejects(
      checkpoints.write(state(2, 700), history),
      (error: KitError) => error.code === 'CHECKPOINT_NOT_WRITTEN' && error.fix !== '',
    );
    assert.deepEqual(fs.readdirSync(checkpoints.folder).sort(), ['00001-0000000.json', '00001-0000000.safetensors']);
    assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 1);
  });

  it('that holds two checkpoints and not three: the older makes room, and the last is never removed', async () => {
    const checkpoints = new Checkpoints(folder, 'aa', 2);
    for (const epoch of [1, 2, 3, 4]) await checkpoints.write(state(epoch, 400), history);
    assert.deepEqual(fs.readdirSync(checkpoints.folder).sort(), [
      '00003-0000000.json',
      '00003-0000000.safetensors',
      '00004-0000000.json',
      '00004-0000000.safetensors',
    ]);
    await assert.rejects(
      checkpoints.write(state(5, 700), history),
      ({ code }: KitError) => code === 'CHECKPOINT_NOT_WRITTEN',
    );
    assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 4);
  });

  it('has no room for a record: refused before the run begins, and told when it is written', async () => {
    const store = new RunStore(folder);
    assert.throws(
      () => store.requireRoom(),
      (error: KitError) => error.code === 'STORE_NOT_WRITABLE' && /disk is full/.test(error.fix),
    );
    const record = { ...syntheticRecord(), id: ID, notes: 'x'.repeat(2_000_000) } as RunRecord;
    await assert.rejects(
      store.put(record, []),
      (error: KitError) => error.code === 'RUN_NOT_WRITTEN' && /disk is full/.test(error.fix),
    );
    assert.equal(store.find(ID), null);
    assert.ok(!fs.readdirSync(path.join(folder, ID)).some((name) => name.startsWith('record.json')));
  });

  it('that is read-only: refused before the run begins; what is there is listed all the same', async () => {
    const store = new RunStore(folder);
    await store.put({ ...syntheticRecord(), id: ID }, []);
    assert.ok(mount('-o', 'remount,ro', folder));
    assert.throws(
      () => store.requireRoom(),
      ({ code }: KitError) => code === 'STORE_NOT_WRITABLE',
    );
    assert.deepEqual(
      store.brief().map(({ id }) => id),
      [ID],
    );
  });
});
