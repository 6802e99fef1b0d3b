import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/base/home';
import { messagesBelow } from './messages';

const SNAPSHOT = path.join(packageRoot(), 'test', 'fixtures', 'messages.txt');
const messages = messagesBelow(path.join(packageRoot(), 'src'));

/** Words that a reader with little English must look up, or that give a program a will. See CONTRIBUTING.md. */
const RIDDLES =
  /\b(anew|whoever|gives? up|goes on|go on|mends?|mended|kin|thereof|therein|hither|speaks?|understands?|understood)\b/i;

describe('messages', () => {
  it('has a code for every failure, in capitals', () => {
    const without = messages.filter(
      ({ code }) => code === '' || (!code.includes('{…}') && !/^[A-Z][A-Z0-9_]+( \/ [A-Z][A-Z0-9_]+)*$/.test(code)),
    );
    assert.deepEqual(
      without.map(({ file, line, message }) => `${file}:${line} ${message}`),
      [],
    );
  });

  it('writes plain sentences', () => {
    const odd = messages.filter(({ message, fix }) => RIDDLES.test(`${message} ${fix}`));
    assert.deepEqual(
      odd.map(({ file, line, message, fix }) => `${file}:${line} ${message} ${fix}`),
      [],
    );
  });

  it('says what the snapshot holds', () => {
    const text = `${messages
      .map(({ file, code, message, fix }) => `${file} ${code}\n  ${message}${fix === '' ? '' : `\n  fix: ${fix}`}`)
      .sort()
      .join('\n')}\n`;
    if (process.env.RIFLE_UPDATE_SNAPSHOTS) fs.writeFileSync(SNAPSHOT, text);
    assert.equal(text, fs.readFileSync(SNAPSHOT, 'utf8'), 'RIFLE_UPDATE_SNAPSHOTS=1 writes the snapshot');
  });
});
