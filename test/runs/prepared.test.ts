// The cache of what a part of a spec computes from data: used only when it is what was written.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { preparedArrays, type PreparedArrays } from '../../src/runs/prepared';
import { useFreshHome } from '../data/fresh-home';

describe('prepared arrays', () => {
  const home = useFreshHome();
  const right = { stage1: Float32Array.of(0.25, 0.75), stage2: Float32Array.of(1, NaN) };
  let computed = 0;
  const prepare = (): Promise<PreparedArrays> => (computed++, Promise.resolve(right));
  const file = (): string => {
    const folder = path.join(home.path, 'prepared');
    return path.join(
      folder,
      fs.readdirSync(folder).find((name) => name.endsWith('.json'))!,
    );
  };
  beforeEach(() => (computed = 0));

  it('are computed once for a key, and come back bit for bit', async () => {
    assert.deepEqual(await preparedArrays({ data: 'a' }, prepare), right);
    assert.deepEqual(await preparedArrays({ data: 'a' }, prepare), right);
    assert.equal(computed, 1);
    await preparedArrays({ data: 'b' }, prepare);
    assert.equal(computed, 2);
  });

  it('are computed again where the file was edited, cut, or is of another key', async () => {
    await preparedArrays({ data: 'a' }, prepare);
    const text = fs.readFileSync(file(), 'utf8');
    const written = JSON.parse(text) as { key: unknown; arrays: Record<string, string> };
    const other = Buffer.from(Float32Array.of(0.9, 0.1).buffer).toString('base64');
    const spoilt = [
      JSON.stringify({ ...written, arrays: { ...written.arrays, stage1: other } }),
      JSON.stringify({ ...written, key: { data: 'z' } }),
      ...['null', '[]', '{}', '', text.slice(0, 30)],
    ];
    for (const each of spoilt) {
      fs.writeFileSync(file(), each);
      assert.deepEqual(await preparedArrays({ data: 'a' }, prepare), right, each);
      assert.equal(fs.readFileSync(file(), 'utf8'), text);
    }
    assert.equal(computed, 1 + spoilt.length);
  });

  it('need no cache: a folder that cannot be written costs the computation alone', async () => {
    fs.writeFileSync(path.join(home.path, 'prepared'), 'in its place');
    assert.deepEqual(await preparedArrays({ data: 'a' }, prepare), right);
    assert.equal(computed, 1);
  });
});
