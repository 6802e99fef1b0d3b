// A record that kit 0.1 wrote (test/fixtures/runs), in the form of today.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../../src/base/errors';
import { packageRoot } from '../../../../src/base/home';
import { toCurrentRows } from '../../../../src/runs/store/format/older-formats';
import { RunStore } from '../../../../src/runs/store/store';
import { verifyRun } from '../../../../src/runs/store/verify';

const FIXTURE = path.join(packageRoot(), 'test', 'fixtures', 'runs', 'record-format-1.json');
const ID = '103202c43dc3b375';

const NO_RUN = (root: string): string => `There is no finished run ${ID} in ${root}.`;

describe('records of older formats', () => {
  let store: RunStore;
  const file = (): string => path.join(store.folder(ID), 'record.json');
  beforeEach(() => {
    store = new RunStore(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-older-')));
    fs.mkdirSync(store.folder(ID));
    fs.copyFileSync(FIXTURE, file());
  });
  afterEach(() => fs.rmSync(store.root, { recursive: true, force: true }));

  it('format 1: testTop1 and testLoss are top1 and loss, measured on the images that the spec names', async () => {
    const record = store.find(ID)!;
    assert.deepEqual(
      [record.top1, record.evaluatedOn, record.epochs[0].loss, record.epochs[0].top1, record.epochs[0].evaluatedOn],
      [0.375, 'test', 1.4207087755203247, 0.125, 'test'],
    );
    assert.equal(JSON.stringify(record).includes('testTop1'), false);
    const { regularizers, tricks, reset, optimizer } = record.spec;
    assert.deepEqual(
      [regularizers, tricks, reset?.name, optimizer.name, record.numerics, record.format],
      [[{ name: 'bss', eta: 0.001, k: 1 }], [], 'rifle', 'sgd', { kit: 3 }, 1],
    );
    assert.deepEqual((await verifyRun(store, ID)).problems, ['layers.json is missing', NO_RUN(store.root)]);
  });

  it('format 1: variables that are no settings of TensorFlow are not shown', () => {
    const { flags } = store.find(ID)!.environment;
    assert.deepEqual(Object.keys(flags).sort(), [
      'TF_CPP_MIN_LOG_LEVEL',
      'TF_DETERMINISTIC_OPS',
      'TF_ENABLE_ONEDNN_OPTS',
      'TF_FORCE_GPU_ALLOW_GROWTH',
    ]);
  });

  it('format 1: the checksum is that of the file as it was written', () => {
    fs.writeFileSync(file(), fs.readFileSync(FIXTURE, 'utf8').replace('"testTop1": 0.375', '"testTop1": 0.975'));
    assert.throws(
      () => store.find(ID),
      ({ code }: KitError) => code === 'RECORD_DAMAGED',
    );
  });

  it('a newer format is refused', () => {
    fs.writeFileSync(
      file(),
      JSON.stringify({ ...(JSON.parse(fs.readFileSync(FIXTURE, 'utf8')) as object), format: 3 }),
    );
    assert.throws(
      () => store.find(ID),
      ({ code }: KitError) => code === 'RECORD_NEWER',
    );
  });

  it('rows of a checkpoint that measured validation accuracy say so', () => {
    assert.deepEqual(toCurrentRows([{ epoch: 1, testTop1: 0.5, testLoss: 2 }], 'validation'), [
      { epoch: 1, top1: 0.5, loss: 2, evaluatedOn: 'validation' },
    ]);
  });
});
