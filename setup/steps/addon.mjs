// Step: compiles the addon of @tensorflow/tfjs-node-gpu, unmodified, against the library, and a small second addon that
// loads the library without its log lines. Both are loaded once as a check.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { run } from '../system/program.mjs';
import { findCompiler, findHeaders, findNpm } from '../system/machine.mjs';
import { hashOf, isStamped, readStamp, stamp } from '../system/stamp.mjs';
import { libraryInputs } from './library.mjs';

const NATIVE = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'native');
const LOAD = path.join(NATIVE, 'load-addon.cjs');
const QUIET = path.join(NATIVE, 'quiet.cc');

/** Whether the second addon is built. It is for Linux only. */
const hasQuiet = ({ platform }) => platform.startsWith('linux');

/** The inputs of the compiled files. The libraries for CPU and GPU have the same symbols: one build works with both. */
export function compiledFrom({ paths, pins, platform }) {
  const { version } = JSON.parse(fs.readFileSync(path.join(paths.addonPackage, 'package.json'), 'utf8'));
  return {
    package: version,
    tensorflow: pins.tensorflow.version,
    platform,
    quiet: hasQuiet({ platform }) ? hashOf(fs.readFileSync(QUIET, 'utf8')) : null,
  };
}

/** Whether the files exist, were made from these inputs and are unchanged. They are small and hashed each time. */
function isCompiled(context) {
  const folder = path.dirname(context.paths.addon);
  return isStamped(folder, compiledFrom(context)) && readStamp(folder).content === contentOf(context);
}

/** The facts of the stamp: the files, and the library with which they were loaded. */
export const loaded = (context) => ({
  content: contentOf(context),
  loadedWith: hashOf(libraryInputs(context)),
});

/** The hash of the compiled files, with null for a missing file. */
function contentOf(context) {
  const { addon, quiet } = context.paths;
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
    const { paths } = context;
    if (!fs.existsSync(paths.addon)) return null;
    return isCompiled(context) && readStamp(path.dirname(paths.addon)).loadedWith === hashOf(libraryInputs(context))
      ? `${path.relative(paths.root, paths.addon)} is built`
      : null;
  },

  async run(context) {
    const { paths } = context;
    const folder = path.dirname(paths.addon);
    try {
      if (!fs.existsSync(paths.addon) || !isCompiled(context) || context.force) {
        await compile(context);
        if (hasQuiet(context)) await compileQuiet(context);
      }
      context.progress({ detail: 'loads it' });
      const version = await load(context);
      stamp(folder, compiledFrom(context), loaded(context));
      return version;
    } catch (error) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  },
};

/** Runs the package's own build, against the headers of this Node and the library in `deps`. */
async function compile({ paths, env, signal, progress, platform }) {
  fs.rmSync(path.dirname(paths.addon), { recursive: true, force: true });
  const tool = createRequire(path.join(paths.addonPackage, 'package.json')).resolve(
    '@mapbox/node-pre-gyp/bin/node-pre-gyp',
  );
  const gyp = path.join(path.dirname(findNpm(env).cli), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const build = {
    ...env,
    JOBS: env.JOBS ?? 'max',
    npm_config_nodedir: findHeaders(env),
    npm_config_python: paths.python,
    ...(fs.existsSync(gyp) ? { npm_config_node_gyp: gyp } : {}),
    // The library in the wheel has a name with @rpath. On Linux binding.gyp sets that path; on macOS this does.
    ...(platform.startsWith('darwin')
      ? { LDFLAGS: `${env.LDFLAGS ?? ''} -Wl,-rpath,@loader_path/../../deps/lib`.trim() }
      : {}),
  };
  try {
    await run(process.execPath, [tool, 'install', '--build-from-source'], {
      what: 'The TensorFlow addon could not be compiled',
      cwd: paths.addonPackage,
      env: build,
      signal,
      log: paths.log,
      onLine: (line) => {
        const [, made] = /^\s*(?:CXX|SOLINK_MODULE|COPY)\S*\s+(\S+)/.exec(line) ?? [];
        if (made !== undefined) progress({ detail: `compiles ${path.basename(made)}` });
      },
    });
  } finally {
    for (const folder of ['build', 'build-tmp-napi-v8'])
      fs.rmSync(path.join(paths.addonPackage, folder), { recursive: true, force: true });
  }
}

/** Compiles the second addon with one call of the compiler. */
async function compileQuiet({ paths, env, signal }) {
  await run(
    findCompiler(env).program,
    ['-shared', '-fPIC', '-O1', '-I', path.join(findHeaders(env), 'include', 'node'), '-o', paths.quiet, QUIET, '-ldl'],
    {
      what: 'The addon that loads the library quietly could not be compiled',
      cwd: paths.addonPackage,
      env,
      signal,
      log: paths.log,
    },
  );
}

/** Loads the addons in another process: an unsuitable library would end this one. */
async function load(context) {
  const { paths, pins, env, signal } = context;
  const framework = path.join(paths.deps, 'lib', 'libtensorflow_framework.so.2');
  const quiet = hasQuiet(context) ? [paths.quiet, framework] : [];
  const printed = await run(process.execPath, [LOAD, pins.tensorflow.version, paths.addon, ...quiet], {
    what: 'The TensorFlow addon was compiled but cannot be loaded',
    env: { ...env, TF_CPP_MIN_LOG_LEVEL: '2' },
    signal,
    log: paths.log,
    fixFor: (output) =>
      /GLIBC|GLIBCXX|CXXABI/.test(output)
        ? `The library in ${fs.realpathSync(paths.deps)} needs glibc 2.27 or newer and a libstdc++ with GLIBCXX_3.4.22 (gcc 6), which this system lacks: use a newer system.`
        : undefined,
  });
  return printed.trim();
}
