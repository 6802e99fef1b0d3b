// Where the kit's own files are: the package, and the folder that holds everything it fetches and makes.
import fs from 'node:fs';
import path from 'node:path';

// A relative folder means the one below the working folder of the first process. What that starts may work elsewhere (a
// notebook's kernel works beside the notebook) and inherits these variables, so they are made absolute once, here.
for (const name of ['RIFLE_HOME', 'RIFLE_RUNS', 'RIFLE_REPORTED']) {
  const folder = process.env[name];
  if (folder) process.env[name] = path.resolve(folder);
}

let root: string | undefined;

/** The folder of rifle-kit's package.json, from the sources, from `dist` and from an installed package alike. */
export function packageRoot(): string {
  if (root === undefined) {
    let folder = __dirname;
    while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
    root = folder;
  }
  return root;
}

/** The folder of the project that has the kit among its packages; `null` for the kit's own repository. */
export function studyFolder(): string | null {
  const modules = path.dirname(packageRoot());
  return path.basename(modules) === 'node_modules' ? path.dirname(modules) : null;
}

/**
 * An absolute path inside the kit's home: `$RIFLE_HOME`, by default (also when it is empty) `.rifle` beside the
 * package.json of the kit or of the project that has it among its packages (as in setup/system/paths.mjs). Its folders:
 * `cache` (packages as fetched), `data`, `weights`, `pixels`, `runs`, `venv`, `tensorflow`, `cuda`.
 */
export function kitHome(...parts: string[]): string {
  return path.resolve(process.env.RIFLE_HOME || path.join(studyFolder() ?? packageRoot(), '.rifle'), ...parts);
}

/** The command that sets this machine up, for the kit's own repository or for the project that has it installed. */
export function setupCommandLine(): string {
  return studyFolder() === null ? 'npm run setup' : 'npx rifle setup';
}

/** The kit's version, from its package.json. */
export function kitVersion(): string {
  return (JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

/** Whether `version`, `major.minor.patch`, comes after this kit's. */
export function isNewerKit(version: string): boolean {
  const [theirs, ours] = [version, kitVersion()].map((each) => each.split(/[.-]/).map(Number));
  for (let i = 0; i < 3; i++) if ((theirs[i] || 0) !== (ours[i] || 0)) return (theirs[i] || 0) > (ours[i] || 0);
  return false;
}
