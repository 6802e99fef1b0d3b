// Step: the npm packages of package-lock.json, without their install scripts (some of those download from elsewhere).
import fs from 'node:fs';
import path from 'node:path';
import { run } from '../child.mjs';
import { findNpm } from '../machine.mjs';
import { Problem } from '../problem.mjs';

export default {
  name: 'packages',
  title: 'npm packages',
  what: 'npm ci --ignore-scripts',
  seconds: 35,
  writesTo: 'package',
  bytes: () => 0.7e9,

  done({ places }) {
    const missing = missingPackages(places.root);
    return missing.length === 0 ? 'node_modules is what package-lock.json says' : null;
  },

  async run(context) {
    const { places, env, signal } = context;
    const npm = findNpm(env);
    const before = missingPackages(places.root);
    // devDependencies too, whatever NODE_ENV says: the kit is compiled here.
    await run(
      npm.program,
      [...npm.args, 'ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        what: 'npm could not install the packages of package-lock.json',
        cwd: places.root,
        env,
        signal,
        log: places.log,
        fixFor: (output) =>
          /package\.json and package-lock\.json.*(in sync|not in sync)/.test(output)
            ? 'package.json and package-lock.json disagree: run `npm install --ignore-scripts`, look at what it changed, and keep it.'
            : undefined,
      },
    );
    const after = missingPackages(places.root);
    if (after.length > 0) {
      throw new Problem(
        `npm ci ended well, but ${after.length} packages are not what package-lock.json says: ${after.slice(0, 5).join(', ')}.`,
        {
          fix: 'Remove node_modules and run `npm run setup` again.',
        },
      );
    }
    return before.length > 0
      ? `${Object.keys(readPackages(path.join(places.root, 'package-lock.json'))).length} packages in node_modules`
      : 'installed again';
  },
};

/**
 * The packages that package-lock.json names and node_modules does not hold in that version, by npm's own record of what
 * it
 * installed. Packages for other platforms may be absent; a package whose folder has gone is missing.
 * @param {string} root
 */
export function missingPackages(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const held = readPackages(path.join(root, 'node_modules', '.package-lock.json')) ?? {};
  if (wanted === null)
    throw new Problem(`${path.join(root, 'package-lock.json')} is missing or cannot be read.`, {
      fix: 'Restore it: `git checkout package-lock.json`.',
    });
  return Object.entries(wanted)
    .filter(([place, { version, integrity, link, optional }]) => {
      if (place === '' || !place.includes('node_modules/')) return false;
      const has = held[place];
      if (has === undefined) return !optional;
      return (
        (!link && (has.version !== version || has.integrity !== integrity)) || !fs.existsSync(path.join(root, place))
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
