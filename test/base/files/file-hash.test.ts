import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hashFile, sha256File } from '../../../src/base/files/file-hash';

describe('hashFile', () => {
  let file: string;
  before(() => (file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-hash-')), 'file')));
  after(() => fs.rmSync(path.dirname(file), { recursive: true }));

  it('has the values that FIPS 180 and RFC 1321 give for "abc"', async () => {
    fs.writeFileSync(file, 'abc');
    assert.equal(await sha256File(file), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.equal(await hashFile(file, 'sha1'), 'a9993e364706816aba3e25717850c26c9cd0d89d');
    assert.equal(await hashFile(file, 'md5'), '900150983cd24fb0d6963f7d28e17f72');
  });

  it('reads large files in pieces: FIPS 180 for a million times "a", and sha256sum for five million', async () => {
    fs.writeFileSync(file, 'a'.repeat(1_000_000));
    assert.equal(await sha256File(file), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
    fs.writeFileSync(file, 'a'.repeat(5_000_000));
    assert.equal(await sha256File(file), '7f4a285193573e707fcb6398222c00f044745cd2930e41d28d30da87d6ca183f');
  });
});
