// The headless runner on small notebooks: what it saves, where it says a cell failed, and that no kernel outlives it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isAlive } from '../../../src/base/files/atomic';
import { type KitError } from '../../../src/base/errors';
import { kitHome } from '../../../src/base/home';
import { joinText, readNotebook, type CellOutput, type NotebookCell } from '../../../src/notebook/runner/format';
import { comparePairs } from '../../../src/notebook/runner/pairs';
import { describeFailure, runNotebook } from '../../../src/notebook/runner/runner';

let folder: string;

function code(source: string, tags?: string[]): NotebookCell {
  return { cell_type: 'code', metadata: tags ? { tags } : {}, source, outputs: [], execution_count: null };
}

function write(name: string, cells: NotebookCell[], metadata: Record<string, unknown> = {}): string {
  const file = path.join(folder, name);
  const text: NotebookCell = { cell_type: 'markdown', metadata: {}, source: '# A test' };
  const kernelspec = { name: 'rifle', display_name: 'TypeScript (rifle-kit)', language: 'typescript' };
  fs.writeFileSync(
    file,
    JSON.stringify({ cells: [text, ...cells], metadata: { kernelspec, ...metadata }, nbformat: 4, nbformat_minor: 4 }),
  );
  return file;
}

const withCode =
  (expected: string) =>
  (error: KitError): boolean =>
    error.code === expected;

