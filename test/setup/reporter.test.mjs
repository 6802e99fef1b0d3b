// The last line of `npm test`, and the order of the folders: each is tried on a small project of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../setup/system/paths.mjs';
import { scratchFolder } from './scratch.mjs';

const run = (cwd, script, ...args) =>
  spawnSync(process.execPath, [path.join(packageRoot, 'node_modules', script), ...args], { cwd, encoding: 'utf8' });

describe('the reporter', () => {
  const scratch = scratchFolder();

  it('ends with the counts', () => {
    const file = path.join(scratch.path, 'x.test.cjs');
    fs.writeFileSync(
      file,
      "it('a', () => {}); it('b', () => {}); it('c', () => { throw new Error('no'); }); it.skip('d', () => {});",
    );
    const { stdout, status } = run(
      scratch.path,
      'mocha/bin/mocha.js',
      '--reporter',
      path.join(packageRoot, 'test', 'reporter.cjs'),
      file,
    );
    assert.equal(stdout.trimEnd().split('\n').at(-1), '2 passed, 1 failed, 1 skipped');
    assert.equal(status, 1);
  });

  it('names the files that took longest, from a second on', () => {
    const { slowest } = createRequire(import.meta.url)('../reporter.cjs');
    const times = new Map([
      ['a.js', 999],
      ['b.js', 1000],
      ['c.js', 12_345],
    ]);
    assert.deepEqual(slowest(times), ['   12 s  c.js', '    1 s  b.js']);
  });
});

describe('the order of the folders', () => {
  const scratch = scratchFolder();

  it('refuses a later folder (also for a type), a circle, an entry inside and a study on private files, and nothing else', () => {
    const files = {
      'package.json': '{}',
      'tsconfig.json': '{}',
      'src/engine/right.ts': 'export const a = 1;',
      'src/runs/right.ts': "import { a } from '../engine/right'; export interface B { b: number } export const b = a;",
      'src/data/type.ts': "import type { B } from '../runs/right'; export const c = (b: B) => b.b;",
      'src/data/circle.ts': "import { e } from './round'; export const d = () => e;",
      'src/data/round.ts': "import { d } from './circle'; export const e = () => d;",
      'src/cli/inside.ts': "import { b } from '../index'; export const f = b;",
      'src/cli/entry.ts': "import { b } from '../runs'; export const g = b;",
      'src/runs/index.ts': "export * from './right';",
      'src/kit.ts': "export * from './runs';",
      'src/index.ts': "export * from './kit';",
      'src/studies/one/right.ts':
        "import { b } from '../../kit'; import { b as c } from '../../runs'; export { b, c };",
      'src/studies/one/inside.ts':
        "import { a } from '../../engine/right'; import { b } from './right'; export { a, b };",
    };
    for (const [file, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(scratch.path, file)), { recursive: true });
      fs.writeFileSync(path.join(scratch.path, file), text);
    }
    const config = path.join(packageRoot, '.dependency-cruiser.cjs');
    const { stdout, stderr } = run(
      scratch.path,
      'dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      config,
      '--output-type',
      'json',
      'src',
    );
    assert.ok(stdout.startsWith('{'), stderr);
    const found = JSON.parse(stdout).summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
    assert.deepEqual(found.sort(), [
      'a-study-uses-the-public-api: src/studies/one/inside.ts -> src/engine/right.ts',
      'data-comes-before: src/data/type.ts -> src/runs/right.ts',
      'entries-are-for-outside: src/cli/entry.ts -> src/runs/index.ts',
      'index-comes-last: src/cli/inside.ts -> src/index.ts',
      'no-circle: src/data/circle.ts -> src/data/round.ts', // a circle is told once
    ]);
  }).timeout(20_000);
});
