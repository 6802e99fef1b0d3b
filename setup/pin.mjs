// For maintainers: writes setup/pins.json, requirements.txt and requirements-ray.txt from the current package index.
//   node setup/pin.mjs [path of uv]     (install it with `pip install uv`; the kit itself does not use it)
// uv reads names, sizes and hashes from the index and downloads no packages.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from './system/paths.mjs';

const TENSORFLOW = '2.21.0';
/** The wheel is only a container of a library: the wheel for one Python serves all. */
const PYTHON = 'cp311';
/** Oldest supported Python of the environment. */
const OLDEST_PYTHON = '3.9';

/**
 * Bytes of the extracted libraries, measured on linux-x64 (0.85e9 and 5.7e9) and rounded up, for the check of free
 * space.
 */
const UNPACKED = { cpu: 0.9e9, gpu: 6e9 };

/** Packages that the set-up adapts (setup/steps/shims.mjs); their versions are those of shims/NAME/package.json. */
const ADAPTED = ['@tensorflow/tfjs-node-gpu', 'danfojs-node'];

const uv = process.argv[2] ?? 'uv';
const call = (args, cwd) => execFileSync(uv, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** All wheels of a uv.lock: {name, version, file, bytes, sha256}. */
function readLock(text) {
  const wheels = [];
  for (const entry of text.split('[[package]]').slice(1)) {
    const [, name] = /^name = "(.+)"$/m.exec(entry);
    const [, version] = /^version = "(.+)"$/m.exec(entry);
    for (const [, url, sha256, bytes] of entry.matchAll(
      /\{ url = "([^"]+)", hash = "sha256:([0-9a-f]{64})", size = (\d+)/g,
    )) {
      const file = decodeURIComponent(url.split('/').pop());
      if (file.endsWith('.whl')) wheels.push({ name, version, file, bytes: Number(bytes), sha256 });
    }
  }
  return wheels;
}

function pinLibraries() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-pin-'));
  try {
    const wanted = [`tensorflow-cpu==${TENSORFLOW}`, `tensorflow[and-cuda]==${TENSORFLOW}`];
    fs.writeFileSync(
      path.join(folder, 'pyproject.toml'),
      `[project]\nname = "pins"\nversion = "0"\nrequires-python = "==3.11.*"\ndependencies = ${JSON.stringify(wanted)}\n`,
    );
    call(['lock', '--quiet'], folder);
    const all = readLock(fs.readFileSync(path.join(folder, 'uv.lock'), 'utf8'));
    const tensorflow = (name, platform) =>
      all.filter((w) => w.name === name && w.file.includes(`-${PYTHON}-`) && w.file.endsWith(`${platform}.whl`));
    const nvidia = all.filter((w) => w.name.startsWith('nvidia-') && w.file.endsWith('x86_64.whl'));
    return {
      'linux-x64-cpu': {
        tested: true,
        unpackedBytes: UNPACKED.cpu,
        wheels: tensorflow('tensorflow-cpu', 'manylinux_2_27_x86_64'),
      },
      'linux-x64-gpu': {
        tested: false,
        unpackedBytes: UNPACKED.gpu,
        wheels: [...tensorflow('tensorflow', 'manylinux_2_27_x86_64'), ...nvidia],
      },
      'linux-arm64-cpu': {
        tested: false,
        unpackedBytes: UNPACKED.cpu,
        wheels: tensorflow('tensorflow', 'manylinux_2_27_aarch64'),
      },
      'darwin-arm64-cpu': { tested: false, unpackedBytes: UNPACKED.cpu, wheels: tensorflow('tensorflow', 'arm64') },
    };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Version and hash of each adapted package, from the npm registry. */
function pinAdapted() {
  return Object.fromEntries(
    ADAPTED.map((name) => {
      const shim = path.join(packageRoot, 'shims', path.basename(name), 'package.json');
      const { version } = JSON.parse(fs.readFileSync(shim, 'utf8'));
      const integrity = execFileSync('npm', ['view', `${name}@${version}`, 'dist.integrity'], { encoding: 'utf8' });
      return [name, { version, integrity: integrity.trim() }];
    }),
  );
}

const libraries = pinLibraries();
for (const [name, { wheels }] of Object.entries(libraries))
  if (wheels.length === 0) throw new Error(`The index has no wheel for ${name}.`);
const pins = {
  node: '20.19',
  python: OLDEST_PYTHON,
  npm: pinAdapted(),
  tensorflow: { version: TENSORFLOW, libraries },
};
fs.writeFileSync(path.join(packageRoot, 'setup', 'pins.json'), JSON.stringify(pins, null, 2) + '\n');

/** Resolves `name`.in into `name`.txt. @returns how many packages that are. */
function pinPackages(name, oldest, prerelease) {
  const head = `# Made by \`node setup/pin.mjs\` from ${name}.in: one resolution for every Python and platform, with the hashes of all files. Do not edit.\n`;
  const body = call(
    // prettier-ignore
    ['pip', 'compile', '--quiet', '--universal', '--python-version', oldest, '--prerelease', prerelease, '--only-binary', ':all:',
     '--generate-hashes', '--no-emit-index-url', '--no-emit-find-links', '--no-header', '--no-annotate', `${name}.in`],
    packageRoot,
  );
  fs.writeFileSync(path.join(packageRoot, `${name}.txt`), head + body);
  return body.match(/^\S+==/gm).length;
}

const counts = {
  'requirements.txt': pinPackages('requirements', OLDEST_PYTHON, 'disallow'),
  // opentelemetry-exporter-prometheus has only pre-releases
  'requirements-ray.txt': pinPackages('requirements-ray', '3.10', 'if-necessary'),
};
console.log(
  `setup/pins.json: ${Object.values(libraries).flatMap((l) => l.wheels).length} wheels; ${Object.entries(counts)
    .map(([file, count]) => `${file}: ${count} packages`)
    .join('; ')}`,
);