async function waitUntil(condition: () => boolean, seconds: number, what: string): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('runNotebook', function () {
  this.timeout(60_000);

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-notebook-test-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("runs all cells in the notebook's folder, assigns parameters and saves outputs as nbformat 4.5", async () => {
    fs.writeFileSync(path.join(folder, 'beside.txt'), 'beside');
    const file = write('good.ipynb', [
      code('let scale: "smoke" | "mini" = "smoke";\nlet rate = 0.1;', ['parameters']),
      code(
        'import { readFileSync } from "node:fs";\nconst text = readFileSync("beside.txt", "utf8");\nconsole.log(scale, rate * 2, text, process.env.RIFLE_SCALE)',
      ),
      code(
        'process.stdout.write("10 %\\r50 %\\r");\nprocess.stdout.write("100 %\\n");\nawait new Promise((r) => setTimeout(r, 20));\nconsole.error("a warning");',
      ),
      code('import { newDisplay } from "tslab";\nconst bar = newDisplay();\nbar.html("<b>half</b>");'),
      code('bar.html("<b>all</b>");\n[1, 2].length'),
    ]);
    const out = path.join(folder, 'out', 'good.ipynb');
    const seen: string[] = [];
    const result = await runNotebook(file, {
      out,
      parameters: { scale: 'mini', rate: 0.5 },
      env: { RIFLE_SCALE: 'smoke' },
      onCell: (cell) => seen.push(`${cell.cell}/${cell.of} ${cell.status}`),
    });
    assert.equal(result.failure, null);
    assert.equal(result.status, 'ok');
    assert.deepEqual(seen, ['2/6 ok', '2/6 ok', '3/6 ok', '4/6 ok', '5/6 ok', '6/6 ok']);

    const saved = readNotebook(out);
    assert.equal(saved.nbformat_minor, 5);
    assert.ok(saved.cells.every((cell) => typeof cell.id === 'string' && cell.id.length > 0));
    assert.deepEqual(saved.cells[2].metadata.tags, ['injected-parameters']);
    const outputs = saved.cells.map((cell) => cell.outputs ?? []);
    const text = (output: CellOutput): string => (output.output_type === 'stream' ? joinText(output.text) : '');
    assert.equal(text(outputs[3][0]), 'mini 1 beside smoke\n');
    assert.equal(text(outputs[4][0]), '100 %\n');
    assert.equal(text(outputs[4][1]), 'a warning\n');
    assert.deepEqual(outputs[5], [
      { output_type: 'display_data', data: { 'text/html': ['<b>all</b>'] }, metadata: {} },
    ]);
    assert.deepEqual(outputs[6], [
      { output_type: 'execute_result', data: { 'text/plain': ['2'] }, metadata: {}, execution_count: 6 },
    ]);
    assert.deepEqual(fs.readdirSync(path.dirname(out)), ['good.ipynb'], 'no partial file is left');
  });

  it('stops at the first failing cell and says notebook, cell, line and error; the saved notebook shows it', async () => {
    const file = write('throws.ipynb', [
      code(
        'const limit = 2;\nfunction check(x: number): number {\n  if (x > limit) throw new RangeError("too big: " + x);\n  return x;\n}',
      ),
      code(
        'import { basename } from "node:path";\n\ninterface Point {\n  x: number;\n}\nconst point: Point = { x: 5 };\n// the next line throws\nconst checked = check(point.x);\nbasename("a/b");',
      ),
      code('console.log("never reached")'),
    ]);
    const out = path.join(folder, 'throws.out.ipynb');
    const { status, failure, cells } = await runNotebook(file, { out });
    assert.equal(status, 'failed');
    assert.equal(
      describeFailure(failure!),
      `${file}, cell 3, line 8\n    const checked = check(point.x);\nRangeError: too big: 5`,
    );
    assert.equal(cells.length, 2);
    const saved = readNotebook(out);
    const shown = saved.cells[2].outputs!.find((output) => output.output_type === 'error');
    assert.ok(shown?.output_type === 'error');
    assert.equal(shown.ename, 'RangeError');
    assert.equal(shown.evalue, 'too big: 5');
    assert.deepEqual(saved.cells[3].outputs, []);
  });

  it('ends a cell that exceeds its limit and keeps what it had printed', async () => {
    const out = path.join(folder, 'slow.out.ipynb');
    const slow = await runNotebook(write('slow.ipynb', [code('console.log("before");\nwhile (true) {}'), code('1')]), {
      timeoutSeconds: 1,
      out,
    });
    assert.match(slow.failure!.error, /its limit of 1 s/);
    assert.deepEqual([slow.status, slow.failure!.cell, slow.cells.length], ['failed', 2, 1]);
    const { outputs } = readNotebook(out).cells[1];
    assert.ok(outputs!.some((output) => output.output_type === 'stream' && joinText(output.text) === 'before\n'));
    assert.ok(outputs!.some((output) => output.output_type === 'error'));
  });

  it('reports a kernel that is killed, and saves what there is', async () => {
    const out = path.join(folder, 'killed.out.ipynb');
    const killed = await runNotebook(
      write('killed.ipynb', [code('6 * 7'), code('process.kill(process.pid, "SIGKILL");')]),
      { out },
    );
    assert.match(killed.failure!.error, /kernel ended \(signal SIGKILL, as when memory runs out\)/);
    assert.deepEqual((readNotebook(out).cells[1].outputs![0] as { data: object }).data, { 'text/plain': ['42'] });
  });

  it('fails when something that the last cell started fails after it', async () => {
    const out = path.join(folder, 'late.out.ipynb');
    const { failure, status } = await runNotebook(
      write('late.ipynb', [code('setTimeout(() => Promise.reject(new Error("too late")), 50);')]),
      { out },
    );
    assert.equal(status, 'failed');
    assert.deepEqual([failure!.cell, failure!.error], [2, 'Error: too late']);
    assert.ok(
      readNotebook(out).cells[1].outputs!.some(
        (output) => output.output_type === 'error' && output.evalue === 'too late',
      ),
    );
  });

  it('refuses what is no TypeScript notebook and parameters that are not declared, before a kernel starts', async () => {
    await assert.rejects(runNotebook(path.join(folder, 'none.ipynb')), withCode('NOTEBOOK_UNREADABLE'));
    await assert.rejects(runNotebook(folder), withCode('NOTEBOOK_UNREADABLE'));
    const text = path.join(folder, 'text.ipynb');
    fs.writeFileSync(text, 'hello');
    await assert.rejects(runNotebook(text), withCode('NOTEBOOK_UNREADABLE'));
    fs.writeFileSync(
      text,
      JSON.stringify({ cells: [], metadata: { kernelspec: { name: 'python3' } }, nbformat: 4, nbformat_minor: 5 }),
    );
    await assert.rejects(runNotebook(text), withCode('NOTEBOOK_OTHER_KERNEL'));
    fs.writeFileSync(text, JSON.stringify({ worksheets: [], metadata: {}, nbformat: 3, nbformat_minor: 0 }));
    await assert.rejects(runNotebook(text), withCode('NOTEBOOK_OTHER_FORMAT'));
    fs.writeFileSync(text, JSON.stringify({ cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 }));
    await assert.rejects(runNotebook(text), withCode('NOTEBOOK_WITHOUT_KERNEL'));
    fs.writeFileSync(
      text,
      JSON.stringify({ cells: [{ cell_type: 'code' }], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    );
    await assert.rejects(runNotebook(text), withCode('NOTEBOOK_INVALID'));
    const file = write('declared.ipynb', [code('let scale = "smoke";', ['parameters'])]);
    await assert.rejects(runNotebook(file, { out: folder }), withCode('NOTEBOOK_TARGET_FOLDER'));
    await assert.rejects(
      runNotebook(file, { parameters: { scal: 'mini' } }),
      (error: KitError) => error.code === 'UNKNOWN_PARAMETER' && /"scale"/.test(error.fix),
    );
    await assert.rejects(
      runNotebook(write('none-tagged.ipynb', []), { parameters: { scale: 1 } }),
      withCode('NOTEBOOK_WITHOUT_PARAMETERS'),
    );
  });

  it('skips cells tagged so, allows errors where the notebook does, and takes several parameters of one `let`', async () => {
    const cells = [
      code('let rate = 1, sizes: number[] = [], { deep } = { deep: 2 };', ['parameters']),
      code('throw new Error("skipped")', ['skip-execution']),
      code('throw new Error("allowed")'),
      code('[rate, sizes.length, deep].join()'),
    ];
    const file = write('allowed.ipynb', cells, { execution: { allow_errors: true } });
    const out = path.join(folder, 'allowed.out.ipynb');
    const { status } = await runNotebook(file, { out, parameters: { sizes: [1, 2], deep: 5 } });
    assert.equal(status, 'ok');
    const outputs = readNotebook(out).cells.map((cell) => cell.outputs ?? []);
    assert.deepEqual(outputs[3], []);
    assert.equal(outputs[4][0].output_type, 'error');
    assert.deepEqual((outputs[5][0] as { data: object }).data, { 'text/plain': ['1,2,5'] });
  });

  it('runs nothing of a folder of a stranger but the cells: no packages, settings of npm, scripts or modules of Python', async () => {
    const foreign = path.join(folder, 'foreign');
    const mark = path.join(foreign, 'was-run');
    const javascript = `require('node:fs').appendFileSync(${JSON.stringify(mark)}, __filename);`;
    for (const name of ['zeromq', 'typescript', 'tslab', 'rifle-kit', 'zod', 'cmake-ts']) {
      fs.mkdirSync(path.join(foreign, 'node_modules', name), { recursive: true });
      fs.writeFileSync(path.join(foreign, 'node_modules', name, 'index.js'), javascript);
    }
    const files = {
      'hook.cjs': javascript,
      '.npmrc': `node-options=--require ${path.join(foreign, 'hook.cjs')}\n`,
      'package.json': JSON.stringify({
        main: 'hook.cjs',
        scripts: { preinstall: 'node hook.cjs', prepack: 'node hook.cjs' },
      }),
      'tsconfig.json': JSON.stringify({ compilerOptions: { plugins: [{ name: './hook.cjs' }] } }),
      'json.py': `open(${JSON.stringify(mark)}, 'a').write('json.py')`,
      'jupytext.py': `open(${JSON.stringify(mark)}, 'a').write('jupytext.py')`,
    };
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(foreign, name), text);
    const file = path.join(foreign, 'one.ipynb');
    fs.renameSync(write('one.ipynb', [code('1 + 1')]), file);
    assert.equal((await runNotebook(file)).status, 'ok');
    if (fs.existsSync(kitHome('venv', 'bin', 'python'))) await comparePairs([file]);
    assert.equal(fs.existsSync(mark) ? fs.readFileSync(mark, 'utf8') : '', '');
  });

  it('writes in place through a link, with the permissions of the file', async () => {
    const file = write('linked.ipynb', [code('1 + 1')]);
    fs.chmodSync(file, 0o640);
    const link = path.join(folder, 'link.ipynb');
    fs.symlinkSync(file, link);
    await runNotebook(link, { out: link });
    assert.ok(fs.lstatSync(link).isSymbolicLink());
    assert.equal(fs.statSync(file).mode & 0o777, 0o640);
    assert.equal(readNotebook(file).cells[1].outputs!.length, 1);
  });

  it('rejects with the reason of an abort and takes the kernel with it', async () => {
    const pidFile = path.join(folder, 'abort.pid');
    const file = write('abort.ipynb', [
      code(`require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));\nwhile (true) {}`),
    ]);
    const controller = new AbortController();
    const run = runNotebook(file, { signal: controller.signal });
    await waitUntil(() => fs.existsSync(pidFile), 30, 'the cell started');
    const pid = Number(fs.readFileSync(pidFile, 'utf8'));
    controller.abort(new Error('enough'));
    await assert.rejects(run, /enough/);
    assert.equal(isAlive(pid), false);
  });

  it('leaves neither kernel nor folder when it is killed while a kernel starts', async () => {
    const runner = path.join(__dirname, '..', '..', '..', 'src', 'notebook', 'runner', 'runner.js');
    const own = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-killed-'));
    const file = write('killed-early.ipynb', [code('1')]);
    const script = `require(${JSON.stringify(runner)}).runNotebook(${JSON.stringify(file)})`;
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore', env: { ...process.env, TMPDIR: own } });
    const made = (): string[] => fs.readdirSync(own).filter((name) => name.startsWith('rifle-kernel-'));
    await waitUntil(() => made().length > 0, 30, 'a kernel is started');
    await new Promise((resolve) => setTimeout(resolve, 60));
    child.kill('SIGKILL');
    await waitUntil(() => made().length === 0, 30, 'the kernel removed its folder');
    fs.rmSync(own, { recursive: true });
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    it(`leaves no kernel behind when its own process gets ${signal}`, async () => {
      const pidFile = path.join(folder, `${signal}.pid`);
      const file = write(`${signal}.ipynb`, [
        code(
          `require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));\nawait new Promise((r) => setTimeout(r, 60000));`,
        ),
      ]);
      const runner = path.join(__dirname, '..', '..', '..', 'src', 'notebook', 'runner', 'runner.js');
      const script = `require(${JSON.stringify(runner)}).runNotebook(${JSON.stringify(file)})`;
      const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
      try {
        await waitUntil(
          () => fs.existsSync(pidFile) && fs.readFileSync(pidFile, 'utf8') !== '',
          30,
          'the cell started',
        );
        const pid = Number(fs.readFileSync(pidFile, 'utf8'));
        const ended = new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
        child.kill(signal);
        assert.equal(await ended, signal);
        await waitUntil(() => !isAlive(pid), 5, 'the kernel ended');
      } finally {
        child.kill('SIGKILL');
      }
    });
  }
});
