// A temporary home of the kit for a benchmark: downloads are links to the real home, everything else is made again.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kitHome } from '../src/base/home';

/**
 * Calls `work` with the path of a home that has `kept` of the real one (of `cache`, `data`, `weights`, ...) and nothing
 * else; it is gone afterwards.
 */
export async function withScratchHome<T>(kept: readonly string[], work: (home: string) => Promise<T>): Promise<T> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-bench-home-'));
  try {
    for (const folder of kept)
      if (fs.existsSync(kitHome(folder))) fs.symlinkSync(fs.realpathSync(kitHome(folder)), path.join(home, folder));
    return await work(home);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
}
