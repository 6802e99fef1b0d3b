// Step: TensorFlow.js for Node and danfo.js, as published, without the install script of the one and the dependencies
// of the other. shims/NAME/package.json says what replaces them; this step copies the published files beside it.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { removeAbandoned } from '../lock.mjs';
import { findNpm } from '../machine.mjs';
import { Problem } from '../problem.mjs';
import { filesOf, holds, isStamped, readStamp, stamp } from '../stamp.mjs';

/** The folder of a package in shims/, and the files and folders that it takes from the published one. */
function shimOf(name, { root }) {
  const folder = path.join(root, 'shims', path.basename(name));
  const { files } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { folder, files };
}

const isWhole = (name, pin, places) => {
  const { folder, files } = shimOf(name, places);
  return isStamped(folder, { ...pin, files }) && holds(folder, readStamp(folder).files);
};

export default {
  name: 'shims',
  title: 'adapted packages',
  what: 'copies danfo.js and TensorFlow.js for Node from the npm registry, without their install scripts',
  seconds: 4,
  writesTo: 'package',
  bytes: () => 10e6,

  done({ places, pins }) {
    return Object.entries(pins.npm).every(([name, pin]) => isWhole(name, pin, places))
      ? `${Object.keys(pins.npm).join(' and ')} are in shims`
      : null;
  },

  async run(context) {
    const { places, pins, force } = context;
    for (const [name, pin] of Object.entries(pins.npm))
      if (force || !isWhole(name, pin, places)) await take(name, pin, context);
    return Object.entries(pins.npm)
      .map(([name, { version }]) => `${name} ${version}`)
      .join(', ');
  },
};

/** Downloads the package with npm, verifies it against the pin, and extracts the files that the shim lists. */
async function take(name, pin, { places, env, signal, progress }) {
  const { folder, files } = shimOf(name, places);
  const partial = path.join(places.cache, `npm.partial-${process.pid}`);
  removeAbandoned(places.cache);
  fs.rmSync(partial, { recursive: true, force: true });
  fs.mkdirSync(path.join(partial, 'package'), { recursive: true });
  try {
    progress({ detail: `downloads ${name} ${pin.version}` });
    const npm = findNpm(env);
    const what = `npm could not download ${name} ${pin.version}`;
    await run(
      npm.program,
      [...npm.args, 'pack', `${name}@${pin.version}`, '--ignore-scripts', '--pack-destination', partial],
      { what, cwd: places.root, env, signal, log: places.log },
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
  throw new Problem(`${name} ${version} from the npm registry has the hash ${found}; expected ${integrity}.`, {
    fix: 'The file is damaged or was replaced. Try again. If this repeats, ask the operator of the registry, and do not use the file.',
  });
}
