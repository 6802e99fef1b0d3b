import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { callSite, kitFolder, originText, Registry, type Origin } from '../../../src/base/definitions/registry';
import type { KitError } from '../../../src/base/errors';

const coded = (code: string) => (error: KitError) => error.code === code && error.fix !== '';
const own: Origin = { file: path.join(kitFolder, 'transfer', 'own.js'), line: 1 };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-registry-'));
const study: Origin = { file: path.join(folder, 'cutout.js'), line: 5 };
const cell: Origin = { file: null, line: null };

describe('Registry', () => {
  before(() => fs.writeFileSync(study.file!, ''));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  let made: Registry<number>;
  beforeEach(() => {
    made = new Registry<number>('test thing');
    made.add('own', 1, own);
    made.add('jdoe/cutout', 2, study);
  });
  // Workers of later tests load the files of all definitions.
  afterEach(() => made.names().forEach((name) => made.remove(name)));

  it('keeps definitions in the order in which they were made', () => {
    assert.deepEqual(made.names(), ['own', 'jdoe/cutout']);
    assert.deepEqual(made.list(), [1, 2]);
    assert.deepEqual([made.isBuiltIn('own'), made.isBuiltIn('jdoe/cutout')], [true, false]);
  });

  it('replaces a definition of the same file or of a notebook cell, and refuses one of another file', () => {
    made.add('jdoe/cutout', 3, { ...study, line: 9 });
    made.add('cell/x', 4, cell);
    made.add('cell/x', 5, cell);
    assert.deepEqual([made.get('jdoe/cutout'), made.get('cell/x')], [3, 5]);
    const other = { file: '/other.js', line: 1 };
    assert.throws(() => made.add('jdoe/cutout', 6, other), coded('DEFINITION_TWICE'));
    made.add('jdoe/moved', 7, { file: path.join(folder, 'deleted.js'), line: 1 });
    made.add('jdoe/moved', 8, other);
    assert.equal(made.get('jdoe/moved'), 8);
  });

  it('asks for one slash in names that are not of the kit', () => {
    for (const name of ['cutout', 'a/b/c', '/x', 'a b/c'])
      assert.throws(() => made.add(name, 0, study), coded('DEFINITION_NAME'), name);
  });

  it('names the near names and the loaded files for an unknown one', () => {
    assert.throws(() => made.get('owm'), coded('UNKNOWN_TEST_THING'));
    assert.throws(
      () => made.get('jdoe/cutoff'),
      (error: KitError) => error.code === 'UNKNOWN_TEST_THING' && error.fix.includes('cutout.js'),
    );
  });

  it('has the file and line that called a definition', () => {
    const define = (): Origin => callSite(define);
    const { file, line } = define();
    assert.equal(file, __filename);
    assert.ok(line! > 40);
    assert.equal(originText({ file: path.resolve('a.ts'), line: 3 }), 'a.ts:3');
    assert.equal(originText(cell), 'a notebook cell');
  });
});
