import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import type { RunRecord } from '../../src/runs/store/record';
import { makeImageFolder } from '../runs/image-folder';

const MAIN = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');
const rifle = (args: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '400', ...env },
    timeout: 120_000,
  });
  return { status, stdout, stderr };
};

describe('rifle', function () {
  this.timeout(180_000);
  let folder: string;
  let images: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cli-'));
    images = await makeImageFolder();
  });
  after(() => [folder, images].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));
  const small = () => [
    'train',
    '--dataset',
    images,
    '--weights',
    'random',
    '--image-size',
    '32',
    '--batch-size',
    '4',
    '--learning-rate',
    '0.0001',
    '--runs',
    path.join(folder, 'runs'),
  ];

  it('explains itself: every command has help with an example', () => {
    const { status, stdout } = rifle(['--help']);
    assert.equal(status, 0);
    for (const command of [
      'setup',
      'doctor',
      'data',
      'weights',
      'methods',
      'train',
      'reproduce',
      'report',
      'notebooks',
      'lab',
      'new',
    ]) {
      assert.match(stdout, new RegExp(`\\b${command}\\b`));
      const help = rifle(
        command === 'data' || command === 'weights'
          ? [command, command === 'data' ? 'prepare' : 'fetch', '--help']
          : [command, '--help'],
      );
      assert.equal(help.status, 0);
      assert.match(help.stdout, /Examples?:\n {2}\$ npx rifle/);
    }
  });

  it('ends with 2 on wrong usage, and names the near word', () => {
    for (const [args, message] of [
      [['tran'], /Did you mean train/],
      [['train', '--epohs', '2'], /Did you mean --epochs/],
      [['train', '--epochs', '0'], /whole number of at least 1/],
      [['train', '--epochs', 'x'], /whole number/],
      [['notebooks', '-p', 'x'], /name=value/],
    ] as const) {
      const { status, stderr } = rifle([...args]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
  });

  it('ends with 1 on a failure that the user can fix, with what was found, the fix, and no stack', () => {
    const spec = path.join(folder, 'spec.json');
    const cases: [object | string, RegExp][] = [
      [
        { dataset: images, backbone: 'efficientnet_lite0.tf_in1k', epoch: 3 },
        /epoch: unknown field; did you mean epochs/,
      ],
      [{ dataset: 'elpw', backbone: 'efficientnet_lite0.tf_in1k' }, /no data set named "elpw"[\s\S]*"elpv"/],
      [
        { dataset: images, backbone: 'efficientnet_lite9.tf_in1k' },
        /no backbone named[\s\S]*"efficientnet_lite0.tf_in1k"/,
      ],
      [{ dataset: images, backbone: 'efficientnet_lite0.tf_in1k', weights: '/no/such.pth' }, /such\.pth/],
      ['{"dataset":', /could not be read/],
    ];
    for (const [content, message] of cases) {
      fs.writeFileSync(spec, typeof content === 'string' ? content : JSON.stringify(content));
      const { status, stderr, stdout } = rifle(['train', '--spec', spec, '--runs', path.join(folder, 'none')]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.equal(stdout, '');
    }
    assert.equal(rifle(['report', '--runs', path.join(folder, 'none')]).status, 1);
  });

  it('trains from flags, prints the record as JSON, and the same run a second time at once; the report holds it', () => {
    const args = [...small(), '--method', 'rifle', '--epochs', '2', '--seed', '1', '--limit-per-class', '4', '--json'];
    const first = rifle(args);
    assert.equal(first.status, 0, first.stderr);
    const record = JSON.parse(first.stdout) as RunRecord;
    assert.deepEqual([record.method, record.spec.seed, record.dataset.train, record.resets], ['rifle', 1, 8, [1, 2]]);
    assert.deepEqual(JSON.parse(rifle(args).stdout), record);
    const report = rifle(['report', '--runs', path.join(folder, 'runs'), '--out', path.join(folder, 'report.html')]);
    assert.equal(report.status, 0, report.stderr);
    assert.match(fs.readFileSync(path.join(folder, 'report.html'), 'utf8'), new RegExp(record.id));
    const separate = rifle([
      'report',
      '--runs',
      path.join(folder, 'runs'),
      '--out',
      path.join(folder, 'part.html'),
      '--study',
      't1',
      't2',
      '--separate',
      '--json',
    ]);
    assert.equal(separate.status, 0, separate.stderr);
    const { reports, tables } = JSON.parse(separate.stdout) as { reports: string[]; tables: { id: string }[] };
    assert.deepEqual(
      [reports.map((file) => path.basename(file)), tables.map(({ id }) => id)],
      [
        ['part-t1.html', 'part-t2.html'],
        ['t1-datasets', 't2-regularizers'],
      ],
    );
    const other = rifle(['report', '--runs', path.join(folder, 'runs'), '--scale', 'paper']);
    assert.deepEqual([other.status, /runs of scale paper/.test(other.stderr)], [1, true]);
  });

  it('prints a complete spec that it takes back', () => {
    const printed = rifle([
      'train',
      '--method',
      'l2-sp+rifle',
      '--epochs',
      '6',
      '--learning-rate',
      '0.02',
      '--precision',
      'bfloat16',
      '--print-spec',
    ]);
    const file = path.join(folder, 'printed.json');
    fs.writeFileSync(file, printed.stdout);
    assert.deepEqual(JSON.parse(rifle(['train', '--spec', file, '--print-spec']).stdout), JSON.parse(printed.stdout));
    const { optimizer, precision } = JSON.parse(printed.stdout) as {
      optimizer: { learningRate: number };
      precision: string;
    };
    assert.deepEqual([optimizer.learningRate, precision], [0.02, 'bfloat16']);
  });

  it('stops at Ctrl-C in the middle of an epoch with exit code 130, after a checkpoint', async () => {
    const runs = path.join(folder, 'stopped');
    const child = spawn(process.execPath, [MAIN, ...small().slice(0, -1), runs, '--epochs', '500'], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve) =>
      child.stderr.on('data', (chunk: Buffer) => {
        said += String(chunk);
        if (/steps · .*left|epoch [1-9]/.test(said)) resolve();
      }),
    );
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('exit', resolve));
    assert.equal(code, 130, said);
    assert.match(said, /stopped: by Ctrl-C/);
    const [id] = fs.readdirSync(runs);
    assert.ok(
      !fs.existsSync(path.join(runs, id, 'record.json')) &&
        fs.readdirSync(path.join(runs, id, 'checkpoints')).length > 0,
    );
    const { unfinished } = JSON.parse(rifle(['runs', 'list', '--runs', runs, '--json']).stdout) as {
      unfinished: { id: string; owner: unknown }[];
    };
    assert.deepEqual(
      unfinished.map((run) => [run.id, run.owner]),
      [[id, null]],
    );
  });

  it('doctor: everything works here; in an empty home it names what is missing and the command, exit code 1', () => {
    type Report = { ok: boolean; checks: { name: string; ok: boolean; found: string; fix: string }[] };
    const empty = rifle(['doctor', '--json'], { RIFLE_HOME: path.join(folder, 'home') });
    assert.equal(empty.status, 1);
    const report = JSON.parse(empty.stdout) as Report;
    assert.equal(report.ok, false);
    const failed = Object.fromEntries(
      report.checks.filter((check) => !check.ok).map((check) => [check.name, check.fix]),
    );
    assert.equal(failed.weights, 'npx rifle weights fetch efficientnet_lite0.tf_in1k');
    assert.equal(failed.data, 'npx rifle data prepare elpv');
    assert.equal(failed.kernel, 'npm run setup');
    assert.ok(report.checks.find((check) => check.name === 'tensorflow')!.ok);
    const here = rifle(['doctor', '--json']);
    assert.equal(here.status, 0, here.stdout);
    assert.equal((JSON.parse(here.stdout) as Report).ok, true);
  });

  it('lists data sets, weights and methods for machines and for people', () => {
    for (const [args, name] of [
      [['data', 'list'], 'elpv'],
      [['weights', 'list'], 'resnet50.keras_in1k'],
      [['methods'], 'later-layers'], // of another study than RIFLE
    ] as const) {
      const list = JSON.parse(rifle([...args, '--json']).stdout) as Record<string, unknown>[];
      assert.ok(list.some((entry) => entry.name === name || entry.id === name));
      assert.match(rifle([...args]).stdout, new RegExp(name));
    }
  });
});
