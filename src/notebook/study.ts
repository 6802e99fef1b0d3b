// Makes a new study: a folder with a notebook, a test that re-executes it, and the kit as a package, ready for
// `npm install`.
import fs from 'node:fs';
import path from 'node:path';
import { makeAtomically } from '../base/files/atomic';
import { KitError } from '../base/errors';
import { packageRoot, setupCommandLine } from '../base/home';
import { npm, npmSentence } from './live/npm';

/** Other names for template files that npm does not pack under their own names. */
const RENAMED: Record<string, string> = {
  gitignore: '.gitignore',
  npmrc: '.npmrc',
  'ci.yml': path.join('.github', 'workflows', 'notebooks.yml'),
};

/**
 * Makes the study `folder` completely or not at all. The kit is packed into it, so it does not depend on this one.
 * @throws KitError when the folder is not empty, or npm cannot pack the kit.
 */
export async function newStudy(folder: string): Promise<string[]> {
  const target = path.resolve(folder);
  if (fs.existsSync(target) && (!fs.statSync(target).isDirectory() || fs.readdirSync(target).length > 0)) {
    const isFolder = fs.statSync(target).isDirectory();
    const found = isFolder ? `${fs.readdirSync(target).length} files in it` : 'a file';
    throw new KitError(`${folder}: expected no such folder or an empty one, found ${found}.`, {
      code: 'STUDY_FOLDER_NOT_EMPTY',
      fix: 'Name another folder.',
    });
  }
  const files: string[] = [];
  if (fs.existsSync(target)) fs.rmdirSync(target);
  await makeAtomically(target, async (partial) => {
    const vendor = path.join(partial, 'vendor');
    fs.mkdirSync(vendor, { recursive: true });
    const tarball = await pack(vendor);
    const values: Record<string, string> = { name: packageName(target), tarball };
    const template = path.join(packageRoot(), 'templates', 'study');
    for (const entry of fs.readdirSync(template, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const name = path.relative(template, path.join(entry.parentPath ?? entry.path, entry.name));
      const text = fs
        .readFileSync(path.join(template, name), 'utf8')
        .replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole);
      const target = RENAMED[name] ?? name;
      fs.mkdirSync(path.dirname(path.join(partial, target)), { recursive: true });
      fs.writeFileSync(path.join(partial, target), text);
      files.push(target);
    }
  });
  return files.sort();
}

/** Packs the kit into `folder` as npm would publish it. Returns the name of the file. */
async function pack(folder: string): Promise<string> {
  try {
    // not in the user's folder, which may have a .npmrc
    const stdout = await npm(
      ['pack', packageRoot(), '--ignore-scripts', '--json', '--pack-destination', folder],
      packageRoot(),
    );
    const [{ filename }] = JSON.parse(stdout) as { filename: string }[];
    return path.basename(filename);
  } catch (cause) {
    throw new KitError(`npm could not pack the kit: ${npmSentence(cause)}`, {
      code: 'STUDY_PACK_FAILED',
      fix: `npm must be on the PATH, and the disk must have room. Run \`${setupCommandLine()}\` to compile the kit.`,
      cause,
    });
  }
}

/** A valid npm name made of the folder's. */
function packageName(folder: string): string {
  const name = path
    .basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' || name === 'rifle-kit' ? 'study' : name;
}
