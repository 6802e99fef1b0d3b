// Files and packages that cells import: TypeScript, JSON, ES modules, circles, and edits while the kernel runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Cells } from '../../../../src/notebook/kernel/cells';
import { mapStacks } from '../../../../src/notebook/kernel/compiler/positions';

describe('imports of cells', function () {
  this.timeout(240_000);
  let folder: string;
  let cells: Cells;
  let number = 0;
  before(() => {
    folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-modules-')), 'notebooks');
    fs.mkdirSync(folder);
    cells = new Cells(folder, () => undefined);
  });
  after(() => fs.rmSync(path.dirname(folder), { recursive: true, force: true }));

  function write(name: string, text: string): void {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  }
  async function value(source: string): Promise<unknown> {
    const outcome = await cells.run({ number: ++number, source }, new Promise(() => undefined));
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.traceback.join('\n'));
    return outcome.value;
  }

  it('TypeScript files with variables of their own, in circles, with dots, folders, JSX and parents', async () => {
    write('count.ts', 'let n = 10;\nvar step = 5;\nexport const next = () => (n += step);\nexport let seen = 3;\n');
    assert.deepEqual(await value('import { next, seen } from "./count";\n[next(), next(), seen]'), [15, 20, 3]);
    write(
      'left.ts',
      'import { right } from "./right";\nexport const left = () => "L";\nexport const both = () => left() + right();\n',
    );
    write(
      'right.ts',
      'import { left } from "./left";\nexport const right = () => "R";\nexport const turned = () => right() + left();\n',
    );
    assert.equal(
      await value('import { both } from "./left";\nimport { turned } from "./right";\nboth() + turned()'),
      'LRRL',
    );
    write('with.dots.ts', 'export const dotted: number = 1;\n');
    write('parts/index.ts', 'export { dotted as fromIndex } from "../with.dots";\n');
    write('view.tsx', 'export const view: string = "tsx";\n');
    write('../outside.ts', 'export const outside = import.meta.url;\n');
    assert.deepEqual(
      await value(
        'import { dotted } from "./with.dots";\nimport { fromIndex } from "./parts";\nimport { view } from "./view";\n[dotted, fromIndex, view]',
      ),
      [1, 1, 'tsx'],
    );
    assert.match(String(await value('import { outside } from "../outside";\noutside')), /^file:.*outside\.ts$/);
  });

  it('names the line of the TypeScript file in which an error was thrown', async () => {
    write(
      'fails.ts',
      'interface Unused {\n  a: number;\n}\nexport function fail(): never {\n  throw new Error("from a file");\n}\n',
    );
    const source = 'import { fail } from "./fails";\nfail()';
    const outcome = await cells.run({ number: ++number, source }, new Promise(() => undefined));
    assert.ok(!outcome.ok);
    assert.match(outcome.failure.traceback.join('\n'), /fails\.ts:5\b/);
  });

  it('sees edits of a file, of what that imports, and of JSON', async () => {
    write(
      'outer.ts',
      'import { inner } from "./inner";\nimport data from "./data.json";\nexport const all = () => inner + data.k;\n',
    );
    write('inner.ts', 'export const inner: string = "old";\n');
    write('data.json', '{ "k": 1 }');
    assert.equal(await value('import { all } from "./outer";\nall()'), 'old1');
    write('inner.ts', 'export const inner: string = "newer";\n');
    write('data.json', '{ "k": 22 }');
    assert.equal(await value('import { all } from "./outer";\nall()'), 'newer22');
    const outcome = await cells.run(
      { number: ++number, source: 'import { gone } from "./inner";' },
      new Promise(() => undefined),
    );
    assert.match(outcome.ok ? '' : outcome.failure.evalue, /^TS2305/);
    write('inner.ts', 'export const inner: number = "text";\n');
    const refused = await cells.run(
      { number: ++number, source: 'import { all } from "./outer";' },
      new Promise(() => undefined),
    );
    assert.match(refused.ok ? '' : refused.failure.traceback.join('\n'), /TS2322[\s\S]*inner\.ts, line 1/);
    write('inner.ts', 'export const inner = "";\n');
  });

  it('extensions of the kit, whose definitions an edit and the same import replace', async () => {
    const text = (side: number): string =>
      `import { defineTrick, z } from 'rifle-kit/extend';

interface Options { side: number }

export const edited = defineTrick({
  name: 'modules/edited',
  options: z.strictObject({ side: z.number().default(${side} satisfies Options['side']) }),
});
`;
    const cell = `import { edited } from "./extensions/edited";\nimport { guests } from 'rifle-kit/extend';
[edited(), guests().find(({ name }) => name === 'modules/edited')!.origin]`;
    const { prepareStackTrace, stackTraceLimit } = Error;
    mapStacks(); // as in a kernel
    try {
      for (const side of [1, 2]) {
        write('extensions/edited.ts', text(side));
        assert.deepEqual(await value(cell), [
          { name: 'modules/edited', side },
          { file: fs.realpathSync(path.join(folder, 'extensions', 'edited.ts')), line: 5 },
        ]);
      }
    } finally {
      Object.assign(Error, { prepareStackTrace, stackTraceLimit });
    }
  });

  it('ES modules that wait at their top, and packages for `import` alone', async () => {
    write('waits.mjs', 'await new Promise((done) => setTimeout(done, 5));\nexport const waited = 5;\n');
    assert.equal(await value('const m = await import("./waits.mjs");\nm.waited'), 5);
    assert.equal(await value('import { waited } from "./waits.mjs";\nwaited'), 5);
    const description = {
      name: 'modern',
      version: '1.0.0',
      type: 'module',
      exports: { '.': { types: './m.d.ts', import: './m.js' }, './sub': { types: './s.d.ts', import: './s.js' } },
    };
    write('node_modules/modern/package.json', JSON.stringify(description));
    write('node_modules/modern/m.js', 'await null; export const q = 8; export default () => "d";');
    write('node_modules/modern/m.d.ts', 'export declare const q: number; export default function (): string;');
    write('node_modules/modern/s.js', 'export const s = "sub";');
    write('node_modules/modern/s.d.ts', 'export declare const s: string;');
    assert.deepEqual(await value('import f, { q } from "modern";\nimport { s } from "modern/sub";\n[f(), q, s]'), [
      'd',
      8,
      'sub',
    ]);
    assert.deepEqual(await value('const whole = await import("modern");\n[whole.q, whole.default()]'), [8, 'd']);
    write(
      'uses.ts',
      'import { q } from "modern";\nexport const twice = async () => q * 2 + (await import("modern/sub")).s.length;\n',
    );
    assert.equal(await value('import { twice } from "./uses";\nawait twice()'), 19);
  });

  it('packages that are installed while the kernel runs, with their types', async () => {
    const source = 'import { late } from "late";\nlate.toFixed(1)';
    const before = await cells.run({ number: ++number, source }, new Promise(() => undefined));
    assert.match(before.ok ? '' : before.failure.evalue, /^TS2307[\s\S]*install\('late'\)/);
    write('node_modules/late/package.json', '{"name":"late","version":"1.0.0","main":"i.js","types":"i.d.ts"}');
    write('node_modules/late/i.js', 'exports.late = 1.25;');
    write('node_modules/late/i.d.ts', 'export declare const late: number;');
    assert.equal(await value(source), '1.3');
    fs.rmSync(path.join(folder, 'node_modules', 'late'), { recursive: true });
    assert.equal(await value('1 + 1'), 2);
    write('node_modules/plain/index.js', 'module.exports = { n: 3 };');
    assert.equal(
      await value('import plain from "plain";\nimport * as all from "plain";\nplain.n + all.n'),
      6,
      'a package without types',
    );
  });

  it('a cell with a @module comment, and tslab', async () => {
    await value('/** @module made */\nexport const made: number = 4;');
    assert.equal(await value('import { made } from "./made";\nmade'), 4);
    assert.equal(
      await value(
        'import { newDisplay, versions } from "tslab";\ntypeof newDisplay + versions.typescript.split(".")[0]',
      ),
      'function5',
    );
  });
});
