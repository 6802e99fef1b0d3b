// The extensions that a project lists in its package.json.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { projectExtensions } from '../../../src/base/definitions/project';

describe('the extensions of a project', () => {
  let folder: string;
  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-project-')));
    for (const name of ['extensions/b.ts', 'extensions/a.ts', 'extensions/a.d.ts', 'extensions/lib/c.ts', 'own (1).js'])
      write(name, '');
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };
  const found = (extensions: unknown, from = folder) => {
    write('package.json', JSON.stringify({ rifle: { extensions } }));
    const { files, unmatched } = projectExtensions(from);
    return { files: files.map((file) => path.relative(folder, file)), unmatched };
  };

  it('are those of the list in its order, each once, without declarations', () => {
    assert.deepEqual(found(['./extensions/*.ts']).files, ['extensions/a.ts', 'extensions/b.ts']);
    assert.deepEqual(found(['extensions/b.ts', 'extensions/**/*.ts', './own (1).js']).files, [
      'extensions/b.ts',
      'extensions/a.ts',
      'extensions/lib/c.ts',
      'own (1).js',
    ]);
  });

  it('are found from a folder below', () => {
    const { files } = found(['./extensions/*.ts'], path.join(folder, 'extensions', 'lib'));
    assert.deepEqual(files, ['extensions/a.ts', 'extensions/b.ts']);
  });

  it('may match nothing; a name without a wildcard stays', () => {
    assert.deepEqual(found(['./extension/*.ts', './none.ts']), { files: ['none.ts'], unmatched: ['./extension/*.ts'] });
    write('package.json', '{}');
    assert.deepEqual(projectExtensions(folder).files, []);
  });

  it('are refused when the list is no list of names', () => {
    for (const extensions of ['./extensions/*.ts', [3]])
      assert.throws(() => found(extensions), { code: 'PROJECT_FILE' });
    write('package.json', '{"rifle": ');
    assert.throws(() => projectExtensions(folder), { code: 'PROJECT_FILE' });
  });
});
