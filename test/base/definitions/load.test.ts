// Extensions of a project outside the repository: TypeScript, one kit, once, in order, and errors that name file and line.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { definitionFiles, loadDefinitions, loadExtensions } from '../../../src/base/definitions/load';
import { forgetDefinitions } from '../../../src/base/definitions/registry';
import type { KitError } from '../../../src/base/errors';
import { guests, methods } from '../../../src/extend';
import { tricks } from '../../../src/transfer/tricks/trick';

describe('loading extensions', function () {
  this.timeout(20_000);
  let folder: string;
  before(() => (folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-load-')))));
  after(() => {
    forgetDefinitions('loading/');
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  };
  const refused = async (name: string, text: string | null, code: string, ...parts: string[]): Promise<void> => {
    const file = text === null ? path.join(folder, name) : write(name, text);
    await assert.rejects(loadExtensions([file]), (error: KitError) => {
      assert.equal(error.code, code, error.message);
      for (const part of [name, ...parts]) assert.ok(error.message.includes(part), error.message);
      return true;
    });
  };

  it('loads TypeScript on the kit of this process, whatever copy of the kit is beside the file', async () => {
    write('node_modules/rifle-kit/package.json', '{"name": "rifle-kit", "main": "index.js"}');
    write('node_modules/rifle-kit/index.js', 'throw new Error("another copy of the kit");');
    write('sides.ts', 'export const side: number = 7;');
    const file = write(
      'typed.ts',
      `import { defineTrick, z } from 'rifle-kit/extend';
import * as kit from 'rifle-kit';
import { tf } from 'rifle-kit/engine';
import { side } from './sides';

interface Options { side: number }
export const typed = defineTrick({
  name: 'loading/typed',
  title: kit.tf === tf ? 'one kit' : 'two kits',
  options: z.strictObject({ side: z.number().default(side satisfies Options['side']) }),
});
`,
    );
    const [loaded] = await loadExtensions([file]);
    assert.deepEqual([loaded.file, Object.keys(loaded.exports)], [file, ['typed']]);
    assert.equal((await loadExtensions([file]))[0], loaded);
    const found = guests().find(({ name }) => name === 'loading/typed');
    assert.deepEqual(found, { kind: 'trick', name: 'loading/typed', origin: { file, line: 7 } });
    assert.equal(tricks.get('loading/typed').title, 'one kit');
    assert.deepEqual(tricks.get('loading/typed').options.parse({}), { side: 7 });
    assert.ok(definitionFiles(() => true).includes(file));
  });

  it('loads a file once, and again after an edit, which replaces its definitions', async () => {
    const text = (title: string): string =>
      `globalThis.loadedTimes = (globalThis.loadedTimes ?? 0) + 1;
       require('rifle-kit/extend').defineTrick({ name: 'loading/once', title: '${title}' });`;
    const file = write('once.cjs', text('first'));
    await loadExtensions([file]);
    await loadDefinitions([file]);
    const times = (): unknown => (globalThis as { loadedTimes?: number }).loadedTimes;
    assert.deepEqual([times(), tricks.get('loading/once').title], [1, 'first']);
    write('once.cjs', text('second'));
    await loadExtensions([file]);
    assert.deepEqual([times(), tricks.get('loading/once').title], [2, 'second']);
  });

  it('gives workers the files of used definitions, in the order in which they were made', async () => {
    const trick = write(
      'z-trick.mjs',
      `import { defineTrick } from 'rifle-kit/extend';
       await Promise.resolve();
       export default defineTrick({ name: 'loading/z-trick' });`,
    );
    const method = write(
      'a-method.js',
      `import { defineMethod } from 'rifle-kit';
       defineMethod({ name: 'loading/a-method', tricks: ['loading/z-trick'] });`,
    );
    await loadExtensions([trick, method]);
    assert.deepEqual(methods.get('loading/a-method').tricks, [{ name: 'loading/z-trick' }]);
    const own = ({ name }: { name: string }): boolean => ['loading/z-trick', 'loading/a-method'].includes(name);
    const outside = (files: string[]): string[] => files.filter((file) => path.isAbsolute(file));
    assert.deepEqual(outside(definitionFiles(own)), [trick, method]);
    assert.deepEqual(outside(definitionFiles(({ name }) => name === 'loading/a-method')), [method]);
    write(
      'lib/make.ts',
      `import { defineTrick } from 'rifle-kit/extend';\nexport const make = (name) => defineTrick({ name });`,
    );
    const made = write('made.ts', `import { make } from './lib/make';\nexport default make('loading/made');`);
    await loadExtensions([made]);
    assert.deepEqual(outside(definitionFiles(({ name }) => name === 'loading/made')), [made]);
    fs.rmSync(method);
    await loadExtensions([write('renamed.js', `require('rifle-kit').defineMethod({ name: 'loading/a-method' });`)]);
    assert.equal(methods.list().filter(({ name }) => name === 'loading/a-method').length, 1);
  });

  it('refuses what it cannot load, with file, line and reason', async () => {
    const from = `import { defineMethod, defineTrick, z } from 'rifle-kit/extend';\n`;
    write('node_modules/other/dist/src/base/definitions/registry.js', '');
    write('imports-other.js', "require('./node_modules/other/dist/src/base/definitions/registry.js');");
    await refused('other.mjs', "import './imports-other.js';", 'EXTENSION_OTHER_KIT', 'node_modules/other');
    delete require.cache[path.join(folder, 'node_modules/other/dist/src/base/definitions/registry.js')];
    await refused('none.ts', null, 'EXTENSION_MISSING');
    await refused('notes.txt', 'text', 'EXTENSION_FILE_TYPE');
    await refused('empty.ts', 'export const side = 3;', 'EXTENSION_EMPTY');
    await refused('syntax.ts', '\nexport const = 3;', 'EXTENSION_FAILED', 'syntax.ts:2', 'SyntaxError');
    await refused('throws.ts', 'const a: number = 1;\n\nthrow new Error("boom");', 'EXTENSION_FAILED', ':3', 'boom');
    await refused('text.ts', 'throw "boom";', 'EXTENSION_FAILED', 'boom');
    await refused('imports.ts', 'import { x } from "./absent";\nconsole.log(x);', 'EXTENSION_FAILED', './absent');
    write('helper.ts', '\n\nexport const x = (null as any).y;');
    await refused('outer.ts', 'import { x } from "./helper";\nx();', 'EXTENSION_FAILED', 'helper.ts:3', 'imported by');
    await refused('name.ts', `${from}\ndefineTrick({ name: 'cutout' });`, 'DEFINITION_NAME', 'name.ts:3');
    await refused('number.ts', `${from}defineMethod({ name: 3 });`, 'DEFINITION_NAME', 'number.ts:2');
    await refused('part.ts', `${from}defineMethod({ name: 'a/b', tricks: ['c'] });`, 'UNKNOWN_TRICK', 'part.ts:2');
    await refused('kind.ts', `${from}defineTrick({ name: 'a/b', create: 3 });`, 'DEFINITION_FORM', 'kind.ts:2');
    const first = `${from}export default defineTrick({ name: 'loading/twice' });`;
    await loadExtensions([write('first.ts', first)]);
    await refused('second.ts', first, 'DEFINITION_TWICE', 'first.ts:2', 'second.ts:2');
    await loadExtensions([write('throws.ts', `${from}export default defineTrick({ name: 'loading/corrected' });`)]);
  });

  it('accepts a file that only passes on the definitions of others', async () => {
    await loadExtensions([write('index.ts', `export { typed } from './typed';`)]);
  });
});
