// `rifle train` with extensions, in a project outside the repository; commands that make no runs load nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import type { RunRecord } from '../../src/runs/store/record';
import { makeImageFolder } from '../runs/image-folder';

describe('extensions on the command line', function () {
  this.timeout(120_000);
  let folder: string;
  let images: string;
  before(async () => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-extensions-')));
    images = await makeImageFolder();
    write('package.json', '{"rifle": {"extensions": ["./extensions/*.ts"]}}');
    write(
      'extensions/darker.ts',
      `import fs from 'node:fs';
import path from 'node:path';
import { defineTrick, z } from 'rifle-kit/extend';
import type { tf } from 'rifle-kit/engine';

fs.appendFileSync(path.join(__dirname, 'loaded'), 'x');
export const darker = defineTrick({
  name: 'jdoe/darker',
  options: z.strictObject({ by: z.number().default(0.9) }),
  create: ({ by }) => ({ images: (images: tf.Tensor4D) => images.mul(by) }),
});
`,
    );
    write(
      'dark.mjs',
      `import { defineMethod } from 'rifle-kit/extend';
defineMethod({ name: 'jdoe/dark', title: 'Dark photographs', colour: '#117733', tricks: [{ name: 'jdoe/darker', by: 0.5 }] });`,
    );
  });
  after(() => [folder, images].forEach((each) => fs.rmSync(each, { recursive: true, force: true })));
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
  const rifle = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js'), ...args], {
      cwd: path.join(folder, 'extensions'),
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    });
  const timesLoaded = (): number => {
    const file = path.join(folder, 'extensions', 'loaded');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').length : 0;
  };

  it('are loaded by a command that makes runs, which prints their names', () => {
    const { status, stdout, stderr } = rifle(
      // prettier-ignore
      ...['train', '--extension', '../dark.mjs', '--method', 'jdoe/dark', '--dataset', images, '--weights', 'random',
          '--image-size', '32', '--batch-size', '4', '--learning-rate', '0.0001', '--epochs', '1',
          '--limit-per-class', '4', '--runs', path.join(folder, 'runs'), '--json'],
    );
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^Extensions: darker\.ts, \.\.\/dark\.mjs$/m);
    const record = JSON.parse(stdout) as RunRecord;
    assert.equal(record.method, 'jdoe/dark');
    assert.deepEqual(record.spec.tricks, [{ name: 'jdoe/darker', by: 0.5 }]);
    assert.deepEqual(record.guestMethod, {
      title: 'Dark photographs',
      colour: '#117733',
      control: null,
      decides: [],
    });
    assert.equal(record.numerics['jdoe/darker'], 1);
    assert.equal(timesLoaded(), 1);
  });

  it('are not loaded by a command that only reads', () => {
    for (const command of [
      ['runs', 'list'],
      ['report', '--out', path.join(folder, 'report.html')],
    ]) {
      const { status, stdout, stderr } = rifle(...command, '--runs', path.join(folder, 'runs'));
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /Extensions/);
      if (command[0] === 'runs') assert.match(stdout, /jdoe\/dark/);
    }
    assert.equal(timesLoaded(), 1);
    const report = fs.readFileSync(path.join(folder, 'report.html'), 'utf8');
    assert.ok(report.includes('Dark photographs'), 'tables have the title of the method');
    assert.ok(report.includes('rgb(17, 119, 51)'), 'figures have its colour');
  });

  it('end the command with the file and the line when they cannot be loaded', () => {
    write('broken.ts', 'const a: number = 1;\nthrow new TypeError(`boom ${a}`);');
    const { status, stdout, stderr } = rifle('train', '--extension', '../broken.ts', '--print-spec');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /broken\.ts:2: .*boom 1/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
});
