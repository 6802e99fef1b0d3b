// Packages from a cell, by an npm that only writes files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { packageRoot } from '../../../src/base/home';
import { becomeNotebookHost, notebookHost, type NotebookHost } from '../../../src/base/notebook-host';
import { install } from '../../../src/notebook/live/install';

const NPM = `#!${process.execPath}
const fs = require('node:fs');
const [command, ...rest] = process.argv.slice(2);
const wanted = rest.slice(rest.indexOf('--') + 1).map((each) => each.split(/(?<=.)@/));
const read = (file) => fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : {};
fs.appendFileSync('npm.log', command + '\\n');
if (command === 'ls') {
  const found = wanted.filter(([name, version]) => {
    const there = read('node_modules/' + name + '/package.json').version;
    return there && (!version || there.startsWith(version));
  });
  console.log(JSON.stringify({ dependencies: Object.fromEntries(found.map(([name]) => [name, {}])) }));
} else for (const [name, version = '1'] of wanted) {
  if (name === 'missing') { console.error('npm error code E404\\nnpm error 404 Not Found'); process.exit(1); }
  fs.mkdirSync('node_modules/' + name, { recursive: true });
  fs.writeFileSync('node_modules/' + name + '/package.json', JSON.stringify({ name, version: version + '.0.0' }));
  const own = read('package.json');
  fs.writeFileSync('package.json', JSON.stringify({ ...own, dependencies: { ...own.dependencies, [name]: version } }));
}
`;

describe('install', () => {
  const before_ = { host: notebookHost(), cwd: process.cwd(), path: process.env.PATH };
  let folder: string;
  let shown: string[];
  let isInteractive = true;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-install-'));
    fs.writeFileSync(path.join(folder, 'npm'), NPM, { mode: 0o755 });
    process.env.PATH = `${folder}${path.delimiter}${process.env.PATH}`;
    fs.mkdirSync(path.join(folder, 'project', 'notebooks'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'project', 'package.json'), '{"name":"mine"}');
    process.chdir(path.join(folder, 'project', 'notebooks'));
    becomeNotebookHost({
      get isInteractive() {
        return isInteractive;
      },
      signal: new AbortController().signal,
      publish: (bundle: Record<string, unknown>) => shown.push(String(bundle['text/plain'])),
    } as unknown as NotebookHost);
  });
  beforeEach(() => (shown = []));
  after(() => {
    process.chdir(before_.cwd);
    process.env.PATH = before_.path;
    becomeNotebookHost(before_.host as NotebookHost);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const failsWith = (code: string, ...packages: string[]): Promise<void> =>
    assert.rejects(install(...packages), (error: KitError) => error.code === code);

  it('installs into the nearest project, once', async () => {
    await install('arquero@7', '@types/d3');
    assert.equal(shown.at(-1), 'arquero@7 @types/d3: installed: arquero 7.0.0, @types/d3 1.0.0');
    const project = path.join(folder, 'project');
    assert.deepEqual(JSON.parse(fs.readFileSync(path.join(project, 'package.json'), 'utf8')), {
      name: 'mine',
      dependencies: { arquero: '7', '@types/d3': '1' },
    });
    await install('arquero@7');
    assert.deepEqual(fs.readFileSync(path.join(project, 'npm.log'), 'utf8').trim().split('\n'), ['install', 'ls']);
  });

  it('installs nothing in a headless run, where what is there passes', async () => {
    isInteractive = false;
    await install('arquero@7');
    await failsWith('INSTALL_HEADLESS', 'arquero@8');
    await failsWith('INSTALL_HEADLESS', 'other');
    isInteractive = true;
  });

  it('refuses what is no package, what npm does not find, and the folder of the kit', async () => {
    for (const name of ['--global', 'a b', '../x', 'git+https://example.org/x.git', 'x@file:y', ''])
      await failsWith('INSTALL_NAME', name);
    await failsWith('INSTALL_FAILED', 'missing');
    process.chdir(packageRoot());
    await failsWith('INSTALL_INTO_KIT', 'arquero');
  });
});
