import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from '../../../setup/setup-error.mjs';
import { atLeast, device, findCompiler, findHeaders, findNpm, findPython } from '../../../setup/system/machine.mjs';

/**
 * A machine whose programs print what is given: `{'python3': ['3.8.1', '']}` for two calls of python3; null: it fails.
 */
const machine = (answers) => {
  const turns = {};
  return (program) => answers[program]?.[(turns[program] = (turns[program] ?? -1) + 1)] ?? null;
};
const problem = (message, fix) => (error) => {
  assert.ok(error instanceof SetupError, error.stack);
  assert.match(error.message, message);
  assert.match(error.fix, fix);
  return true;
};

describe('the machine', () => {
  it('compares versions number by number', () => {
    assert.equal(atLeast('3.11.7', '3.9'), true);
    assert.equal(atLeast('3.9.0', '3.9'), true);
    assert.equal(atLeast('3.8.18', '3.9'), false);
    assert.equal(atLeast('4.0', '3.9'), true);
  });

  it('has as its Python the first that is new enough and can make an environment', () => {
    const ask = machine({ python3: ['3.8.1'], 'python3.12': ['3.12.1', null], 'python3.11': ['3.11.7', ''] });
    assert.deepEqual(findPython({}, '3.9', ask), { program: 'python3.11', version: '3.11.7' });
  });

  it('without a suitable Python names those found and how to install one', () => {
    assert.throws(
      () => findPython({}, '3.9', machine({})),
      problem(/Python 3\.9 or newer.*none was found/, /apt-get install python3 python3-venv/),
    );
    assert.throws(
      () => findPython({}, '3.9', machine({ python3: ['3.8.1'] })),
      problem(/python3 is 3\.8\.1/, /apt-get/),
    );
    assert.throws(
      () => findPython({}, '3.9', machine({ python3: ['3.11.2', null] })),
      problem(/lacks the module venv or ensurepip/, /python3-venv/),
    );
    assert.throws(
      () => findPython({ RIFLE_PYTHON: '/no/python' }, '3.9', machine({})),
      problem(/\/no\/python \(RIFLE_PYTHON\) does not run/, /RIFLE_PYTHON/),
    );
  });

  it('without a compiler or make names the one that is missing', () => {
    assert.throws(() => findCompiler({}, machine({})), problem(/C\+\+ compiler/, /build-essential/));
    assert.throws(() => findCompiler({}, machine({ 'g++': ['g++ 12'] })), problem(/make/, /build-essential/));
    assert.deepEqual(findCompiler({}, machine({ 'c++': ['c++ 14\nmore'], make: ['GNU Make 4.3'] })), {
      program: 'c++',
      compiler: 'c++ 14',
      make: 'GNU Make 4.3',
    });
  });

  it('has no npm in the working folder, which may be that of a stranger', () => {
    const before = process.cwd();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-npm-'));
    try {
      fs.writeFileSync(path.join(folder, 'npm'), '#!/bin/sh', { mode: 0o755 });
      process.chdir(folder);
      for (const PATH of ['', '.', ':./'])
        assert.throws(
          () => findNpm({ PATH }),
          (error) => error instanceof SetupError,
          PATH,
        );
      assert.equal(findNpm({ PATH: `.:${folder}` }).program, path.join(folder, 'npm'));
    } finally {
      process.chdir(before);
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("has Node's headers in npm_config_nodedir, in the folder of Node, or in /usr", () => {
    const has = (prefix) => (file) => file.startsWith(path.join(prefix, 'include/node/'));
    assert.equal(
      findHeaders({ npm_config_nodedir: '/opt/headers' }, '/opt/node/bin/node', () => false),
      '/opt/headers',
    );
    assert.equal(findHeaders({}, '/opt/node/bin/node', has('/opt/node')), '/opt/node');
    assert.equal(findHeaders({}, '/opt/node/bin/node', has('/usr')), '/usr');
    assert.throws(
      () => findHeaders({}, '/opt/node/bin/node', () => false),
      problem(/not in \/opt\/node nor in \/usr/, /npm_config_nodedir/),
    );
  });

  it('uses the GPU where a driver is loaded, unless RIFLE_DEVICE is set', () => {
    assert.equal(
      device({}, () => false),
      'cpu',
    );
    assert.equal(
      device({}, (file) => file === '/dev/nvidiactl'),
      'gpu',
    );
    assert.equal(
      device({ RIFLE_DEVICE: 'cpu' }, () => true),
      'cpu',
    );
    assert.equal(
      device({ RIFLE_DEVICE: 'GPU' }, () => false),
      'gpu',
    );
    assert.equal(
      device({ RIFLE_DEVICE: 'auto' }, () => true),
      'gpu',
    );
    assert.throws(() => device({ RIFLE_DEVICE: 'tpu' }), problem(/"tpu"/, /Set it/));
  });
});
