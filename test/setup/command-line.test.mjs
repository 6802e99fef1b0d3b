import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../../setup/system/paths.mjs';

describe('the command line of the set-up', () => {
  const call = (...args) => {
    try {
      return {
        code: 0,
        output: execFileSync(process.execPath, [path.join(packageRoot, 'setup', 'main.mjs'), ...args], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      };
    } catch (error) {
      return { code: error.status, output: error.stdout };
    }
  };

  it('has a help with every step', () => {
    const { code, output } = call('--help');
    assert.equal(code, 0);
    for (const name of [
      'packages',
      'python',
      'library',
      'addon',
      'build',
      'link',
      'kernel',
      'weights',
      'data',
      'RIFLE_HOME',
      'RIFLE_DEVICE',
    ])
      assert.ok(output.includes(name), name);
  });

  it('refuses unknown steps and flags', () => {
    for (const args of [['--only', 'libary'], ['--fast']]) {
      const { code, output } = call(...args);
      assert.equal(code, 1);
      assert.match(output, /Steps: prerequisites, packages/);
    }
  });

  it('reports as JSON on standard output', () => {
    const { output } = call('--check', '--json', '--only', 'link');
    const report = JSON.parse(output);
    assert.deepEqual(Object.keys(report), ['ok', 'seconds', 'steps']);
    assert.equal(report.steps[0].name, 'link');
  });
});
