// A notebook as a program: it prints what the notebook shows.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { kitHome } from '../../../src/base/home';
import { writeScript } from '../../../src/notebook/runner/script';

describe('writeScript', () => {
  let folder: string;
  // Below the kit, which the program finds by its name.
  before(() => {
    fs.mkdirSync(kitHome('tmp'), { recursive: true });
    folder = fs.mkdtempSync(path.join(kitHome('tmp'), 'script-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  function notebook(...cells: (string | { source: string; cell_type?: string; metadata?: object })[]): string {
    const file = path.join(folder, 'small.ipynb');
    const whole = cells.map((cell, i) => ({
      id: `c${i}`,
      cell_type: 'code',
      metadata: {},
      outputs: [],
      execution_count: null,
      ...(typeof cell === 'string' ? { source: cell } : cell),
    }));
    const kernelspec = { name: 'rifle', display_name: 'TypeScript (rifle-kit)' };
    fs.writeFileSync(file, JSON.stringify({ cells: whole, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
    return file;
  }

  it('keeps awaits, values, imports of several cells, and names that are declared again', async function () {
    this.timeout(60_000);
    const file = notebook(
      { source: '# Title\nwords', cell_type: 'markdown' },
      { source: 'let size = 1; // pixels; the parameter', metadata: { tags: ['parameters'] } },
      'import path, { join } from "node:path";\nconst n: number = size;\nconst read = () => n;\nn',
      'import { join, basename } from "node:path";\nconst n = await Promise.resolve("again");\n[n, read(), join("a", "b"), basename("c/d"), path.sep].join()',
      'enum Kind { First = 5 }\ninterface Unused { a: number }\nexport const kind = Kind.First;\nkind // the value',
      'undefined',
      'throw new Error("at the end");',
      '"never"',
    );
    const program = await writeScript(file, path.join(folder, 'out'), { size: 3 });
    assert.equal(program, path.join(folder, 'out', 'small.cjs'));
    assert.match(fs.readFileSync(program, 'utf8'), /\/\/ # Title\n\s*\/\/ words/);
    const { stdout, stderr, status } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    assert.equal(stdout, '3\n3\nagain,3,a/b,d,/\n5\n', stderr);
    assert.deepEqual([status, /at the end/.test(stderr)], [1, true]);
  });

  it('refuses a cell that cannot be parsed, and a file that only the kernel compiles', async () => {
    const failsWith = (code: string, ...cells: string[]): Promise<void> =>
      assert.rejects(writeScript(notebook(...cells), folder), (error: KitError) => error.code === code);
    await failsWith('NOTEBOOK_SCRIPT_MISTAKE', 'const = 1');
    await failsWith('NOTEBOOK_SCRIPT_IMPORT', 'import { a } from "./beside"');
  });
});
