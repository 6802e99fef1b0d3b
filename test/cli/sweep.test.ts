// `rifle sweep` in processes of its own: an estimate from a calibration, and two that are given the same grid at once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { tf } from '../../src/engine/tensorflow';
import { calibrate } from '../../src/studies/calibrate';
import type { RunRecord } from '../../src/runs/store/record';
import { RunStore } from '../../src/runs/store/store';
import type { SweepPlan } from '../../src/studies/sweep';
import { unfinishedRuns } from '../../src/runs/store/unfinished';
import { parseRunSpec } from '../../src/transfer/spec/spec';
import { makeImageFolder } from '../runs/image-folder';

const MAIN = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');

describe('rifle sweep', function () {
  this.timeout(300_000);
  let folder: string;
  let images: string;
  let runs: string;
  /** A sweep of one study on the folder; what it printed. */
  const sweep = async (...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> => {
    const child = spawn(
      process.execPath,
      [MAIN, 'sweep', '--study', 'f1', '--scale', 'smoke', '--dataset', images, '--runs', runs, ...args],
      { env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { status, stdout, stderr };
  };
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cli-sweep-'));
    images = await makeImageFolder({ size: 72 });
    runs = path.join(folder, 'runs');
  });
  after(() => [folder, images].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

  it('--calibrate: an estimate from a few steps where nothing like it was run', async () => {
    const { status, stdout, stderr } = await sweep('--dry-run', '--json', '--calibrate');
    assert.equal(status, 0, stderr);
    const { estimate, missing, hours, seconds, specs } = JSON.parse(stdout) as SweepPlan;
    assert.equal(missing, specs.length);
    assert.match(estimate, /^Estimate: [\d.]+ hours on one device \(from a calibration of a few steps\)\.$/);
    assert.ok(
      seconds.every((each) => each !== null && each > 0),
      String(seconds),
    );
    assert.ok(Math.abs(hours! - seconds.reduce<number>((sum, each) => sum + each!, 0) / 3600) < 1e-9);
    assert.ok(!fs.existsSync(runs), 'nothing was run');
    const before = await sweep('--dry-run');
    assert.match(before.stdout, /No estimate yet.*--calibrate/);
  });

  it('a calibration measures paces and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const pace = await calibrate(
      parseRunSpec({ dataset: 'none', backbone: 'efficientnet_lite0.tf_in1k', imageSize: 32, batchSize: 4 }),
      3,
    );
    assert.ok(
      [pace.setUp, pace.train, pace.evaluate].every((seconds) => seconds > 0),
      JSON.stringify(pace),
    );
    assert.equal(tf.memory().numTensors, before);
  });

  it('started twice at once on the same grid makes each run exactly once, and both have all records', async () => {
    const both = await Promise.all([sweep('--json'), sweep('--json')]);
    const printed = both.map(({ status, stdout, stderr }) => {
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as { records: RunRecord[]; failures: string[] };
    });
    assert.deepEqual(
      printed.map(({ failures }) => failures),
      [[], []],
    );
    assert.deepEqual(printed[1].records, printed[0].records);
    const store = new RunStore(runs);
    const ids = printed[0].records.map(({ id }) => id);
    assert.deepEqual([...ids].sort(), store.ids());
    for (const id of ids)
      assert.deepEqual(
        store
          .journal(id)
          .read()
          .map(({ event }) => event)
          .filter((event) => event !== 'checkpoint'),
        ['started', 'finished'],
        `${id} once, by one process`,
      );
    const after = await sweep('--dry-run');
    assert.match(after.stdout, new RegExp(`${ids.length} different runs, 0 to make. Nothing is left to make`));
  });

  it('stopped by Ctrl-C leaves checkpoints and no owner; a second Ctrl-C stops it at once; then it resumes to the end', async () => {
    const many = await makeImageFolder({ trainPerClass: 100, testPerClass: 2, size: 72 });
    const stopped = path.join(folder, 'stopped');
    const store = new RunStore(stopped);
    /** A sweep that gets Ctrl-C so often when a run has taken its first steps. */
    const interrupted = async (times: number): Promise<{ code: number | null; said: string }> => {
      const args = [
        MAIN,
        'sweep',
        '--study',
        'f1',
        '--scale',
        'smoke',
        '--dataset',
        many,
        '--runs',
        stopped,
        '--checkpoint-minutes',
        '0',
      ];
      const child = spawn(process.execPath, args, {
        env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      const present = (): boolean =>
        unfinishedRuns(store).some(
          ({ id, owner }) =>
            owner !== null &&
            fs.existsSync(path.join(store.folder(id), 'checkpoints')) &&
            fs.readdirSync(path.join(store.folder(id), 'checkpoints')).some((name) => name.endsWith('.json')),
        );
      while (!present() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
      for (let i = 0; i < times; i++) {
        child.kill('SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 30)); // two signals at once are one
      }
      return { code: await ended, said };
    };
    try {
      const once = await interrupted(1);
      assert.equal(once.code, 130, once.said);
      assert.match(once.said, /stopped: by Ctrl-C\. .* the same command resumes it/);
      assert.ok(store.list().length < 4, 'it did stop');
      const left = unfinishedRuns(store); // none where the signal came between two runs
      for (const { id, owner } of left)
        assert.deepEqual([owner, store.journal(id).read().at(-1)!.event], [null, 'stopped']);
      const twice = await interrupted(2);
      assert.equal(twice.code, 130, twice.said);
      const child = spawn(
        process.execPath,
        [MAIN, 'sweep', '--study', 'f1', '--scale', 'smoke', '--dataset', many, '--runs', stopped, '--json'],
        { stdio: ['ignore', 'ignore', 'ignore'] },
      );
      assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
      assert.deepEqual(store.unfinished(), []);
      assert.equal(store.list().length, 4);
      for (const id of store.ids())
        assert.equal(
          store
            .journal(id)
            .read()
            .filter(({ event }) => event === 'finished').length,
          1,
        );
      for (const { id } of left)
        assert.ok(
          store
            .journal(id)
            .read()
            .some(({ event }) => event === 'resumed'),
        );
    } finally {
      fs.rmSync(many, { recursive: true, force: true });
    }
  });

  it('of a GPU that is not there does not begin', async () => {
    const { status, stderr } = await sweep('--devices', '97');
    assert.deepEqual([status, /There is no GPU 97 on this machine/.test(stderr)], [1, true], stderr);
  });
});
