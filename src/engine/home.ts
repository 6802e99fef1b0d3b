// Where the kit's own files are: the package, and the folder that holds everything it fetches and makes.
import fs from 'node:fs';
import path from 'node:path';

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

/**
 * A path inside the kit's home: `$RIFLE_HOME`, by default `.rifle` beside package.json.
 * Its folders: `cache` (packages as fetched), `data`, `weights`, `pixels`, `runs`, `venv`.
 */
export function kitHome(...parts: string[]): string {
  return path.join(process.env.RIFLE_HOME ?? path.join(packageRoot(), '.rifle'), ...parts);
}

/** The kit's version, from its package.json. */
export function kitVersion(): string {
  return (JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
