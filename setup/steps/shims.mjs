// Step: copies the published files of TensorFlow.js for Node and danfo.js into shims/NAME. Its package.json leaves out
// the install script of the one and replaces the dependencies of the other.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../system/program.mjs';
import { removeAbandoned } from '../system/lock.mjs';
import { findNpm } from '../system/machine.mjs';
import { SetupError } from '../setup-error.mjs';
import { filesOf, holds, isStamped, readStamp, stamp } from '../system/stamp.mjs';

/** The folder of a package in shims/, and the files and folders that are copied from the published package. */
function shimOf(name, { root }) {
  const folder = path.join(root, 'shims', path.basename(name));
  const { files } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { folder, files };
}

const isWhole = (name, pin, paths) => {
  const { folder, files } = shimOf(name, paths);
  return isStamped(folder, { ...pin, files }) && holds(folder, readStamp(folder).files);
};

export default {
  name: 'shims',
  title: 'adapted packages',
  what: 'copies danfo.js and TensorFlow.js for Node from the npm registry, without their install scripts',
  seconds: 4,
  writesTo: 'package',
  bytes: () => 10e6,

  done({ paths, pins }) {
    return Object.entries(pins.npm).every(([name, pin]) => isWhole(name, pin, paths))
      ? `${Object.keys(pins.npm).join(' and ')} are in shims`
      : null;
  },

  async run(context) {
    const { paths, pins, force } = context;
    for (const [name, pin] of Object.entries(pins.npm))
      if (force || !isWhole(name, pin, paths)) await copyPublished(name, pin, context);
    return Object.entries(pins.npm)
      .map(([name, { version }]) => `${name} ${version}`)
      .join(', ');
  },
};

/** Downloads the package with npm, verifies it against the pin, and extracts the files that the shim lists. */
async function copyPublished(name, pin, { paths, env, signal, progress }) {
  const { folder, files } = shimOf(name, paths);
  const partial = path.join(paths.cache, `npm.partial-${process.pid}`);
  removeAbandoned(paths.cache);
  fs.rmSync(partial, { recursive: true, force: true });
  fs.mkdirSync(path.join(partial, 'package'), { recursive: true });
  try {
    progress({ detail: `downloads ${name} ${pin.version}` });
    const npm = findNpm(env);
    const what = `npm could not download ${name} ${pin.version}`;
    await run(
      npm.program,
      [...npm.args, 'pack', `${name}@${pin.version}`, '--ignore-scripts', '--pack-destination', partial],
      { what, cwd: paths.root, env, signal, log: paths.log },
    );
    const tarball = path.join(partial, fs.readdirSync(partial).find((file) => file.endsWith('.tgz')) ?? '');
    verify(tarball, name, pin);
    const { x } = await import('tar'); // here, not above: only the packages step before this one installs it
    await x({ file: tarball, cwd: path.join(partial, 'package'), strip: 1 });
    for (const file of files) {
      fs.rmSync(path.join(folder, file), { recursive: true, force: true });
      fs.cpSync(path.join(partial, 'package', file), path.join(folder, file), { recursive: true });
    }
    const inside = ([file]) => files.some((listed) => file === listed || file.startsWith(`${listed}${path.sep}`));
    stamp(folder, { ...pin, files }, { files: Object.fromEntries(Object.entries(filesOf(folder)).filter(inside)) });
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
}

/** Throws when the file does not have the hash of the pin. */
function verify(file, name, { version, integrity }) {
  const found = `sha512-${crypto.createHash('sha512').update(fs.readFileSync(file)).digest('base64')}`;
  if (found === integrity) return;
  throw new SetupError(`${name} ${version} from the npm registry has the hash ${found}; expected ${integrity}.`, {
    fix: 'The file is damaged or was replaced. Try again. If this repeats, ask the operator of the registry, and do not use the file.',
  });
}
