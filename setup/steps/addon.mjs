// Step: the native addon of @tensorflow/tfjs-node-gpu, compiled unmodified against the library, and a small second one
// that loads the library without its log lines. Both are loaded once as a proof.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { run } from '../child.mjs';
import { findCompiler, findHeaders, findNpm } from '../machine.mjs';
import { hashOf, isStamped, readStamp, stamp } from '../stamp.mjs';
import { libraryInputs } from './library.mjs';

const SETUP = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const LOAD = path.join(SETUP, 'load-addon.cjs');
const QUIET = path.join(SETUP, 'quiet.cc');

/** Whether the second addon is built: it is written for Linux. */
const hasQuiet = ({ platform }) => platform.startsWith('linux');

/** What the compiled files depend on. The libraries for CPU and GPU offer the same names: one build serves both. */
export function compiledFrom({ places, pins, platform }) {
  const { version } = JSON.parse(fs.readFileSync(path.join(places.addonPackage, 'package.json'), 'utf8'));
  return {
    package: version,
    tensorflow: pins.tensorflow.version,
    platform,
    quiet: hasQuiet({ platform }) ? hashOf(fs.readFileSync(QUIET, 'utf8')) : null,
  };
}

/** Whether the files are there, made from these inputs, and unchanged: they are small enough to be hashed each time. */
function isCompiled(context) {
  const folder = path.dirname(context.places.addon);
  return isStamped(folder, compiledFrom(context)) && readStamp(folder).content === contentOf(context);
}

/** What is noted of the files once they have been loaded with the library that is in place. */
export const loaded = (context) => ({
  content: contentOf(context),
  loadedWith: hashOf(libraryInputs(context)),
});

/** The hash of the compiled files; null for one that is missing. */
function contentOf(context) {
  const { addon, quiet } = context.places;
  const files = hasQuiet(context) ? [addon, quiet] : [addon];
  return hashOf(files.map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'base64') : null)));
}

export default {
  name: 'addon',
  title: 'TensorFlow addon',
  what: 'compiles the binding between Node and the library',
  seconds: 20,
  writesTo: 'package',
  bytes: () => 20e6,

  done(context) {
    const { places } = context;
    if (!fs.existsSync(places.addon)) return null;
    return isCompiled(context) && readStamp(path.dirname(places.addon)).loadedWith === hashOf(libraryInputs(context))
      ? `${path.relative(places.root, places.addon)} is built`
      : null;
  },

  async run(context) {
    const { places } = context;
    const folder = path.dirname(places.addon);
    try {
      if (!fs.existsSync(places.addon) || !isCompiled(context) || context.force) {
        await compile(context);
        if (hasQuiet(context)) await compileQuiet(context);
      }
      context.progress({ detail: 'loads it' });
      const answer = await load(context);
      stamp(folder, compiledFrom(context), loaded(context));
      return answer;
    } catch (error) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  },
};

/** Runs the package's own build, against the headers of this Node and the library in `deps`. */
async function compile({ places, env, signal, progress, platform }) {
  fs.rmSync(path.dirname(places.addon), { recursive: true, force: true });
  const tool = createRequire(path.join(places.addonPackage, 'package.json')).resolve(
    '@mapbox/node-pre-gyp/bin/node-pre-gyp',
  );
  const gyp = path.join(path.dirname(findNpm(env).cli), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const build = {
    ...env,
    JOBS: env.JOBS ?? 'max',
    npm_config_nodedir: findHeaders(env),
    npm_config_python: places.python,
    ...(fs.existsSync(gyp) ? { npm_config_node_gyp: gyp } : {}),
    // The wheel's library names itself @rpath/...; on Linux binding.gyp already says where that is.
    ...(platform.startsWith('darwin')
      ? { LDFLAGS: `${env.LDFLAGS ?? ''} -Wl,-rpath,@loader_path/../../deps/lib`.trim() }
      : {}),
  };
  try {
    await run(process.execPath, [tool, 'install', '--build-from-source'], {
      what: 'The TensorFlow addon could not be compiled',
      cwd: places.addonPackage,
      env: build,
      signal,
      log: places.log,
      onLine: (line) => {
        const [, made] = /^\s*(?:CXX|SOLINK_MODULE|COPY)\S*\s+(\S+)/.exec(line) ?? [];
        if (made !== undefined) progress({ detail: `makes ${path.basename(made)}` });
      },
    });
  } finally {
    for (const folder of ['build', 'build-tmp-napi-v8'])
      fs.rmSync(path.join(places.addonPackage, folder), { recursive: true, force: true });
  }
}

/** Compiles the second addon with one call of the compiler. */
async function compileQuiet({ places, env, signal }) {
  await run(
    findCompiler(env).program,
    [
      '-shared',
      '-fPIC',
      '-O1',
      '-I',
      path.join(findHeaders(env), 'include', 'node'),
      '-o',
      places.quiet,
      QUIET,
      '-ldl',
    ],
    {
      what: 'The addon that loads the library quietly could not be compiled',
      cwd: places.addonPackage,
      env,
      signal,
      log: places.log,
    },
  );
}

/** Loads the addons in a process of its own: a library that does not fit would take this one down. */
async function load(context) {
  const { places, pins, env, signal } = context;
  const framework = path.join(places.deps, 'lib', 'libtensorflow_framework.so.2');
  const quiet = hasQuiet(context) ? [places.quiet, framework] : [];
  const printed = await run(process.execPath, [LOAD, pins.tensorflow.version, places.addon, ...quiet], {
    what: 'The TensorFlow addon was compiled, but does not load',
    env: { ...env, TF_CPP_MIN_LOG_LEVEL: '2' },
    signal,
    log: places.log,
    fixFor: (output) =>
      /GLIBC|GLIBCXX|CXXABI/.test(output)
        ? `The library in ${fs.realpathSync(places.deps)} needs glibc 2.27 or newer and a libstdc++ with GLIBCXX_3.4.22 (gcc 6), which this system lacks: use a newer system.`
        : undefined,
  });
  return printed.trim();
}
