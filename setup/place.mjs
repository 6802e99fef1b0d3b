// Where everything is: the package, the kit's home, and what the set-up makes in them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const packageRoot = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * The folders of a set-up of the package at `root`, which is a clone of the kit or, in a study, one of its packages.
 * The home is
 * `$RIFLE_HOME` (a relative one from the working folder), by default, also when it is empty, `.rifle` in the clone or
 * in the study: the same
 * rule as in src/base/home.ts.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export function places(root, env) {
  const above = path.dirname(root);
  const installed = path.basename(above) === 'node_modules';
  const home = path.resolve(env.RIFLE_HOME || path.join(installed ? path.dirname(above) : root, '.rifle'));
  const modules = installed ? above : path.join(root, 'node_modules');
  // In a clone node_modules links to this folder; the published package brings it along.
  const addonPackage = installed
    ? path.join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu')
    : path.join(root, 'shims', 'tfjs-node-gpu');
  const venv = path.join(home, 'venv');
  return {
    root,
    /** Whether npm has installed it: then its packages are there, and it is compiled. */
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
    /** Where the addon's build looks for the library: a link to a folder in `libraries`. */
    deps: path.join(addonPackage, 'deps'),
    libraries: path.join(home, 'tensorflow'),
    cache: path.join(home, 'cache'),
    dist: path.join(root, 'dist'),
    commandLine: path.join(root, 'dist', 'src', 'cli', 'main.js'),
    /** What the programs of the last set-up printed. */
    log: path.join(home, 'setup.log'),
  };
}
