import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Interrupted, SetupError } from '../../../setup/setup-error.mjs';
import { run } from '../../../setup/system/program.mjs';
import { scratchFolder } from '../scratch.mjs';

describe('run', () => {
  const scratch = scratchFolder();
  /** Runs a script with Node. */
  const node = (script, options = {}) =>
    run(process.execPath, ['-e', script], { what: 'The test', log: path.join(scratch.path, 'log'), ...options });

  it('returns the standard output, and logs both outputs', async () => {
    const lines = [];
    const printed = await node('console.log("a\\nb"); console.error("c")', { onLine: (line) => lines.push(line) });
    assert.equal(printed, 'a\nb\n');
    assert.deepEqual(lines.sort(), ['a', 'b', 'c']);
    assert.match(fs.readFileSync(path.join(scratch.path, 'log'), 'utf8'), /a\nb\n|c\n/);
  });

  it('throws the exit code, the last lines and the fix that matches them', async () => {
    await assert.rejects(node('console.error("ENOTFOUND"); process.exit(3)'), (error) => {
      assert.ok(error instanceof SetupError);
      assert.match(error.message, /exit code 3/);
      assert.match(error.fix, /Check the network/);
      assert.deepEqual(error.output, ['ENOTFOUND']);
      return true;
    });
  });

  it('stops a program that ignores SIGTERM', async () => {
    const controller = new AbortController();
    const onLine = () => controller.abort();
    const script = 'process.on("SIGTERM", () => {}); console.log("ready"); setTimeout(() => {}, 60_000);';
    await assert.rejects(node(script, { signal: controller.signal, killSeconds: 0.1, onLine }), Interrupted);
  });
});
