// What the tests of the set-up share: an empty folder that goes again, a wheel made by hand, a context to run steps in.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ask, findPython } from '../../setup/system/machine.mjs';
import { context } from '../../setup/run.mjs';
import { packageRoot } from '../../setup/system/paths.mjs';

/**
 * An empty folder for each test of the suite, removed after it. Call it inside `describe`; read `.path` inside `it`.
 */
export function scratchFolder() {
  const scratch = { path: '' };
  beforeEach(() => {
    scratch.path = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-set-up-'));
  });
  afterEach(() => fs.rmSync(scratch.path, { recursive: true, force: true }));
  return scratch;
}

let found;

/** A Python of this machine, by its real path (a version manager's shim takes half a second each time). */
export function python() {
  found ??= ask(findPython(process.env, '3.9').program, ['-c', 'import sys; print(sys.executable)'], process.env);
  return found;
}

/** Writes a zip archive with Python's zipfile: `members` maps names to texts. */
function makeZip(file, members) {
  const program = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for name, text in json.loads(sys.argv[2]).items():
        archive.writestr(name, text)
`;
  execFileSync(python(), ['-c', program, file, JSON.stringify(members)]);
}

/** A wheel that pip accepts, as small as it can be; returns its pin. */
export function makeWheel(folder, members = {}) {
  const file = 'tiny_engine-1.0-py3-none-any.whl';
  makeZip(path.join(folder, file), {
    ...members,
    'tiny_engine-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: tiny-engine\nVersion: 1.0\n',
    'tiny_engine-1.0.dist-info/WHEEL':
      'Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'tiny_engine-1.0.dist-info/RECORD': '',
  });
  const content = fs.readFileSync(path.join(folder, file));
  const sha256 = crypto.createHash('sha256').update(content).digest('hex');
  return { name: 'tiny-engine', version: '1.0', file, bytes: content.length, sha256 };
}

/** A context whose home is `home`. */
export function testContext(home, extra = {}) {
  const env = { ...process.env, RIFLE_HOME: home, RIFLE_DEVICE: 'cpu' };
  return { ...context(packageRoot, env, new AbortController().signal), ...extra };
}

/** Lets pip, in each test of the suite, find packages in `folder()` alone and never on a network. */
export function pipFinds(folder) {
  let before;
  beforeEach(() => {
    before = { ...process.env };
    Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: folder(), PIP_CONFIG_FILE: os.devNull });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

/** A screen that remembers. */
export function recorder() {
  const lines = [];
  const keep = (kind) => (title, detail) =>
    lines.push({ kind, title, detail: detail?.message ?? detail, fix: detail?.fix });
  return {
    lines,
    say: keep('say'),
    begin: keep('begin'),
    progress: () => {},
    done: keep('done'),
    skipped: keep('skipped'),
    failed: keep('failed'),
    interrupted: keep('interrupted'),
  };
}
