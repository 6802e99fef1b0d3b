// `rifle runs`, every command of it a process of its own, over a store of tiny runs that the shell has made too.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { backbones, type Backbone } from '../../src/backbones/backbone';
import { packageRoot } from '../../src/base/home';
import { tf, type TF } from '../../src/engine/tensorflow';
import type { RunRecord } from '../../src/runs/store/record';
import { makeImageFolder } from '../runs/image-folder';

const MAIN = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');
const BACKBONE = 'efficientnet_lite0.tf_in1k';
const SIDE = 32;

describe('rifle runs', function () {
  this.timeout(300_000);
  let folder: string;
  let images: string;
  let plain: RunRecord;
  let rifled: RunRecord;
  const runs = () => path.join(folder, 'runs');
  const shell = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
      timeout: 120_000,
    });
    return { status, stdout, stderr };
  };
  const rifle = (...args: string[]) => shell('runs', ...args, '--runs', runs());
  const train = (...args: string[]) =>
    shell(
      'train',
      '--dataset',
      images,
      '--weights',
      'random',
      '--image-size',
      String(SIDE),
      '--batch-size',
      '4',
      '--epochs',
      '2',
      '--learning-rate',
      '0.0001',
      '--runs',
      runs(),
      '--json',
      ...args,
    );
  const good = ({ status, stdout, stderr }: ReturnType<typeof shell>): string => {
    assert.equal(status, 0, stderr);
    return stdout;
  };
  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cli-runs-')));
    images = await makeImageFolder();
    plain = JSON.parse(good(train('--no-keep-weights'))) as RunRecord;
    rifled = JSON.parse(good(train('--method', 'rifle', '--keep-weights'))) as RunRecord;
  });
  after(() => [folder, images].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));

  it('list: all, those that a filter means, the newest; damaged ones beside them', () => {
    const list = (...args: string[]): string[] =>
      (JSON.parse(good(rifle('list', '--json', ...args))) as { runs: RunRecord[] }).runs.map(({ id }) => id);
    assert.deepEqual(list(), [plain.id, rifled.id]);
    assert.deepEqual(list('--method', 'rifle'), [rifled.id]);
    assert.deepEqual(list('--limit', '1'), [rifled.id]);
    assert.deepEqual(list('--dataset', 'somewhere else'), []);
    const text = good(rifle('list'));
    for (const { id, top1 } of [plain, rifled])
      assert.match(text, new RegExp(`${id}.*${BACKBONE}.*${(100 * top1).toFixed(1)} %`));
    fs.mkdirSync(path.join(runs(), 'f'.repeat(16)));
    fs.writeFileSync(path.join(runs(), 'f'.repeat(16), 'record.json'), '{');
    const beside = rifle('list');
    assert.match(beside.stderr, /left out: run f{16}: The run record .* is damaged: it is not JSON/);
    assert.match(beside.stdout, new RegExp(rifled.id));
    fs.rmSync(path.join(runs(), 'f'.repeat(16)), { recursive: true });
  });

  it('table: accuracy of the methods, each with its control', () => {
    const { rows } = JSON.parse(good(rifle('table', '--json'))) as {
      rows: { method: string; test: [number, number | null]; difference: number | null; runs: string }[];
    };
    assert.deepEqual(
      rows.map(({ method, runs, test }) => [method, runs, test[0]]),
      [plain, rifled].map(({ method, id, top1 }) => [method, id, 100 * top1]),
    );
    assert.equal(rows[1].difference, 100 * rifled.top1 - 100 * plain.top1);
    assert.match(good(rifle('table')), /fine-tuning[\s\S]*rifle/);
    assert.match(good(rifle('table', '--dataset', 'somewhere else')), /Test accuracy of the methods/);
  });

  it('show: where every number comes from', () => {
    const text = good(rifle('show', rifled.id.slice(0, 8)));
    const { environment, dataset, weights } = rifled;
    for (const part of [
      dataset.hash,
      weights.hash,
      environment.kit,
      environment.node,
      environment.tfjs,
      environment.tensorflow,
      environment.gitCommit ?? 'unknown',
      'TF_DETERMINISTIC_OPS=1',
      'core hours',
      'weights.safetensors',
      `"seed": ${rifled.spec.seed}`,
    ])
      assert.ok(text.includes(part), `${part} in\n${text}`);
    assert.match(text, /peak memory +\d+ MB/);
    assert.match(text, /started[\s\S]*checkpoint[\s\S]*finished/);
    const { record, journal } = JSON.parse(good(rifle('show', rifled.id, '--json'))) as {
      record: RunRecord;
      journal: { event: string }[];
    };
    assert.deepEqual([record, journal[0].event, journal.at(-1)!.event], [rifled, 'started', 'finished']);
    const unknown = rifle('show', 'beef');
    assert.deepEqual([unknown.status, /There is no run beef/.test(unknown.stderr)], [1, true]);
  });

  it('diff: what was asked for, then what came out', () => {
    const text = good(rifle('diff', plain.id, rifled.id));
    assert.match(text, /^The numbers differ from epoch 1 on: the settings differ \(1 field\)/);
    assert.ok(text.indexOf('spec.reset') > 0 && text.indexOf('spec.reset') < text.indexOf('loss'), text);
    assert.match(good(rifle('diff', plain.id, plain.id)), /The numbers of all epochs are equal/);
  });

  it('verify: sound; then a record edited by hand, a flipped bit and changed images are told, with exit code 1', () => {
    assert.match(good(rifle('verify', '--data')), /2 runs: 2 sound, .* 0 wrong/);
    const spoiled = (file: string, spoil: (bytes: Buffer) => Buffer, args: string[] = []): string => {
      const before = fs.readFileSync(file);
      fs.writeFileSync(file, spoil(Buffer.from(before)));
      const { status, stdout } = rifle('verify', ...args);
      fs.writeFileSync(file, before);
      assert.equal(status, 1, stdout);
      assert.match(stdout, /, 1 wrong\./);
      return stdout;
    };
    const kept = path.join(runs(), rifled.id);
    assert.match(
      spoiled(path.join(kept, 'record.json'), (bytes) =>
        Buffer.from(bytes.toString().replace(/"top1": [\d.]+/g, '"top1": 0.999')),
      ),
      new RegExp(`${rifled.id}\n.*record.json .*was changed after it was written`),
    );
    const flip = (bytes: Buffer): Buffer => (bytes.writeUInt8(bytes[bytes.length >> 1] ^ 1, bytes.length >> 1), bytes);
    assert.match(spoiled(path.join(kept, 'weights.safetensors'), flip), /weights.safetensors was changed/);
    assert.match(
      spoiled(path.join(kept, 'layers.json'), (bytes) => bytes.subarray(0, 40)),
      /layers.json was changed/,
    );
    const other = fs.readFileSync(path.join(images, 'train', 'waves', '0.png'));
    const changed = spoiled(path.join(images, 'train', 'stripes', '0.png'), () => other, ['--data', plain.id]);
    assert.match(
      changed,
      new RegExp(`the data set .* has changed since: its hash was ${plain.dataset.hash}, it is [0-9a-f]{16,}`),
    );
    good(rifle('verify'));
  });

  it('are not made again on images that have changed: both hashes, and what to do', () => {
    const image = path.join(images, 'train', 'stripes', '0.png');
    const before = fs.readFileSync(image);
    fs.copyFileSync(path.join(images, 'train', 'waves', '0.png'), image);
    const { status, stderr } = train();
    fs.writeFileSync(image, before);
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      new RegExp(`have changed since the run ${plain.id}: their hash was ${plain.dataset.hash}, it is [0-9a-f]+`),
    );
    assert.match(stderr, /→ Restore the images/);
  });

  it('export: safetensors, a TensorFlow.js model and a SavedModel, each loaded by its own loader, give the logits of the run on a photograph', async () => {
    const tensors = tf.memory().numTensors;
    const load = (file: string): Promise<Backbone> => backbones.load(BACKBONE, { classes: 2, weights: file });
    const photograph = fs.readFileSync(path.join(packageRoot(), 'test', 'fixtures', 'backbones', 'chelsea-224.png'));
    const x = tf.tidy(() =>
      tf.image
        .resizeBilinear(tf.node.decodePng(photograph, 3) as TF.Tensor3D, [SIDE, SIDE])
        .round()
        .toInt()
        .expandDims<TF.Tensor4D>(0),
    );
    const logitsOf = (network: Backbone): number[] => {
      const logits = tf.tidy(() => [...network.forward(x, { training: false }).logits.dataSync()]);
      network.dispose();
      return logits;
    };
    const expected = logitsOf(await load(path.join(runs(), rifled.id, 'weights.safetensors')));
    const near = (found: number[], what: string): void =>
      found.forEach((value, i) =>
        assert.ok(Math.abs(value - expected[i]) <= 1e-4, `${what}: ${found}, the run ${expected}`),
      );
    const exported = (format: string): string => {
      assert.match(
        good(rifle('export', rifled.id, '--format', format)),
        /the weights of run \w+; its logits are within [\d.e-]+ of the kit's own/,
      );
      return path.join(folder, format === 'safetensors' ? `${rifled.id}.safetensors` : `${rifled.id}-${format}`);
    };
    near(logitsOf(await load(exported('safetensors'))), 'safetensors');
    const graph = await tf.loadGraphModel(`file://${path.join(exported('tfjs'), 'model.json')}`);
    near(
      tf.tidy(() => [...(graph.execute({ images: x }, 'logits') as TF.Tensor).dataSync()]),
      'tfjs',
    );
    graph.dispose();
    const served = await tf.node.loadSavedModel(exported('savedmodel'));
    near(
      tf.tidy(() => [...(served.predict({ images: x }) as Record<string, TF.Tensor>).logits.dataSync()]),
      'SavedModel',
    );
    served.dispose();
    x.dispose();
    assert.equal(tf.memory().numTensors, tensors);

    for (const [id, message] of [
      [rifled.id, /exists already/],
      [plain.id, /did not keep its weights[\s\S]*--keep-weights/],
    ] as const) {
      const { status, stderr } = rifle('export', id);
      assert.deepEqual([status, message.test(stderr)], [1, true], stderr);
    }
    const weights = path.join(runs(), rifled.id, 'weights.safetensors');
    const before = fs.readFileSync(weights);
    const bytes = Buffer.from(before);
    bytes[bytes.length - 3] ^= 1;
    fs.writeFileSync(weights, bytes);
    const { status, stderr } = rifle('export', rifled.id, '--out', 'damaged.safetensors');
    fs.writeFileSync(weights, before);
    assert.deepEqual(
      [
        status,
        /was changed after the run wrote it/.test(stderr),
        fs.existsSync(path.join(folder, 'damaged.safetensors')),
      ],
      [1, true, false],
      stderr,
    );
  });

  it('give the same numbers where the clock jumps back all the time', () => {
    const jumping = path.join(folder, 'jumping-clock.cjs');
    fs.writeFileSync(
      jumping,
      'const real = Date; let at = real.now(); globalThis.Date = class extends real { constructor(...args) { super(...(args.length > 0 ? args : [Date.now()])); } static now() { return (at -= 3600e3); } };',
    );
    const elsewhere = path.join(folder, 'jumping');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '-r',
        jumping,
        MAIN,
        'train',
        '--dataset',
        images,
        '--weights',
        'random',
        '--image-size',
        String(SIDE),
        '--batch-size',
        '4',
        '--epochs',
        '2',
        '--learning-rate',
        '0.0001',
        '--json',
        '--runs',
        elsewhere,
      ],
      { encoding: 'utf8', timeout: 120_000 },
    );
    assert.equal(status, 0, stderr);
    const record = JSON.parse(stdout) as RunRecord;
    assert.ok(record.finishedAt < record.startedAt, 'the clock did jump');
    assert.ok(record.wallSeconds > 0 && record.wallSeconds < 600, String(record.wallSeconds));
    assert.deepEqual(
      [record.id, ...record.epochs.map(({ trainLoss, loss }) => [trainLoss, loss])],
      [plain.id, ...plain.epochs.map(({ trainLoss, loss }) => [trainLoss, loss])],
    );
    assert.match(good(shell('runs', 'verify', '--runs', elsewhere)), /1 runs: 1 sound/);
  });

  it('prune: lists what it would delete, and deletes it with --yes', () => {
    const unfinished = 'abad1deaabad1dea';
    fs.mkdirSync(path.join(runs(), unfinished, 'checkpoints'), { recursive: true });
    assert.match(
      good(rifle('prune', '--unfinished')),
      new RegExp(`${unfinished} +unfinished[\\s\\S]*1 runs would be deleted: add --yes`),
    );
    assert.ok(fs.existsSync(path.join(runs(), unfinished)));
    assert.match(good(rifle('prune', '--unfinished', '--yes')), /1 runs deleted/);
    assert.ok(!fs.existsSync(path.join(runs(), unfinished)));
    assert.match(good(rifle('prune', '--failed', '--old-numerics')), /There is nothing to delete/);
    good(rifle('prune', plain.id.slice(0, 6), '--yes'));
    assert.deepEqual(
      fs.readdirSync(runs()).filter((name) => /^[0-9a-f]{16}$/.test(name)),
      [rifled.id],
    );
    assert.equal(rifle('prune', 'beef', '--yes').status, 1);
  });
});
