// Re-executes every notebook of this study; a cell that fails, fails here, with its line.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const rifle = path.join(root, 'node_modules', 'rifle-kit', 'dist', 'src', 'cli', 'main.js');

for (const name of fs.readdirSync(path.join(root, 'notebooks')).filter((each) => each.endsWith('.ipynb'))) {
  test(`notebooks/${name} runs from its first cell to its last`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [rifle, 'notebooks', path.join('notebooks', name)], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
  });
}
