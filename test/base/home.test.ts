// The kit's home: what RIFLE_HOME means, for this process, for those it starts in other folders, and for the set-up.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kitHome, packageRoot } from '../../src/base/home';

describe('kitHome', () => {
  let folder: string;
  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-home-test-')));
    fs.mkdirSync(path.join(folder, 'notebooks'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /**
   * What a process with RIFLE_HOME, RIFLE_RUNS = `value`, started in `folder`, and one that it starts in
   * `folder/notebooks` find; and the set-up.
   */
  const look = (value: string): Record<'own' | 'child' | 'setup' | 'runs', string> => {
    const module = JSON.stringify(require.resolve('../../src/base/home'));
    const paths = JSON.stringify(path.join(packageRoot(), 'setup', 'system', 'paths.mjs'));
    const script = `
      import(${paths}).then(({ pathsOf }) => {
        const setup = pathsOf(${JSON.stringify(packageRoot())}, { ...process.env }).home;
        const { kitHome } = require(${module});
        const child = require('node:child_process').execFileSync(process.execPath, ['-p', 'require(' + JSON.stringify(${module}) + ').kitHome()'], { cwd: 'notebooks', encoding: 'utf8' });
        console.log(JSON.stringify({ own: kitHome(), child: child.trim(), setup, runs: process.env.RIFLE_RUNS }));
      });`;
    const env = { ...process.env, RIFLE_HOME: value, RIFLE_RUNS: value };
    return JSON.parse(
      execFileSync(process.execPath, ['-e', script], { cwd: folder, env, encoding: 'utf8' }),
    ) as ReturnType<typeof look>;
  };

  it('takes a relative RIFLE_HOME from the working folder of the first process, for its children too', () => {
    const home = path.join(folder, 'my', 'home');
    assert.deepEqual(look('my/home'), { own: home, child: home, setup: home, runs: home });
  });

  it('takes an empty RIFLE_HOME as none', () => {
    const home = path.join(packageRoot(), '.rifle');
    assert.deepEqual(look(''), { own: home, child: home, setup: home, runs: '' });
  });

  it('gives paths inside it', () => assert.equal(kitHome('data', 'elpv'), path.join(kitHome(), 'data', 'elpv')));
});
