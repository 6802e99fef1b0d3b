import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { preparedArrays } from '../../src/runs/prepared';

describe('preparedArrays', () => {
  let home: string;
  const before = process.env.RIFLE_HOME;
  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-prepared-'));
    process.env.RIFLE_HOME = home;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.RIFLE_HOME;
    else process.env.RIFLE_HOME = before;
    fs.rmSync(home, { recursive: true, force: true });
  });
  let computed = 0;
  const prepare = () => Promise.resolve({ stage1: Float32Array.of(0.25, ++computed), stage2: Float32Array.of(-0) });
  const first = async (key: unknown) => (await preparedArrays(key, prepare)).stage1[1];

  it('computes the arrays of a key once, in any order of its fields', async () => {
    computed = 0;
    assert.equal(await first({ numerics: 1, images: 'a' }), 1);
    assert.equal(await first({ images: 'a', numerics: 1 }), 1);
    const { stage1, stage2 } = await preparedArrays({ numerics: 1, images: 'a' }, prepare);
    assert.deepEqual([...stage1], [0.25, 1]);
    assert.ok(Object.is(stage2[0], -0), 'to the bit');
  });

  it('computes them again for other numerics', async () => {
    computed = 0;
    assert.equal(await first({ numerics: 1, images: 'a' }), 1);
    assert.equal(await first({ numerics: 2, images: 'a' }), 2);
  });

  it('computes them again where the file is damaged', async () => {
    computed = 0;
    await first('key');
    const [name] = fs.readdirSync(path.join(home, 'prepared'));
    const file = path.join(home, 'prepared', name);
    const text = fs.readFileSync(file, 'utf8');
    const [, stage2] = /"stage2":"([^"]+)"/.exec(text)!;
    fs.writeFileSync(file, text.replace(stage2, 'AAAAAA=='));
    assert.equal(await first('key'), 2);
    fs.writeFileSync(file, text.slice(0, 20));
    assert.equal(await first('key'), 3);
  });

  it('computes them again where the file is other JSON, or of another key', async () => {
    computed = 0;
    await first('key');
    const [name] = fs.readdirSync(path.join(home, 'prepared'));
    const file = path.join(home, 'prepared', name);
    const text = fs.readFileSync(file, 'utf8');
    for (const other of ['null', '[]', '{}', '', text.replace('"key":"key"', '"key":"other"')]) {
      fs.writeFileSync(file, other);
      await first('key');
      assert.equal(fs.readFileSync(file, 'utf8').length, text.length, other);
    }
    assert.equal(computed, 6);
  });

  it('refuses code of a study that gives other arrays than before, and takes code that gives the same', async () => {
    const of = (code: string, ...values: number[]) =>
      preparedArrays('key', () => Promise.resolve({ mean: Float32Array.from(values) }), { name: 'study/a', code });
    await of('f = 1 + 1', 2, 3);
    assert.deepEqual([...(await of('f = 1 + 1', 9, 9)).mean], [2, 3], 'the same code: from the cache');
    assert.deepEqual([...(await of('f = 2', 2, 3)).mean], [2, 3]);
    for (const values of [[2, 4], [2]])
      await assert.rejects(of('f = 3', ...values), { code: 'EXTENSION_CHANGED', message: /study\/a/ });
    assert.deepEqual([...(await of('f = 2', 9, 9)).mean], [2, 3], 'the refused code left nothing');
  });

  it('needs no cache where none can be written', async () => {
    fs.writeFileSync(path.join(home, 'prepared'), 'in its place');
    computed = 0;
    assert.equal(await first('key'), 1);
  });
});
