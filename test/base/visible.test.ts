// Text from outside is printed without control characters, and bounded.
import assert from 'node:assert/strict';
import { KitError } from '../../src/base/errors';
import { quoted, visible } from '../../src/base/visible';

describe('visible', () => {
  it('writes control characters as escapes, and leaves letters, line feeds and tabs', () => {
    assert.equal(visible('a\x1b[2Jb\x07\x9b\x7f\r'), 'a\\u001b[2Jb\\u0007\\u009b\\u007f\\u000d');
    assert.equal(visible('Zürich 日本 🐈\n\tx'), 'Zürich 日本 🐈\n\tx');
    assert.equal(visible('abc\u202Egnp.exe\u2028'), 'abc\\u202egnp.exe\\u2028');
    assert.equal(visible('\ud83d'), '\\ud83d');
  });

  it('keeps the beginning and the end of a long text', () => {
    assert.equal(visible('abcdefghij', 4), 'ab [... 6 more ...] ij');
    assert.ok(visible('\x1b['.repeat(1e6)).length < 30_000);
  });

  it('quotes names on one line', () => {
    assert.equal(quoted('a"b\nc\x1b'), '"a\\"b\\nc\\u001b"');
  });

  it('is applied to every KitError', () => {
    const error = new KitError(`bad \x1b]0;title\x07 ${'x'.repeat(1e6)}`, { code: 'TEST', fix: 'rm \x1b[31m' });
    assert.ok(error.message.startsWith('bad \\u001b]0;title\\u0007 x') && error.message.length < 21_000);
    assert.equal(error.fix, 'rm \\u001b[31m');
  });
});
