// The paths of the package, of the kit's home, and of the files that the set-up makes in them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * The paths of the package at `root`, which is a clone of the kit or an installed package. The home is `$RIFLE_HOME`
 * (relative to the working folder); when it is not set or empty, `.rifle` in the clone or in the project that has the
 * package. src/base/home.ts has the same rule.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function pathsOf(root, env) {
  const above = path.dirname(root);
  const installed = path.basename(above) === 'node_modules';
  const home = path.resolve(env.RIFLE_HOME || path.join(installed ? path.dirname(above) : root, '.rifle'));
  const modules = installed ? above : path.join(root, 'node_modules');
  // In a clone, node_modules links to the folder in shims. The published package contains it.
  const addonPackage = installed
    ? path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
    : path.join(root, 'shims', 'tfjs-node-gpu');
  const venv = path.join(home, 'venv');
  return {
    root,
    /** Whether npm has installed the package. Then its dependencies are installed, and it is compiled. */
    installed,
    home,
    modules,
    venv,
    python: path.join(venv, 'bin', 'python'),
    /** The optional environment with Ray. */
    ray: path.join(home, 'ray'),
    addonPackage,
    addon: path.join(addonPackage, 'lib', 'napi-v8', 'tfjs_binding.node'),
    /** The second addon, which sets the log level of the library. */
    quiet: path.join(addonPackage, 'lib', 'napi-v8', 'rifle_quiet.node'),
    /** The library for the build of the addon: a link to a folder in `libraries`. */
    deps: path.join(addonPackage, 'deps'),
    libraries: path.join(home, 'tensorflow'),
    cache: path.join(home, 'cache'),
    dist: path.join(root, 'dist'),
    commandLine: path.join(root, 'dist', 'src', 'cli', 'main.js'),
    /** The output of the programs of the last set-up. */
    log: path.join(home, 'setup.log'),
  };
}
