// Stamps: a small file in each folder that a step makes, with the hash of the inputs that it was made from.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** The sha256 (hex) of any JSON value; the order of an object's keys counts. */
export const hashOf = (value) => crypto.createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** The name of the stamp in its folder. It is deleted with the folder. */
const NAME = '.set-up.json';

/** Whether `folder` was made completely from these inputs. */
export function isStamped(folder, inputs) {
  return readStamp(folder)?.hash === hashOf(inputs);
}

/** The stamp in `folder`, or null when there is none or it cannot be read. */
export function readStamp(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, NAME), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Stamps `folder` as made from `inputs`, with further `facts`. The last action of a step.
 */
export function stamp(folder, inputs, facts = {}) {
  writeWhole(
    path.join(folder, NAME),
    JSON.stringify({ hash: hashOf(inputs), made: new Date().toISOString(), ...facts }, null, 2) + '\n',
  );
}

/** The files below a folder, by path relative to it, and their sizes in bytes; links are left out. */
export function filesOf(folder) {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
      .map((file) => [path.relative(folder, file), fs.statSync(file).size]),
  );
}

/** Whether all of `files` (as `filesOf` gives them) are still below `folder`, with their sizes. */
export function holds(folder, files) {
  return (
    files !== undefined &&
    Object.entries(files).every(
      ([file, bytes]) => fs.statSync(path.join(folder, file), { throwIfNoEntry: false })?.size === bytes,
    )
  );
}

/** Writes a file under another name and renames it, so that it is never seen half-written. */
export function writeWhole(file, text) {
  const partial = `${file}.partial-${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  try {
    fs.writeFileSync(partial, text);
    fs.renameSync(partial, file);
  } catch (error) {
    fs.rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Makes `link` a symbolic link to `target` (as written), and replaces what was at `link`. Returns whether it changed.
 */
export function linkTo(link, target) {
  if (linkTarget(link) === target) return false;
  const partial = `${link}.partial-${process.pid}`;
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.rmSync(partial, { force: true });
  fs.symlinkSync(target, partial);
  const existing = fs.lstatSync(link, { throwIfNoEntry: false });
  if (existing?.isDirectory()) fs.rmSync(link, { recursive: true }); // rename cannot replace a real folder
  fs.renameSync(partial, link);
  return true;
}

/** The target of the symbolic link `link`; null when it is no link. */
export function linkTarget(link) {
  return fs.lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ? fs.readlinkSync(link) : null;
}
