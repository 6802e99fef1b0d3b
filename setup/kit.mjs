// Loads files of the compiled kit, for the steps that come after it is compiled.
import path from 'node:path';
import { SetupError } from './setup-error.mjs';

/** The exports of a file of the compiled kit, by its path below `src`. */
export async function loadKit({ dist, home }, file) {
  process.env.RIFLE_HOME = home; // the home of the kit is that of the set-up
  try {
    return await import(path.join(dist, 'src', file));
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new SetupError(`The kit is not compiled: ${error.message}`, {
      fix: 'Run `npm run setup` without --only.',
      cause: error,
    });
  }
}
