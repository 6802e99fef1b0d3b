import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { missingPackages } from '../../../setup/steps/packages.mjs';
import { scratchFolder } from '../scratch.mjs';

describe('the packages step', () => {
  const scratch = scratchFolder();
  function lay(wanted, held) {
    fs.writeFileSync(
      path.join(scratch.path, 'package-lock.json'),
      JSON.stringify({ packages: { '': {}, 'shims/x': {}, ...wanted } }),
    );
    for (const name of Object.keys(held)) fs.mkdirSync(path.join(scratch.path, name), { recursive: true });
    fs.mkdirSync(path.join(scratch.path, 'node_modules'), { recursive: true });
    fs.writeFileSync(path.join(scratch.path, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: held }));
    return missingPackages(scratch.path);
  }
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  it('finds what is there', () => assert.deepEqual(lay({ 'node_modules/a': a }, { 'node_modules/a': a }), []));
  it('finds a package that is missing', () => assert.deepEqual(lay({ 'node_modules/a': a }, {}), ['node_modules/a']));
  it('finds another version', () =>
    assert.deepEqual(lay({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }), [
      'node_modules/a',
    ]));
  it('lets a package for another platform be absent', () =>
    assert.deepEqual(lay({ 'node_modules/a': { ...a, optional: true } }, {}), []));
  it('finds a package whose folder has gone', () => {
    lay({ 'node_modules/a': a }, { 'node_modules/a': a });
    fs.rmdirSync(path.join(scratch.path, 'node_modules', 'a'));
    assert.deepEqual(missingPackages(scratch.path), ['node_modules/a']);
  });
});
