// JupyterLab as a process: it runs nothing of the user's folder when it starts, and ends with its command.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from '../../src/base/files/atomic';
import type { KitError } from '../../src/base/errors';
import { kitHome, packageRoot } from '../../src/base/home';
import { startLab } from '../../src/notebook/lab';

describe('rifle lab', function () {
  this.timeout(400_000);
  let folder: string;
  before(function () {
    if (!fs.existsSync(kitHome('venv', 'bin', 'python'))) this.skip(); // `npm run setup` makes it
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-lab-'));
    // Names that Jupyter imports, and the file of settings that it looks for.
    for (const name of ['tornado', 'json', 'jupyterlab', 'jupyter_server_config', 'sitecustomize'])
      fs.writeFileSync(
        path.join(folder, `${name}.py`),
        `open(${JSON.stringify(path.join(folder, 'was-run'))}, "a").write("x")\n`,
      );
  });
  after(() => folder && fs.rmSync(folder, { recursive: true, force: true }));

  /** The process ids of servers that this command started. */
  const serversOf = (command: ChildProcess): number[] =>
    fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
          return line.some((each) => each.endsWith('rifle_lab.py')) && line.includes(String(command.pid));
        } catch {
          return false; // it has ended
        }
      })
      .map(Number);

  for (const signal of ['SIGHUP', 'SIGKILL'] as const) {
    it(`runs no Python of its folder, and leaves no server after ${signal}`, async function () {
      if (process.platform !== 'linux') this.skip(); // reads /proc
      const main = path.join(packageRoot(), 'dist', 'src', 'cli', 'main.js');
      const command = spawn(process.execPath, [main, 'lab', folder, '--no-browser', '--port', '8977']);
      let printed = '';
      for (const stream of [command.stdout, command.stderr]) stream.on('data', (data) => (printed += String(data)));
      const ended = new Promise((resolve) => command.once('exit', resolve));
      const isUp = await waitFor(() => printed.includes('token='), 180);
      const servers = serversOf(command);
      command.kill(signal);
      await ended;
      assert.ok(isUp, printed);
      assert.equal(fs.existsSync(path.join(folder, 'was-run')), false);
      assert.equal(servers.length, 1);
      assert.ok(await waitFor(() => !isAlive(servers[0]), 60), 'the server ended');
    });
  }

  it('refuses a folder that is not there', async () => {
    const missing = startLab({ folder: path.join(folder, 'none') });
    await assert.rejects(missing, (error: KitError) => error.code === 'LAB_FOLDER_MISSING');
  });
});

async function waitFor(condition: () => boolean, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}
