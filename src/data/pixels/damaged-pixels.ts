// What is said of pixels that are not as they were written. On its own, so that the threads that assemble batches load
// no image library for it.
import { KitError } from '../../base/errors';

/** The error for pixels that are not as they were written. */
export function damagedPixels(cachePath: string, file: string): KitError {
  return new KitError(`The pixel cache ${cachePath} is damaged: the pixels of ${file} are not as they were written.`, {
    code: 'PIXEL_CACHE_DAMAGED',
    fix: `Delete ${cachePath}; it is made again.`,
  });
}
