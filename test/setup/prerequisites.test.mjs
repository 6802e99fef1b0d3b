// Prerequisites: each one that is missing is named together with its fix.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { needSpace, size } from '../../setup/disk.mjs';
import { atLeast, device, findCompiler, findHeaders, findPython } from '../../setup/machine.mjs';
import { packageRoot } from '../../setup/place.mjs';
import { Problem } from '../../setup/problem.mjs';

/**
 * A machine on which programs answer as told: `{'python3': ['3.8.1', '']}` are the answers to its calls in turn; null:
 * it fails.
 */
const machine = (answers) => {
  const turns = {};
  return (program) => answers[program]?.[(turns[program] = (turns[program] ?? -1) + 1)] ?? null;
};
const problem = (message, fix) => (error) => {
  assert.ok(error instanceof Problem, error.stack);
  assert.match(error.message, message);
  assert.match(error.fix, fix);
  return true;
};

describe('prerequisites', () => {
  it('compare versions number by number', () => {
    assert.equal(atLeast('3.11.7', '3.9'), true);
    assert.equal(atLeast('3.9.0', '3.9'), true);
    assert.equal(atLeast('3.8.18', '3.9'), false);
    assert.equal(atLeast('4.0', '3.9'), true);
  });

  it('take the first Python that is new enough and can make an environment', () => {
    const ask = machine({ python3: ['3.8.1'], 'python3.12': ['3.12.1', null], 'python3.11': ['3.11.7', ''] });
    assert.deepEqual(findPython({}, '3.9', ask), { program: 'python3.11', version: '3.11.7' });
  });

  it('say what Python was found and how to get one', () => {
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

  it('say that the compiler or make is missing', () => {
    assert.throws(() => findCompiler({}, machine({})), problem(/C\+\+ compiler/, /build-essential/));
    assert.throws(() => findCompiler({}, machine({ 'g++': ['g++ 12'] })), problem(/make/, /build-essential/));
    assert.deepEqual(findCompiler({}, machine({ 'c++': ['c++ 14\nmore'], make: ['GNU Make 4.3'] })), {
      program: 'c++',
      compiler: 'c++ 14',
      make: 'GNU Make 4.3',
    });
  });

  it("find Node's headers where the user says, where Node stands, or in /usr", () => {
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

  it('take the GPU where a driver is loaded, and what RIFLE_DEVICE says before that', () => {
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

  it('ask for disk space before writing', () => {
    needSpace('/some/folder', 1e9, 'it', () => 1e9);
    assert.throws(
      () => needSpace('/some/folder', 2.5e9, 'the library', () => 0.4e9),
      problem(
        /too full for the library: 2\.5 GB are needed at \/some\/folder, 400 MB are free/,
        /Free 2\.1 GB there, or set RIFLE_HOME/,
      ),
    );
    assert.deepEqual([999, 4_200_000, 273_829_956, 3_379_649_224].map(size), ['1 kB', '4 MB', '274 MB', '3.4 GB']);
  });
});

describe('the command line of the set-up', () => {
  const call = (...args) => {
    try {
      return {
        code: 0,
        output: execFileSync(process.execPath, [path.join(packageRoot, 'setup', 'main.mjs'), ...args], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      };
    } catch (error) {
      return { code: error.status, output: error.stdout };
    }
  };

  it('has a help that names every step', () => {
    const { code, output } = call('--help');
    assert.equal(code, 0);
    for (const name of [
      'packages',
      'python',
      'library',
      'addon',
      'build',
      'link',
      'kernel',
      'weights',
      'data',
      'RIFLE_HOME',
      'RIFLE_DEVICE',
    ])
      assert.ok(output.includes(name), name);
  });

  it('refuses a step and a flag that it does not know', () => {
    for (const args of [['--only', 'libary'], ['--fast']]) {
      const { code, output } = call(...args);
      assert.equal(code, 1);
      assert.match(output, /Steps: prerequisites, packages/);
    }
  });

  it('reports as JSON on standard output', () => {
    const { output } = call('--check', '--json', '--only', 'link');
    const report = JSON.parse(output);
    assert.deepEqual(Object.keys(report), ['ok', 'seconds', 'steps']);
    assert.equal(report.steps[0].name, 'link');
  });
});
