// The engine: loaded on first use, quiet, and with the corrections of known faults.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { AttributeKind, internals } from '../../src/engine/binding';
import { tf } from '../../src/engine/tensorflow';

/** Runs a program in a process of its own, beside the compiled sources. */
function run(program: string, env: NodeJS.ProcessEnv = {}): { stdout: string; stderr: string } {
  const source = path.join(__dirname, '..', '..', 'src');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: source,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return { stdout: stdout.trim(), stderr };
}

const ADD = "const { tf } = require('./engine/tensorflow.js'); console.log(tf.add(1, 2).dataSync()[0]);";

describe('the engine', function () {
  this.timeout(60_000);

  it('is not loaded by importing the root or an entry', () => {
    for (const entry of ['./index.js', './engine/index.js', './report/index.js', './extend.js', './cli/main.js']) {
      const { stdout } = run(
        `process.argv.push('--version'); require('${entry}');
         const heavy = /tfjs-node-gpu|@tensorflow.tfjs.dist|jsdom|plotly|[/]sharp[/]lib|danfojs|zeromq|undici|tslab|h5wasm/;
         process.on('exit', () => console.log(Object.keys(require.cache).filter((file) => heavy.test(file)).join(' ')));`,
      );
      assert.equal(stdout.replace(/^\d+\.\d+\.\d+\s*/, ''), '', entry);
    }
  });

  it('writes nothing to standard error', () => {
    assert.deepEqual(run(ADD), { stdout: '3', stderr: '' });
  });

  it('shows the messages of the library when they are asked for', () => {
    assert.match(run(ADD, { TF_CPP_MIN_LOG_LEVEL: '0' }).stderr, /oneDNN custom operations are on/);
  });

  it('still shows what is no information', () => {
    const { stdout, stderr } = run(ADD, { TF_ENABLE_ONEDNN_OPTS: 'perhaps' });
    assert.equal(stdout, '3');
    assert.match(stderr, /TF_ENABLE_ONEDNN_OPTS/);
  });

  it('has the kinds of attributes of the binding', () => {
    const { binding } = internals();
    assert.deepEqual(AttributeKind, {
      string: binding.TF_ATTR_STRING,
      int: binding.TF_ATTR_INT,
      float: binding.TF_ATTR_FLOAT,
      bool: binding.TF_ATTR_BOOL,
      type: binding.TF_ATTR_TYPE,
    });
  });

  it('is the same for the kit, for danfo and for an import by name', () => {
    const published = require('@tensorflow/tfjs-node-gpu') as typeof tf;
    assert.equal(tf.Tensor, published.Tensor);
    assert.equal((require('danfojs-node') as { tensorflow: typeof tf }).tensorflow.Tensor, published.Tensor);
    assert.deepEqual(Object.keys(tf).sort(), Object.keys(published).sort());
    assert.equal('add' in tf, true);
  });
});
