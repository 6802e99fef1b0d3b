// Packages for a notebook, installed by npm in the notebook's own project.
import fs from 'node:fs';
import path from 'node:path';
import { nearestDescription } from '../../base/definitions/project';
import { KitError } from '../../base/errors';
import { packageRoot } from '../../base/home';
import { notebookHost, stopSignal } from '../../base/notebook-host';
import { inPlace, kernelPublish } from '../display/display';
import { npm, npmSentence } from './npm';

/** A name of npm's registry, and behind `@` a version, a range or a tag. */
const PACKAGE = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@([\w.^~<>=*|+ -]+))?$/;

/**
 * Installs packages of npm in the project of the notebook: that of the nearest package.json, or a new one in the folder
 * of the notebook. The next cell imports them, with their types. What is already installed costs no download.
 * @param packages each a name with or without version: `arquero@7`.
 * @throws KitError INSTALL_NAME; INSTALL_INTO_KIT when the notebook is in the folder of the kit; INSTALL_HEADLESS for
 *   a package that is not there, where no person runs the cells (so that a re-execution does not change the project);
 *   INSTALL_FAILED with npm's message.
 */
export async function install(...packages: readonly string[]): Promise<void> {
  const names = packages.map(nameOf);
  const host = notebookHost();
  const folder = projectOf(host?.folder ?? process.cwd());
  if (await isThere(folder, packages, names)) return;
  if (host !== null && !host.isInteractive)
    throw new KitError(`${packages.join(' ')}: a headless run installs no packages that package.json does not have.`, {
      code: 'INSTALL_HEADLESS',
      fix: `Run the cell once in JupyterLab, or: npm install ${packages.join(' ')}`,
    });
  const show = statusOf(packages);
  const began = performance.now();
  const timer = setInterval(() => show(`npm install: ${Math.round((performance.now() - began) / 1000)} s`), 1000);
  try {
    show('npm install');
    if (!fs.existsSync(path.join(folder, 'package.json')))
      fs.writeFileSync(path.join(folder, 'package.json'), '{\n  "private": true\n}\n');
    await npm(['install', '--no-fund', '--no-audit', '--save', '--', ...packages], folder, stopSignal());
  } catch (cause) {
    show('not installed');
    throw new KitError(`npm could not install ${packages.join(' ')}: ${npmSentence(cause)}`, {
      code: 'INSTALL_FAILED',
      fix: 'Check the name and the version, and that npm reaches its registry.',
      cause,
    });
  } finally {
    clearInterval(timer);
  }
  const versions = names.map((name) => `${name} ${versionIn(folder, name)}`);
  show(`installed: ${versions.join(', ')}`);
}

function nameOf(wanted: string): string {
  const [, name] = PACKAGE.exec(wanted) ?? [];
  if (name !== undefined) return name;
  throw new KitError(`Expected a package of npm with or without a version, found "${wanted}".`, {
    code: 'INSTALL_NAME',
    fix: "For example: await install('arquero@7')",
  });
}

/** The folder of the nearest package.json; `from` itself when there is none. */
function projectOf(from: string): string {
  const description = nearestDescription(from);
  if (description === null) return from;
  const folder = path.dirname(description);
  if (fs.realpathSync(folder) === fs.realpathSync(packageRoot()))
    throw new KitError('The notebook is in the folder of rifle-kit, which keeps its own packages.', {
      code: 'INSTALL_INTO_KIT',
      fix: 'Copy the notebook into a project of its own: npx rifle new DIR makes one.',
    });
  return folder;
}

/** Whether package.json names all packages, and npm finds them in the versions that are wanted. */
async function isThere(folder: string, packages: readonly string[], names: readonly string[]): Promise<boolean> {
  const file = path.join(folder, 'package.json');
  if (!fs.existsSync(file)) return false;
  const { dependencies, devDependencies } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, object>;
  const named = { ...dependencies, ...devDependencies };
  if (!names.every((name) => Object.hasOwn(named, name))) return false;
  try {
    const found = JSON.parse(await npm(['ls', '--json', '--depth=0', '--', ...packages], folder)) as {
      dependencies?: object;
    };
    return names.every((name) => Object.hasOwn(found.dependencies ?? {}, name));
  } catch {
    return false; // npm ls fails for what is missing or of another version
  }
}

function versionIn(folder: string, name: string): string {
  const file = path.join(folder, 'node_modules', name, 'package.json');
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Shows one line in place of the one before it. */
function statusOf(packages: readonly string[]): (text: string) => void {
  const publish = kernelPublish();
  const replace = publish && inPlace(publish);
  return (text) => {
    const line = `${packages.join(' ')}: ${text}`;
    if (replace === null) console.log(line);
    else replace({ 'text/plain': line });
  };
}
