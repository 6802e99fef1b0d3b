// `rifle notebooks` as a check: several at a time, what cannot be run among them, and no kernel left after Ctrl-C.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { readNotebook } from '../../src/notebook/runner/format';
import type { NotebookResult } from '../../src/notebook/runner/runner';

const MAIN = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');

describe('rifle notebooks', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-notebooks-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, ...sources: string[]): string => {
    const cells = sources.map((source) => ({
      cell_type: 'code',
      metadata: {},
      source,
      outputs: [],
      execution_count: null,
    }));
    const file = path.join(folder, name);
    fs.writeFileSync(
      file,
      JSON.stringify({
        cells,
        metadata: { kernelspec: { name: 'rifle', display_name: 'TypeScript (rifle-kit)' } },
        nbformat: 4,
        nbformat_minor: 4,
      }),
    );
    return file;
  };

  it('refuses two notebooks of one name, and a file for the folder of outputs, before it runs any', () => {
    const first = write('same.ipynb', '1');
    fs.mkdirSync(path.join(folder, 'other'));
    const second = path.join(folder, 'other', 'same.ipynb');
    fs.copyFileSync(first, second);
    for (const args of [
      [first, second, '--out', path.join(folder, 'out')],
      [first, '--out', second],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, 'notebooks', ...args], { encoding: 'utf8' });
      assert.equal(status, 1, stderr);
    }
    assert.equal(fs.existsSync(path.join(folder, 'out')), false);
  });

  it('runs all of them, two at a time, names every failure and ends with 1', () => {
    const good = write('good.ipynb', 'console.log(process.env.RIFLE_SCALE)');
    const bad = write('bad.ipynb', '1', '\nnull.length');
    const text = path.join(folder, 'text.ipynb');
    fs.writeFileSync(text, 'hello');
    const out = path.join(folder, 'out');
    const args = ['notebooks', good, bad, text, '--scale', 'mini', '--parallel', '2', '--out', out];
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
    assert.equal(status, 1, stderr);
    assert.match(stdout, /good\.ipynb +1 +\d+\.\d +passed/);
    assert.match(stdout, /bad\.ipynb +2 +\d+\.\d +failed/);
    assert.match(stdout, /failed: .*bad\.ipynb, cell 2, line 2\n +null\.length\nTypeScript: TS18050: /);
    assert.match(stdout, /failed: .*text\.ipynb: expected a notebook, found a file that is not JSON/);
    assert.deepEqual(readNotebook(path.join(out, 'good.ipynb')).cells[0].outputs, [
      { output_type: 'stream', name: 'stdout', text: ['mini\n'] },
    ]);
    const { status: code, stdout: json } = spawnSync(process.execPath, [MAIN, 'notebooks', text, '--json'], {
      encoding: 'utf8',
    });
    assert.deepEqual([code, (JSON.parse(json) as NotebookResult[])[0].status], [1, 'failed']);
  });

  it('ends with 130 at Ctrl-C, and no kernel goes on', async () => {
    const pid = path.join(folder, 'pid');
    const file = write(
      'endless.ipynb',
      `require('fs').writeFileSync(${JSON.stringify(pid)}, String(process.pid));\nawait new Promise((resolve) => setTimeout(resolve, 60000));`,
    );
    const child = spawn(process.execPath, [MAIN, 'notebooks', file], { stdio: 'ignore' });
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await until(() => fs.existsSync(pid) && fs.readFileSync(pid, 'utf8') !== '');
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    const kernel = Number(fs.readFileSync(pid, 'utf8'));
    await until(() => !fs.existsSync(`/proc/${kernel}`) || process.platform !== 'linux');
  });
});
