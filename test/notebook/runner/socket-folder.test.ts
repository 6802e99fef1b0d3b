// The folder of a kernel's sockets.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KitError } from '../../../src/base/errors';
import { socketFolder } from '../../../src/notebook/runner/socket-folder';

describe('socketFolder', () => {
  it('takes the first folder whose path leaves room for a socket', () => {
    const long = path.join(os.tmpdir(), 'x'.repeat(100));
    const folder = socketFolder([long, os.tmpdir()]);
    assert.equal(path.dirname(folder), os.tmpdir());
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
    fs.rmdirSync(folder);
  });

  it('throws when there is none', () => {
    const missing = path.join(os.tmpdir(), 'no-such-folder');
    assert.throws(
      () => socketFolder([missing]),
      (error: KitError) => error.code === 'KERNEL_SOCKET_FOLDER',
    );
    assert.throws(
      () => socketFolder(['/'.padEnd(200, 'y')]),
      (error: KitError) => error.code === 'KERNEL_SOCKET_FOLDER',
    );
  });
});
