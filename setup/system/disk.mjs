// Checks free space before large files are written.
import fs from 'node:fs';
import path from 'node:path';
import { SetupError } from '../setup-error.mjs';

/** `1.3 GB`, `64 MB`: decimal units, as registries and disks count. */
export function size(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/** Free bytes for an ordinary user on the disk of `folder`, which need not exist. */
export function freeBytes(folder) {
  let at = folder;
  while (!fs.existsSync(at)) at = path.dirname(at);
  const disk = fs.statfsSync(at);
  return disk.bavail * disk.bsize;
}

/** Throws when the disk of `folder` has less than `bytes` free. `free` is replaced in tests. */
export function needSpace(folder, bytes, what, free = freeBytes) {
  const found = free(folder);
  if (found >= bytes) return;
  throw new SetupError(
    `Not enough disk space for ${what}: expected ${size(bytes)} at ${folder}, found ${size(found)}.`,
    {
      fix: `Free ${size(bytes - found)} there, or set RIFLE_HOME to a folder on a larger disk, then run \`npm run setup\` again.`,
    },
  );
}
