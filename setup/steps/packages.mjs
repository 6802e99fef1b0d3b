// Step: installs the npm packages of package-lock.json without their install scripts, some of which download files.
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../system/program.mjs';
import { findNpm } from '../system/machine.mjs';
import { SetupError } from '../setup-error.mjs';

export default {
  name: 'packages',
  title: 'npm packages',
  what: 'npm ci --ignore-scripts',
  seconds: 35,
  writesTo: 'package',
  bytes: () => 0.7e9,

  done({ paths }) {
    const missing = missingPackages(paths.root);
    return missing.length === 0 ? 'node_modules matches package-lock.json' : null;
  },

  async run(context) {
    const { paths, env, signal } = context;
    const npm = findNpm(env);
    const before = missingPackages(paths.root);
    // With devDependencies, whatever NODE_ENV is: the kit is compiled here.
    await run(
      npm.program,
      [...npm.args, 'ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        what: 'npm could not install the packages of package-lock.json',
        cwd: paths.root,
        env,
        signal,
        log: paths.log,
        fixFor: (output) =>
          /package\.json and package-lock\.json.*(in sync|not in sync)/.test(output)
            ? 'package.json and package-lock.json disagree: run `npm install --ignore-scripts` and check its changes.'
            : undefined,
      },
    );
    const after = missingPackages(paths.root);
    if (after.length > 0) {
      throw new SetupError(
        `npm ci succeeded, but ${after.length} packages do not match package-lock.json: ${after.slice(0, 5).join(', ')}.`,
        {
          fix: 'Delete node_modules and run `npm run setup` again.',
        },
      );
    }
    return before.length > 0
      ? `${Object.keys(readPackages(path.join(paths.root, 'package-lock.json'))).length} packages in node_modules`
      : 'installed again';
  },
};

/**
 * The packages of package-lock.json that node_modules lacks or has in another version, by npm's own record of its
 * installation. Packages for other platforms may be absent. A package without a folder is missing.
 * @param {string} root
 */
export function missingPackages(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const installed = readPackages(path.join(root, 'node_modules', '.package-lock.json')) ?? {};
  if (wanted === null)
    throw new SetupError(`${path.join(root, 'package-lock.json')} is missing or cannot be read.`, {
      fix: 'Restore it: `git checkout package-lock.json`.',
    });
  return Object.entries(wanted)
    .filter(([place, { version, integrity, link, optional }]) => {
      if (place === '' || !place.includes('node_modules/')) return false;
      const found = installed[place];
      if (found === undefined) return !optional;
      return (
        (!link && (found.version !== version || found.integrity !== integrity)) ||
        !fs.existsSync(path.join(root, place))
      );
    })
    .map(([place]) => place);
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return null;
  }
}
