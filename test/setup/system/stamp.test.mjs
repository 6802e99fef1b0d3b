import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { isStamped, linkTarget, linkTo, stamp } from '../../../setup/system/stamp.mjs';
import { scratchFolder } from '../scratch.mjs';

describe('stamps and links', () => {
  const scratch = scratchFolder();

  it('match the same inputs only, and not when damaged', () => {
    stamp(scratch.path, { a: 1 });
    assert.equal(isStamped(scratch.path, { a: 1 }), true);
    assert.equal(isStamped(scratch.path, { a: 2 }), false);
    fs.writeFileSync(path.join(scratch.path, '.set-up.json'), '{"hash": "');
    assert.equal(isStamped(scratch.path, { a: 1 }), false);
  });

  it('replace a link, a file and a folder', () => {
    const link = path.join(scratch.path, 'link');
    assert.equal(linkTo(link, 'a'), true);
    assert.equal(linkTo(link, 'a'), false);
    assert.equal(linkTo(link, 'b'), true);
    assert.equal(linkTarget(link), 'b');
    fs.rmSync(link);
    fs.mkdirSync(path.join(link, 'below'), { recursive: true });
    assert.equal(linkTo(link, 'c'), true);
    assert.equal(linkTarget(link), 'c');
    assert.deepEqual(fs.readdirSync(scratch.path), ['link']);
  });
});
