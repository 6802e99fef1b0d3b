import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import type { KitError } from '../../../src/base/errors';
import { Checkpoints, type RunHistory } from '../../../src/runs/store/checkpoint';
import { Journal } from '../../../src/runs/store/journal';
import { parseRunSpec } from '../../../src/transfer/spec/spec';
import type { TrainState } from '../../../src/transfer/train-state';

const history: RunHistory = {
  startedAt: '2026-01-01T00:00:00.000Z',
  wallSeconds: 12.5,
  peakMemoryMb: 900,
  keepWeights: false,
};
const state = (epoch: number, step: number): TrainState => ({
  epoch,
  step,
  rows: [],
  layerRows: [],
  sums: { images: 3, loss: 0.1 + 0.2, crossEntropy: 1 / 3, correct: 2, trainSeconds: 1, dataWaitSeconds: 0 },
  layerSums: { steps: step, gradients: [Math.PI, 5e-324], updates: [0.1, 2 ** 53] },
  lastLoss: null,
  variables: {
    'conv.weight': Float32Array.of(1.1, -0, 3e-45),
    'momentum/conv.weight': Float32Array.of(NaN, Infinity, epoch + step),
  },
});

describe('checkpoints', () => {
  let folder: string;
  let checkpoints: Checkpoints;
  const files = (): string[] => fs.readdirSync(checkpoints.folder).sort();
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-checkpoints-'));
    checkpoints = new Checkpoints(folder, 'aa', 2);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('give every bit back, and the last two stay', async () => {
    assert.equal((await checkpoints.latest()).checkpoint, null);
    for (const [epoch, step] of [
      [0, 100],
      [1, 0],
      [1, 20],
    ])
      await checkpoints.write(state(epoch, step), history);
    assert.deepEqual(files(), [
      '00001-0000000.json',
      '00001-0000000.safetensors',
      '00001-0000020.json',
      '00001-0000020.safetensors',
    ]);
    const { checkpoint, damaged } = await checkpoints.latest();
    assert.deepEqual(damaged, []);
    assert.deepEqual(checkpoint!.state, state(1, 20));
    assert.deepEqual(checkpoint!.history, history);
    assert.ok(Object.is(checkpoint!.state.variables['conv.weight'][1], -0));
  });

  it('with a flipped bit, wherever it is, are not used, and the one before is', async () => {
    await checkpoints.write(state(1, 0), history);
    await checkpoints.write(state(2, 0), history);
    for (const file of ['00002-0000000.json', '00002-0000000.safetensors']) {
      const at = path.join(checkpoints.folder, file);
      const whole = fs.readFileSync(at);
      for (let i = 0; i < 16; i++) {
        const bytes = Buffer.from(whole);
        bytes[Math.floor((i / 16) * (whole.length - 1))] ^= 1 << (i % 8);
        if (file.endsWith('json') && sameJson(bytes, whole)) continue;
        fs.writeFileSync(at, bytes);
        const { checkpoint, damaged } = await checkpoints.latest();
        // The notes of a safetensors file are for people: a bit flipped there changes nothing that is used.
        if (damaged.length === 0) assert.deepEqual(checkpoint!.state, state(2, 0), `byte ${i} of ${file}`);
        else
          assert.deepEqual(
            [checkpoint!.state.epoch, damaged.map(({ file }) => path.basename(file))],
            [1, ['00002-0000000.json']],
            `byte ${i} of ${file}`,
          );
      }
      fs.writeFileSync(at, whole.subarray(0, whole.length - 5));
      assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 1, 'cut short');
      fs.writeFileSync(at, whole);
    }
    fs.rmSync(path.join(checkpoints.folder, '00002-0000000.safetensors'));
    const { checkpoint, damaged } = await checkpoints.latest();
    assert.equal(damaged.length, 1);
    checkpoints.keepUpTo(checkpoint, damaged);
    assert.deepEqual(
      files(),
      ['00001-0000000.json', '00001-0000000.safetensors', 'damaged-00002-0000000.json'],
      'the damaged one is set aside, not deleted',
    );
  });

  it('that the disk refuses are not damaged: none is deleted, no older one is used, and the next try resumes', async () => {
    await checkpoints.write(state(1, 0), history);
    await checkpoints.write(state(2, 0), history);
    const before = files();
    const open = fs.promises.open;
    const readFile = fs.promises.readFile;
    for (const errno of ['EIO', 'ESTALE', 'EMFILE', 'EACCES', 'ENOMEM'])
      for (const times of errno === 'EIO' || errno === 'EACCES' ? [1, Infinity] : [1]) {
        let left = times;
        const refuse = (file: unknown): void => {
          if (String(file).includes('00002-') && left-- > 0)
            throw Object.assign(new Error(`${errno}: injected`), { code: errno });
        };
        fs.promises.readFile = (async (...args: Parameters<typeof readFile>) => (
          refuse(args[0]),
          readFile(...args)
        )) as typeof readFile;
        fs.promises.open = async (...args) => (refuse(args[0]), open(...args));
        try {
          if (times === 1) assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 2, errno);
          else
            await assert.rejects(
              checkpoints.latest(),
              (error: KitError) => error.code === 'CHECKPOINT_UNREADABLE' && error.message.includes(errno),
            );
        } finally {
          fs.promises.readFile = readFile;
          fs.promises.open = open;
        }
        assert.deepEqual(files(), before);
      }
    assert.equal((await checkpoints.latest()).checkpoint!.state.epoch, 2);
  }).timeout(60_000);

  it('of format 1 resume with rows in the form of today', async () => {
    new Journal(folder).write('started', {
      spec: { ...parseRunSpec({ dataset: 'd', backbone: 'b' }), evaluateOn: 'validation' },
      dataset: { name: 'd', hash: 'h', from: '/d' },
    });
    const file = await checkpoints.write(state(1, 0), history);
    const { sha256: _, ...content } = JSON.parse(fs.readFileSync(file, 'utf8')) as { sha256: string; state: object };
    const older = {
      ...content,
      format: 1,
      state: { ...content.state, rows: [{ epoch: 1, testTop1: 0.5, testLoss: 2 }] },
    };
    fs.writeFileSync(
      file,
      JSON.stringify({ ...older, sha256: createHash('sha256').update(stableStringify(older)!).digest('hex') }),
    );
    assert.deepEqual((await checkpoints.latest()).checkpoint!.state.rows, [
      { epoch: 1, top1: 0.5, loss: 2, evaluatedOn: 'validation' },
    ]);
  });

  it('of another run, or of other numerics, are not used', async () => {
    await checkpoints.write(state(1, 0), history);
    assert.match((await new Checkpoints(folder, 'bb', 2).latest()).damaged[0].why, /is of run aa/);
    assert.match((await new Checkpoints(folder, 'aa', 3).latest()).damaged[0].why, /numerics 2/);
  });

  it('of a newer kit are neither used nor swept away, and it is said what to do', async () => {
    await checkpoints.write(state(1, 0), history);
    const file = await checkpoints.write(state(2, 0), history);
    const { sha256: _, ...content } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    const newer = { ...content, format: 7, kit: '99.1.0' };
    fs.writeFileSync(
      file,
      JSON.stringify({ ...newer, sha256: createHash('sha256').update(stableStringify(newer)!).digest('hex') }),
    );
    const before = files();
    await assert.rejects(
      checkpoints.latest(),
      (error: KitError) => error.code === 'CHECKPOINT_NEWER' && /99\.1\.0/.test(error.message) && error.fix !== '',
    );
    assert.deepEqual(files(), before);
  });

  it('that do not fit make way for an older one', async () => {
    await checkpoints.write(state(1, 0), history);
    await checkpoints.write(state(2, 0), history);
    const { checkpoint, damaged } = await checkpoints.latest(({ state }) => state.epoch < 2);
    assert.deepEqual([checkpoint!.state.epoch, damaged], [1, []]);
  });

  it('half-written by a killed process are swept away', async () => {
    await checkpoints.write(state(1, 0), history);
    for (const name of ['00002-0000000.safetensors', '00002-0000000.json.partial', 'x.partial-1-host-0'])
      fs.writeFileSync(path.join(checkpoints.folder, name), 'half');
    const { checkpoint } = await checkpoints.latest();
    checkpoints.keepUpTo(checkpoint);
    assert.deepEqual(files(), ['00001-0000000.json', '00001-0000000.safetensors']);
  });

  it('say so where they cannot be written', async () => {
    fs.writeFileSync(path.join(folder, 'checkpoints'), 'a file in the way');
    await assert.rejects(
      checkpoints.write(state(1, 0), history),
      ({ code }: KitError) => code === 'CHECKPOINT_NOT_WRITTEN',
    );
  });

  it('hold their numbers under sums that sha256 of another program gives, too', async () => {
    const file = await checkpoints.write(state(1, 0), history);
    const { variables } = JSON.parse(fs.readFileSync(file, 'utf8')) as { variables: string };
    const expected = createHash('sha256');
    for (const [name, data] of Object.entries(state(1, 0).variables))
      expected.update(`${name} float32 [${data.length}]\n`).update(Buffer.from(data.buffer));
    assert.equal(variables, expected.digest('hex'));
  });
});

const sameJson = (a: Buffer, b: Buffer): boolean => {
  try {
    return JSON.stringify(JSON.parse(a.toString())) === JSON.stringify(JSON.parse(b.toString()));
  } catch {
    return false;
  }
};
