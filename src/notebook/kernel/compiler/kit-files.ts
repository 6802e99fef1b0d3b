// The packages of the kit, as if they were installed beside a notebook that has no kit of its own.
import fs from 'node:fs';
import path from 'node:path';
import { packageRoot, studyFolder } from '../../../base/home';

/**
 * Where a path below the `node_modules` of a folder really is when the kit is not installed for that folder: the kit of
 * the kernel, and the packages that it is made of, seem to be installed there. `null` for any other path.
 */
export function insideKit(folder: string, file: string): string | null {
  const modules = path.join(folder, 'node_modules', path.sep);
  if (!file.startsWith(modules) || hasKit(folder) || fs.existsSync(file)) return null;
  const inside = file.slice(modules.length);
  if (inside === '') return null;
  const [name, ...rest] = inside.split(path.sep);
  if (name !== 'rifle-kit') return path.join(kitModules(), inside);
  return rest[0] === 'node_modules' ? null : path.join(packageRoot(), ...rest);
}

/** The folder of the packages that the kit is made of: its own, or that of the study which has it. */
function kitModules(): string {
  return path.join(studyFolder() ?? packageRoot(), 'node_modules');
}

const known = new Map<string, boolean>();

/** Whether a `node_modules` of the folder or above it holds the kit. */
function hasKit(folder: string): boolean {
  let has = known.get(folder);
  if (has === undefined) {
    const above = path.dirname(folder);
    has =
      fs.existsSync(path.join(folder, 'node_modules', 'rifle-kit', 'package.json')) ||
      (above !== folder && hasKit(above));
    known.set(folder, has);
  }
  return has;
}
