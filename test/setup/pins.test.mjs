// The pins: every file that the set-up fetches is named, sized and hashed, and no registry's address is written down.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../setup/system/paths.mjs';

const read = (name) => fs.readFileSync(path.join(packageRoot, name), 'utf8');

describe('pins', () => {
  const pins = JSON.parse(read('setup/pins.json'));
  const { libraries, version } = pins.tensorflow;

  it('cover Linux x86_64 for CPU and GPU, Linux arm64 and macOS arm64, and say what is tested', () => {
    assert.deepEqual(Object.keys(libraries), ['linux-x64-cpu', 'linux-x64-gpu', 'linux-arm64-cpu', 'darwin-arm64-cpu']);
    assert.deepEqual(
      Object.keys(libraries).filter((name) => libraries[name].tested),
      ['linux-x64-cpu'],
    );
  });

  it('are the two wheels that the stack was chosen with', () => {
    assert.equal(
      libraries['linux-x64-cpu'].wheels[0].sha256,
      '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    );
    assert.equal(
      libraries['linux-x64-gpu'].wheels[0].sha256,
      '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    );
  });

  for (const [name, { wheels, unpackedBytes }] of Object.entries(libraries)) {
    it(`of ${name} are complete`, () => {
      assert.ok(wheels.length > 0);
      assert.equal(wheels[0].version, version);
      assert.ok(unpackedBytes > wheels[0].bytes);
      const system = { linux: 'linux', darwin: 'macosx' }[name.split('-')[0]];
      const machine = { 'linux-x64': 'x86_64', 'linux-arm64': 'aarch64', 'darwin-arm64': 'arm64' }[
        name.replace(/-[^-]+$/, '')
      ];
      for (const wheel of wheels) {
        assert.match(wheel.sha256, /^[0-9a-f]{64}$/, wheel.file);
        assert.ok(Number.isInteger(wheel.bytes) && wheel.bytes > 0, wheel.file);
        assert.ok(wheel.file.startsWith(`${wheel.name.replaceAll('-', '_')}-${wheel.version}-`), wheel.file);
        const platform = wheel.file
          .replace(/\.whl$/, '')
          .split('-')
          .at(-1);
        for (const tag of platform.split('.')) assert.ok(tag.includes(system) && tag.endsWith(machine), wheel.file);
      }
    });
  }

  it('of the GPU hold the libraries that TensorFlow looks for', () => {
    const names = libraries['linux-x64-gpu'].wheels.map((wheel) => wheel.name.replace(/^nvidia-|-cu12$/g, ''));
    for (const name of ['cublas', 'cudnn', 'cufft', 'cusparse', 'cusolver', 'cuda-runtime', 'cuda-cupti', 'nccl'])
      assert.ok(names.includes(name), name);
    // What these open in turn (data-scripts/gpu/libraries.py): cuSPARSE and cuSOLVER the linker, cuDNN the compiler of
    // kernels.
    for (const name of ['nvjitlink', 'cuda-nvrtc']) assert.ok(names.includes(name), name);
    for (const { file } of libraries['linux-x64-gpu'].wheels.slice(1))
      assert.match(file, /^nvidia_\w+_cu12-/, 'one generation of CUDA for all');
  });
});

for (const [file, needed] of Object.entries({
  requirements: ['jupyterlab', 'nbconvert', 'nbformat', 'jupytext', 'plotly', 'nbmake', 'papermill', 'ipykernel'],
  'requirements-ray': ['ray', 'mlflow-skinny', 'tensorboard'],
})) {
  describe(`${file}.txt`, () => {
    const text = read(`${file}.txt`);
    // One logical line a package: what is continued with a backslash belongs to it.
    const lines = text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'));

    it('pins every package to one version with at least one sha256', () => {
      assert.ok(lines.length > 100);
      for (const line of lines)
        assert.match(line, /^[a-z0-9-]+==[\w.]+ .*?(--hash=sha256:[0-9a-f]{64}\s*)+$/, line.slice(0, 80));
    });

    it('names no address, no path and no option', () => {
      assert.doesNotMatch(text, /:\/\/|^\s*(-[a-z]\b|--(?!hash=))|file:|@ /m);
    });

    it('holds what is needed', () => {
      for (const name of needed)
        assert.ok(
          lines.some((line) => line.startsWith(`${name}==`)),
          name,
        );
    });

    it(`is what ${file}.in asks for`, () => {
      const asked = read(`${file}.in`)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      for (const line of asked)
        assert.ok(
          lines.some((pinned) => pinned.startsWith(`${/^[\w-]+/.exec(line)[0]}==`)),
          line,
        );
    });
  });
}

it('requirements.txt holds JupyterLab 4.6, requirements-ray.txt the Ray that the client was tested with', () => {
  assert.match(read('requirements.txt'), /^jupyterlab==4\.6\./m);
  assert.ok(
    read('requirements-ray.txt').includes(`\nray==${/TESTED_RAY = '([\d.]+)'/.exec(read('src/runs/ray/ray.ts'))[1]} `),
  );
});

describe('the adapted packages', () => {
  const { npm } = JSON.parse(read('setup/pins.json'));
  for (const [name, { version, integrity }] of Object.entries(npm)) {
    it(`${name} is pinned by hash, in the version of its shim, without an install script or a dependency`, () => {
      const shim = JSON.parse(read(path.join('shims', path.basename(name), 'package.json')));
      assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/);
      assert.deepEqual([shim.name, shim.version], [name, version]);
      assert.deepEqual([shim.scripts, shim.dependencies], [undefined, undefined]);
    });
  }

  it('are bundled, with what they replace', () => {
    const { bundleDependencies, dependencies, overrides } = JSON.parse(read('package.json'));
    const local = Object.keys(dependencies).filter((name) => dependencies[name].startsWith('file:'));
    assert.deepEqual([...bundleDependencies].sort(), local.sort());
    assert.equal(overrides, undefined);
    for (const name of Object.keys(npm)) assert.ok(local.includes(name), name);
  });
});

describe('package.json', () => {
  it('names a file with types for every entry, also for older resolvers', () => {
    const { exports, typesVersions } = JSON.parse(read('package.json'));
    for (const [entry, target] of Object.entries(exports)) {
      if (entry === './package.json') continue;
      for (const file of [target.types, target.default]) {
        assert.ok(fs.existsSync(path.join(packageRoot, file)), file);
        const source = file.replace('dist/', '').replace(/(\.d\.ts|\.js)$/, '.ts');
        assert.ok(fs.existsSync(path.join(packageRoot, source)), source);
      }
      if (entry !== '.')
        assert.deepEqual(typesVersions['*'][entry.slice(2)], [target.types.slice(2)], 'the same types for node10');
    }
  });

  it('asks for the Node that the set-up asks for', () => {
    const { engines } = JSON.parse(read('package.json'));
    const [, major, minor] = /const NODE = \[(\d+), (\d+)\]/.exec(read('setup/main.mjs'));
    assert.equal(engines.node, `>=${major}.${minor}`);
    assert.equal(JSON.parse(read('setup/pins.json')).node, `${major}.${minor}`);
  });

  it('runs nothing but Node before the set-up', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const name of ['start', 'test', 'setup', 'bench', 'build'])
      assert.ok(scripts[name].startsWith('node setup/main.mjs'), name);
  });
});
