// Finds out about the machine: its platform, GPU, Python, compiler and npm. Changes nothing.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { SetupError } from '../setup-error.mjs';

/** `linux-x64`, `darwin-arm64`: Node's names. */
export const platformName = (platform = process.platform, arch = process.arch) => `${platform}-${arch}`;

/**
 * The device of the library to download: `$RIFLE_DEVICE` when set, otherwise `gpu` where an NVIDIA driver is loaded.
 * @param {NodeJS.ProcessEnv} env
 * @param {(file: string) => boolean} exists
 * @returns {'cpu' | 'gpu'}
 */
export function device(env, exists = fs.existsSync) {
  const asked = (env.RIFLE_DEVICE ?? '').toLowerCase();
  if (asked === 'cpu' || asked === 'gpu') return asked;
  if (asked !== '' && asked !== 'auto') {
    throw new SetupError(`RIFLE_DEVICE is "${env.RIFLE_DEVICE}", but it can only be cpu, gpu or auto.`, {
      fix: 'Set it to one of them, or unset it.',
    });
  }
  return ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/dev/nvidia0'].some((file) => exists(file)) ? 'gpu' : 'cpu';
}

/** Whether version `found` ("3.11.7") is at least `least` ("3.9"), number by number. */
export function atLeast(found, least) {
  const [a, b] = [found, least].map((version) => version.split('.').map(Number));
  for (let i = 0; i < b.length; i++) if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  return true;
}

/** The output of a program; null when it is missing, fails, or takes more than 20 s. */
export function ask(program, args, env) {
  try {
    return execFileSync(program, args, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    }).trim();
  } catch {
    return null;
  }
}

const PYTHONS = [
  'python3',
  'python3.13',
  'python3.12',
  'python3.11',
  'python3.14',
  'python3.10',
  'python3.9',
  'python',
];

/**
 * The first Python that is new enough and can make an environment: `$RIFLE_PYTHON`, otherwise the first of PYTHONS on
 * the PATH.
 * @returns {{program: string, version: string}}
 */
export function findPython(env, least, askOf = ask) {
  const seen = [];
  for (const program of env.RIFLE_PYTHON ? [env.RIFLE_PYTHON] : PYTHONS) {
    const version = askOf(program, ['-I', '-c', 'import platform; print(platform.python_version())'], env);
    if (version === null) continue;
    if (!atLeast(version, least)) seen.push(`${program} is ${version}`);
    else if (askOf(program, ['-I', '-c', 'import venv, ensurepip'], env) === null)
      seen.push(`${program} (${version}) lacks the module venv or ensurepip`);
    else return { program, version };
  }
  const found =
    seen.length > 0
      ? `found: ${seen.join('; ')}`
      : env.RIFLE_PYTHON
        ? `${env.RIFLE_PYTHON} (RIFLE_PYTHON) does not run`
        : 'none was found';
  throw new SetupError(`Python ${least} or newer with its module venv is needed; ${found}.`, {
    fix: 'Debian and Ubuntu: `apt-get install python3 python3-venv`. macOS: `brew install python`. Or set RIFLE_PYTHON to a suitable one.',
  });
}

/** The C++ compiler, the first line of its `--version`, and that of make. Throws when one is missing. */
export function findCompiler(env, askOf = ask) {
  const fix = 'Debian and Ubuntu: `apt-get install build-essential`. macOS: `xcode-select --install`.';
  const names = [env.CXX, 'g++', 'c++', 'clang++'].filter(Boolean);
  const [program, compiler] =
    names.map((name) => [name, askOf(name, ['--version'], env)]).find(([, text]) => text !== null) ?? [];
  if (program === undefined)
    throw new SetupError(`A C++ compiler is needed to build the TensorFlow addon; none of ${names.join(', ')} runs.`, {
      fix,
    });
  const make = [env.MAKE, 'make', 'gmake']
    .filter(Boolean)
    .map((name) => askOf(name, ['--version'], env))
    .find((text) => text !== null);
  if (make === undefined)
    throw new SetupError('make is needed to build the TensorFlow addon, and it does not run.', { fix });
  return { program, compiler: compiler.split('\n')[0], make: make.split('\n')[0] };
}

/**
 * The prefix of Node's C headers (`include/node`): `$npm_config_nodedir`, the folder of this Node, or /usr.
 * Without it node-gyp would download them from a web site, which a closed network does not reach.
 */
export function findHeaders(env, node = fs.realpathSync(process.execPath), exists = fs.existsSync) {
  if (env.npm_config_nodedir) return env.npm_config_nodedir;
  const tried = [path.dirname(path.dirname(node)), '/usr'];
  const found = tried.find((prefix) =>
    ['node_api.h', 'common.gypi'].every((file) => exists(path.join(prefix, 'include', 'node', file))),
  );
  if (found !== undefined) return found;
  throw new SetupError(
    `Node's C headers (include/node/node_api.h and common.gypi) are needed to build the TensorFlow addon; they are not in ${tried.join(' nor in ')}.`,
    {
      fix: "Install a Node with its headers (Node's own archives, NodeSource, nvm and Homebrew do; Debian: `apt-get install libnode-dev`), or set npm_config_nodedir to their prefix.",
    },
  );
}

/** The npm to run: the one that started this process, otherwise the one on the PATH. */
export function findNpm(env) {
  if (env.npm_execpath?.endsWith('npm-cli.js') && fs.existsSync(env.npm_execpath))
    return { program: process.execPath, args: [env.npm_execpath], cli: env.npm_execpath };
  for (const folder of (env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute)) {
    const npm = path.join(folder, 'npm');
    if (fs.existsSync(npm)) return { program: npm, args: [], cli: fs.realpathSync(npm) };
  }
  throw new SetupError('npm is needed to install the packages, and it is not on the PATH.', {
    fix: 'Install Node with its npm.',
  });
}
