// The kernel installed for another Jupyter, and found by it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../src/base/errors';
import { kitHome } from '../../src/base/home';
import { installKernel, listKernels, uninstallKernel } from '../../src/notebook/kernel-specs';

describe('kernels for another Jupyter', function () {
  this.timeout(120_000);
  let home: string;
  const before_ = { ...process.env };
  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle ü kernels-'));
    process.env.JUPYTER_DATA_DIR = path.join(home, 'data');
    delete process.env.VIRTUAL_ENV;
  });
  afterEach(() => {
    fs.rmSync(home, { recursive: true, force: true });
    for (const name of ['JUPYTER_DATA_DIR', 'VIRTUAL_ENV'])
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
  });
  const withCode =
    (code: string) =>
    (error: KitError): boolean =>
      error.code === code;

  it('are installed for the user, in an environment or below a folder, listed and removed', () => {
    assert.equal(installKernel({ kind: 'user' }), path.join(home, 'data', 'kernels', 'rifle'));
    process.env.VIRTUAL_ENV = path.join(home, 'venv');
    assert.equal(installKernel({ kind: 'sys-prefix' }, 'mine'), path.join(home, 'venv/share/jupyter/kernels/mine'));
    const prefix = path.join(home, 'p');
    installKernel({ kind: 'prefix', folder: prefix });
    installKernel({ kind: 'prefix', folder: prefix });
    const ours = listKernels(prefix).filter(({ folder }) => folder.startsWith(home));
    assert.deepEqual(
      ours.map(({ name, displayName, works }) => `${name} ${displayName} ${works}`),
      [
        'rifle TypeScript (rifle-kit) true',
        'rifle TypeScript (rifle-kit) true',
        'mine TypeScript (rifle-kit, mine) true',
      ],
    );
    assert.equal(uninstallKernel('mine').length, 1);
    assert.throws(() => uninstallKernel('mine'), withCode('KERNEL_NOT_INSTALLED'));
  });

  it('take no name that cannot be one or that another kernel has', () => {
    assert.throws(() => installKernel({ kind: 'user' }, '../x'), withCode('KERNEL_NAME_INVALID'));
    const taken = path.join(home, 'data', 'kernels', 'python3');
    fs.mkdirSync(taken, { recursive: true });
    fs.writeFileSync(path.join(taken, 'kernel.json'), '{"argv":["python3"],"display_name":"Python"}');
    assert.throws(() => installKernel({ kind: 'user' }, 'python3'), withCode('KERNEL_NAME_TAKEN'));
  });

  it('are found by Jupyter', function () {
    const python = kitHome('venv', 'bin', 'python');
    if (!fs.existsSync(python)) this.skip(); // `npm run setup` makes it
    installKernel({ kind: 'user' }, 'elsewhere');
    const ask = ['-I', '-m', 'jupyter_client.kernelspecapp', 'list', '--json'];
    const { stdout, stderr } = spawnSync(python, ask, { encoding: 'utf8', cwd: home, env: process.env });
    const { kernelspecs } = JSON.parse(stdout || `{"kernelspecs":${JSON.stringify(stderr)}}`) as {
      kernelspecs: Record<string, { spec: { language: string } }>;
    };
    assert.equal(kernelspecs.elsewhere?.spec.language, 'typescript', stderr);
  });
});
