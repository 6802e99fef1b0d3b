// Cells of today's TypeScript, run one after the other in this process: values, types and names from cell to cell.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Cells } from '../../../src/notebook/kernel/cells';

describe('cells', function () {
  this.timeout(240_000);
  let folder: string;
  let cells: Cells;
  let number = 0;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-cells-'));
    cells = new Cells(folder, () => undefined);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const never = new Promise<never>(() => undefined);
  const run = (source: string): ReturnType<Cells['run']> => cells.run({ number: ++number, source }, never);
  /** The value of the last of several cells. */
  async function value(...sources: string[]): Promise<unknown> {
    let last: unknown;
    for (const source of sources) {
      const outcome = await run(source);
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.traceback.join('\n'));
      last = outcome.value;
    }
    return last;
  }
  async function failure(source: string): Promise<{ evalue: string; line: number | null; ename: string }> {
    const outcome = await run(source);
    assert.ok(!outcome.ok, source);
    return outcome.failure;
  }

  it('await any operand at the top level', async () => {
    assert.equal(
      await value('const load = async () => ({ text: async () => "five" });\nawait (await load()).text()'),
      'five',
    );
    assert.equal(await value('await (async () => 7)()'), 7);
    assert.deepEqual(await value('(await [Promise.resolve(1)]).length'), 1);
    assert.equal(await value('await `x${1}`'), 'x1');
    assert.equal(await value('await -3'), -3);
    assert.equal(await value('const late = Promise.resolve({ b: 4 });', '(await (late)).b'), 4);
  });

  it('take patterns apart over values of earlier cells', async () => {
    await value('const settings = { rate: 0.5, net: { depth: 18, width: 64 }, tags: ["a", "b", "c"] };');
    assert.equal(await value('const { rate: renamed } = settings;', 'renamed'), 0.5);
    assert.deepEqual(await value('const { net: { depth, ...others } } = settings;\n[depth, others]'), [
      18,
      { width: 64 },
    ]);
    assert.deepEqual(await value('const [first, ...rest] = settings.tags;', '[first, rest]'), ['a', ['b', 'c']]);
    assert.equal(await value('const pick = ({ net: { width } }: typeof settings) => width;\npick(settings)'), 64);
    assert.deepEqual(await value('let one = 1, two = 2;', '[one, two] = [two, one];', '[one, two]'), [2, 1]);
  });

  it('keep namespaces, enums, overloads, generics and types over several cells', async () => {
    assert.equal(await value('namespace Unit { export const mm = 0.001; }', 'Unit.mm', 'Unit.mm * 1000'), 1);
    assert.deepEqual(
      await value('enum Mode { Train, Test }', 'const enum Flag { On = 4 }', '[Mode[Mode.Test], Flag.On]'),
      ['Test', 4],
    );
    await value(
      'function twice(x: string): string;\nfunction twice(x: number): number;\nfunction twice(x: any) { return x + x; }',
    );
    assert.equal(await value('twice("ab").toUpperCase() + twice(2).toFixed(1)'), 'ABAB4.0');
    await value(
      'interface Sized { size: number }\nconst largest = <T extends Sized>(all: T[]): T => all.reduce((a, b) => (b.size > a.size ? b : a));',
    );
    assert.equal(await value('const most = largest([{ size: 1, id: "x" }, { size: 3, id: "y" }]);', 'most.id'), 'y');
    assert.match((await failure('const wrong: Sized = { size: "big" };')).evalue, /^TS2322/);
    assert.equal(
      await value('interface Sized { name: string }\nconst named: Sized = { name: "n" };', 'named.name'),
      'n',
    );
  });

  it('know what Node knows, and check null and missing types', async () => {
    assert.deepEqual(await value('[3, 1, 2].toSorted()'), [1, 2, 3]);
    assert.equal(await value('[1, 2, 3].findLast((x) => x < 3)'), 2);
    assert.match((await failure('let text: string = null;')).evalue, /^TS2322/);
    const missing = await failure('\nfunction untyped(a) { return a; }');
    assert.deepEqual([missing.line, /^TS7006[\s\S]*tsconfig\.json/.test(missing.evalue)], [2, true]);
  });

  it('run decorators, accessors and `using`', async () => {
    await value(
      'const names: string[] = [];\nfunction noted(_: unknown, context: ClassDecoratorContext) { names.push(String(context.name)); }',
    );
    assert.deepEqual(
      await value(
        '@noted class Decorated { accessor v = 1; #w = 2; get both() { return this.v + this.#w; } }\n[names[0], new Decorated().both]',
      ),
      ['Decorated', 3],
    );
    await value(
      'const log: string[] = [];\nconst resource = (name: string) => ({ name, [Symbol.dispose]() { log.push(name); } });',
    );
    assert.equal(await value('using held = resource("held");\nheld.name', 'log.join()'), 'held');
  });

  it('drop `export`, and allow names that modules of Node reserve', async () => {
    assert.equal(
      await value(
        'export const shared = 1;\nexport function plus(x: number) { return x + shared; }\nexport class Box { n = plus(1); }',
        'new Box().n',
      ),
      2,
    );
    assert.equal(await value('const inner = 3;\nexport { inner };', 'inner'), 3);
    assert.equal(await value('export default class Main { static n = 5 }', 'Main.n'), 5);
    assert.equal(await value('export { join as joined } from "node:path";', 'joined("a", "b")'), 'a/b');
    assert.deepEqual(await value('const exports = { a: 1 };\nconst module = 2;', '[exports.a, module]'), [1, 2]);
    assert.equal(
      await value(
        'import { createRequire } from "node:module";\nconst require = createRequire("/");\ntypeof require("node:fs").statSync',
      ),
      'function',
    );
  });

  it('share names outside ASCII, and each `var` of a block', async () => {
    await value('let größe = 1;\nconst lesen = () => größe;', 'größe = 4;');
    assert.equal(await value('lesen()'), 4);
    await failure('JSON.parse("{");\nlet größe = 9;');
    assert.equal(await value('größe'), 4, 'kept, as the cell did not reach it');
    assert.equal(
      await value('for (var turn = 0; turn < 3; turn++) { var label = `t${turn}`; }', 'turn + label'),
      '3t2',
    );
  });

  it('keep what a failing cell declared before it failed', async () => {
    await failure('const reached = { n: 1 };\nJSON.parse("{");\nconst missed = 2;');
    assert.equal(await value('reached.n'), 1);
    assert.match((await failure('missed')).evalue, /^TS2304/);
  });

  it('change global and module types', async () => {
    assert.equal(
      await value(
        'declare global { interface Array<T> { lastOne(): T } }\nArray.prototype.lastOne = function () { return this[this.length - 1]; };\n[1, 2].lastOne()',
      ),
      2,
    );
    assert.equal(await value('["x", "y"].lastOne().toUpperCase()'), 'Y');
    Reflect.deleteProperty(Array.prototype, 'lastOne'); // cells run in this process here: other tests see no such arrays
    assert.equal(await value('declare module "node:os" { export const shout: string }\n1'), 1);
    assert.equal(
      await value(
        'Object.assign(globalThis, { fromOutside: 6 });\ndeclare const fromOutside: number;',
        'fromOutside + 1',
      ),
      7,
    );
  });

  it('have classes with private members as expressions', async () => {
    await value('const Counter = class { #n = 0; private step = 2; next() { return (this.#n += this.step); } };');
    assert.equal(await value('const counter = new Counter();\ncounter.next();', 'counter.next()'), 4);
  });

  it('know their place: import.meta, __dirname, __filename', async () => {
    assert.deepEqual(
      await value('[__dirname, path.dirname(__filename), import.meta.dirname]'.replace('path', 'require("node:path")')),
      [folder, folder, folder],
    );
    assert.equal(
      await value(
        'import { fileURLToPath } from "node:url";\nconst __dirname = fileURLToPath(new URL(".", import.meta.url));\n__dirname',
      ),
      `${folder}/`,
    );
  });

  it('are refused with a line and a sentence for what cannot be', async () => {
    const awaited = await failure('const list = [1];\nfunction wait() {\n  await list;\n}');
    assert.deepEqual([awaited.line, /^TS1308[\s\S]*`async`/.test(awaited.evalue)], [3, true]);
    const missing = await failure('\nimport { x } from "no-such-package/sub";');
    assert.deepEqual([missing.line, /install\('no-such-package'\)/.test(missing.evalue)], [2, true]);
    assert.deepEqual([(await failure('if (true) {')).line, (await failure('const open = `abc\n\n')).line], [1, 3]);
    assert.match((await failure('return 5;')).evalue, /^TS1108/);
  });

  it('call functions of earlier cells without a `this`', async () => {
    assert.equal(
      await value('function self(this: unknown) { return this === undefined; }', 'self() && self.call(undefined)'),
      true,
    );
    assert.equal(
      await value('const tag = (parts: TemplateStringsArray, n: number) => parts.join("|") + n;', 'tag`a${1}b`'),
      'a|b1',
    );
  });

  it('import types without a trace in JavaScript', async () => {
    assert.equal(
      await value(
        'import type { Stats } from "node:fs";\nimport { type ParsedPath, sep, ParsedPath as P2 } from "node:path";',
        'const parsed: ParsedPath | P2 | Stats | null = null;\nsep + parsed',
      ),
      '/null',
    );
    assert.equal(
      await value('import os = require("node:os");\nimport nested = Unit;', 'typeof os.cpus + nested.mm'),
      'function0.001',
    );
  });
});
