// Step: the TensorFlow library, taken out of its Python wheel, where the addon's build and the addon look for it.
import fs from 'node:fs';
import path from 'node:path';
import { needSpace, size } from '../disk.mjs';
import { loadKit } from '../kit.mjs';
import { removeAbandoned } from '../lock.mjs';
import { Problem } from '../problem.mjs';
import { filesOf, hashOf, holds, isStamped, linkTo, readStamp, stamp } from '../stamp.mjs';

/**
 * What is taken of a wheel: TensorFlow's two libraries, its C headers and its licences, and NVIDIA's libraries and
 * tools.
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

/** The names that the addon is linked with, and the files that they stand for. */
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
  throw new Problem(`No TensorFlow library is pinned for ${name}; there are ${Object.keys(libraries).join(', ')}.`, {
    fix: onCpu
      ? 'Set RIFLE_DEVICE=cpu, then run `npm run setup` again.'
      : 'Use one of these platforms (on Windows: WSL).',
  });
}

/** What a library folder is made from: its stamp's inputs, and the addon's. */
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
    const { deps } = context.places;
    // Through a link or in place, and in whichever home it lies: what counts is that the addon finds the pinned one.
    return fs.existsSync(deps) && isWhole(deps, context)
      ? `TensorFlow ${context.pins.tensorflow.version} (${context.device}) is in place`
      : null;
  },

  async run(context) {
    const { places, pins, device } = context;
    const library = pinnedLibrary(context);
    const { version } = pins.tensorflow;
    const folder = path.join(
      places.libraries,
      `${version}-${library.name}-${hashOf(libraryInputs(context)).slice(0, 8)}`,
    );
    const there = isWhole(folder, context) && !context.force;
    if (!there) {
      needSpace(
        places.home,
        this.bytes(context),
        `the TensorFlow library (${size(library.unpackedBytes)}) and its wheel`,
      );
      await make(folder, library, context);
    }
    // Relative where it can be, so that the whole folder of the kit can be moved.
    const inside = !path.relative(places.root, folder).startsWith('..');
    linkTo(places.deps, inside ? path.relative(path.dirname(places.deps), folder) : folder);
    if (there) return `TensorFlow ${version} (${device}) was unpacked before; linked again`;
    return `TensorFlow ${version} for ${library.name}${library.tested ? '' : ' (pinned, but not tested by us)'} in ${folder}`;
  },
};

/** Downloads and extracts the library's wheels, one after the other, into `folder`: all of them or nothing. */
async function make(folder, { name, wheels, tested }, context) {
  const { places, signal } = context;
  removeAbandoned(places.libraries);
  const partial = `${folder}.partial-${process.pid}`;
  const { fetchPackage } = await loadKit(places, 'data/fetch/registry-package.js');
  const { extract } = await loadKit(places, 'data/fetch/archive.js');
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
      const isKept = fs.existsSync(path.join(places.cache, file));
      const source = { package: { registry: 'pypi', name: wheel, version }, file, bytes, sha256 };
      const archive = await fetchPackage(source, show('downloads', 0, 0.75));
      try {
        const extracted = path.join(partial, file);
        await extract(archive, extracted, {
          filter: (member) => targetOf(member) !== null,
          ...show('extracts', 0.75, 1),
        });
        place(extracted, partial);
      } finally {
        if (!isKept) fs.rmSync(archive, { force: true });
      }
      before += bytes;
    }
    for (const [link, target] of Object.entries(LINKS[context.platform.split('-')[0]])) {
      if (!fs.existsSync(path.join(partial, 'lib', target))) {
        throw new Problem(`The wheel ${wheels[0].file} does not hold ${target}.`, {
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

/** Moves the files extracted from a wheel to their places in `folder`; NVIDIA's tools may be run. */
function place(extracted, folder) {
  for (const member of Object.keys(filesOf(extracted))) {
    const target = path.join(folder, targetOf(member));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.renameSync(path.join(extracted, member), target);
    if (target.split(path.sep).includes('bin')) fs.chmodSync(target, 0o755);
  }
  fs.rmSync(extracted, { recursive: true });
}
