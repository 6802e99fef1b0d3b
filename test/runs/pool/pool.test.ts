import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { plan } from '../../../src/studies/plan';
import { runPool, type PoolRun } from '../../../src/runs/pool/pool';
import { RunStore } from '../../../src/runs/store/store';
import { unfinishedRuns } from '../../../src/runs/store/unfinished';
import type { RunSpec } from '../../../src/transfer/spec/spec';
import { makeImageFolder } from '../image-folder';

describe('the pool', function () {
  this.timeout(900_000);
  let dataset: string;
  let folder: string;
  let specs: RunSpec[];
  before(async () => {
    dataset = await makeImageFolder();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-pool-'));
    const spec = {
      dataset,
      backbone: 'efficientnet_lite0.tf_in1k',
      weights: 'random',
      imageSize: 32,
      epochs: 2,
      batchSize: 4,
      optimizer: { learningRate: 0.001 },
    };
    specs = plan({ spec, methods: ['fine-tuning', 'rifle'], seeds: [0] });
  });
  after(() => [dataset, folder].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

  it('stops after a checkpoint, and resumes from it', async () => {
    const runs = path.join(folder, 'stopped');
    const controller = new AbortController();
    const reason = new Error('enough');
    await assert.rejects(
      runPool(specs.slice(0, 1), {
        runs,
        signal: controller.signal,
        onProgress: ({ detail = '' }) => void (/loss/.test(detail) && controller.abort(reason)),
      }),
      reason,
    );
    const [left] = unfinishedRuns(new RunStore(runs));
    assert.equal(left.owner, null, 'its process is gone, or has let go');
    assert.ok(fs.readdirSync(path.join(runs, left.id, 'checkpoints')).length > 0);
    const [record] = await runPool(specs.slice(0, 1), { runs });
    assert.equal(record.id, left.id);
    assert.deepEqual(
      new RunStore(runs)
        .journal(left.id)
        .read()
        .map(({ event }) => event)
        .filter((event) => event !== 'checkpoint'),
      ['started', 'stopped', 'resumed', 'finished'],
    );
  });

  it('makes each run once when two pools are given the same list, and begins one again whose process was killed', async () => {
    const runs = path.join(folder, 'twice');
    const store = new RunStore(runs);
    const notices: string[] = [];
    const states: PoolRun['state'][][] = [[], []];
    let killed = false;
    const pools = [0, 1].map((pool) =>
      runPool(specs, {
        runs,
        workers: 1,
        onNotice: (text) => notices.push(text),
        onRun: ({ state }) => void (states[pool].at(-1) !== state && states[pool].push(state)),
        onProgress: ({ detail = '' }) => {
          if (killed || !/loss/.test(detail)) return;
          const [run] = unfinishedRuns(store).filter(({ owner }) => owner !== null);
          if (run === undefined) return;
          killed = true;
          process.kill(run.owner!.pid, 'SIGKILL');
        },
      }),
    );
    const [first, second] = await Promise.all(pools);
    assert.deepEqual(second, first);
    assert.deepEqual(
      first.map(({ method }) => method),
      ['fine-tuning', 'rifle'],
    );
    assert.ok(killed);
    assert.match(notices.join('\n'), /ended with SIGKILL.*The run resumes from its checkpoint \(1 of 2\)/);
    for (const { id } of first)
      assert.equal(
        store
          .journal(id)
          .read()
          .filter(({ event }) => event === 'finished').length,
        1,
        `${id} once`,
      );
  });

  it('continues in another process when memory runs out (a limit on the address space of the worker, set while it trains)', async function () {
    if (spawnSync('prlimit', ['--version']).status !== 0) return this.skip();
    const runs = path.join(folder, 'memory');
    const store = new RunStore(runs);
    const notices: string[] = [];
    let limited = false;
    const [record] = await runPool(specs.slice(0, 1), {
      runs,
      onNotice: (text) => notices.push(text),
      onProgress: ({ detail = '' }) => {
        if (limited || !/loss/.test(detail)) return;
        const [run] = unfinishedRuns(store).filter(({ owner }) => owner !== null);
        if (run === undefined) return;
        limited = true;
        assert.equal(spawnSync('prlimit', ['--pid', String(run.owner!.pid), '--as=100000000']).status, 0);
      },
    });
    assert.ok(limited);
    assert.match(notices.join('\n'), /The run resumes from its checkpoint \(1 of 2\)/);
    assert.deepEqual(
      record.epochs.map(({ trainLoss }) => trainLoss),
      new RunStore(path.join(folder, 'stopped')).find(record.id)!.epochs.map(({ trainLoss }) => trainLoss),
    );
    assert.equal(
      store
        .journal(record.id)
        .read()
        .filter(({ event }) => event === 'finished').length,
      1,
    );
  });

  describe('where a GPU is gone (there is none here: a stand-in in the workers says that GPU 0 is there)', () => {
    const before = process.env.NODE_OPTIONS;
    beforeEach(() => {
      const standIn = path.join(folder, 'gpu-stand-in.cjs');
      const binding = JSON.stringify(path.join(packageRoot(), 'dist', 'src', 'engine', 'binding.js'));
      const says = "() => process.env.CUDA_VISIBLE_DEVICES === '0'";
      fs.writeFileSync(
        standIn,
        `if (process.send && require('node:worker_threads').isMainThread) { const backend = require(${binding}).internals(); backend.binding = Object.create(backend.binding, { isUsingGpuDevice: { value: ${says} } }); }`,
      );
      process.env.NODE_OPTIONS = `-r ${standIn}`;
    });
    afterEach(() => {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    });

    it('its worker is given up at once, and the other makes every run', async () => {
      const notices: string[] = [];
      const made: PoolRun[] = [];
      const records = await runPool(specs, {
        runs: path.join(folder, 'gone'),
        devices: ['1', '0'],
        workers: 2,
        retries: 0,
        onNotice: (text) => notices.push(text),
        onRun: (run) => void (run.state === 'running' && made.push(run)),
      });
      assert.deepEqual(
        records.map(({ method }) => method),
        ['fine-tuning', 'rifle'],
      );
      assert.match(
        notices.join('\n'),
        /does not see the GPU 1.* The run resumes on another device\.\nWorker 1 on GPU 1 has no device and is closed\./,
      );
      assert.equal(made.filter(({ device }) => device === '1').length, 1);
    });

    it('and no other is there, it is said', async () => {
      await assert.rejects(
        runPool(specs.slice(0, 1), { runs: path.join(folder, 'none'), devices: ['1'], retries: 1 }),
        (error: KitError) =>
          error.code === 'WORKER_LOST' && /GPU 1/.test(error.message) && /nvidia-smi/.test(error.fix),
      );
    });
  });

  it('says why a run cannot be made, does not try that again, and makes the others', async () => {
    const failures: string[] = [];
    const broken = { ...specs[0], dataset: path.join(folder, 'nothing-here') };
    const records = await runPool([broken, specs[0]], {
      runs: path.join(folder, 'stopped'),
      onError: (spec, error) => failures.push(`${path.basename(spec.dataset)}: ${error.message}`),
    });
    assert.equal(records.length, 1);
    assert.equal(failures.length, 1);
    assert.match(failures[0], /nothing-here/);
  });
});
