// Writes a file whole or not at all, flushed to the disk, also when that is full.
import fs from 'node:fs';
import { makeAtomically } from './atomic';

/**
 * Writes `text` to `file` by way of a file beside it. (Not by write-file-atomic 7.0.1: it calls `fs.write` once, and on
 * a disk that fills up meanwhile that writes a part and says so by a number alone, which it does not look at: a record
 * cut short would take the place of a whole one.)
 * @throws KitError when the disk is full or refuses.
 */
export async function writeWhole(file: string, text: string): Promise<void> {
  await makeAtomically(file, async (partial) => {
    const handle = await fs.promises.open(partial, 'wx');
    try {
      await handle.writeFile(text); // until all is written
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}
