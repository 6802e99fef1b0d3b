// Standard input in a cell: nobody types there, so that a cell which waits for it would wait for ever.
import fs from 'node:fs';
import { Readable } from 'node:stream';
import { KitError } from '../../../base/errors';

/** Makes every read of `process.stdin` a call of `onRead`. */
export function refuseStdin(onRead: (error: Error) => void): void {
  const stdin = new Readable({
    read: () =>
      onRead(
        new KitError('The cell waits for standard input, which a notebook does not have.', {
          code: 'NOTEBOOK_NO_STDIN',
          fix: 'Set the value in a variable of the cell, or as a parameter.',
        }),
      ),
  });
  Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, get: () => stdin });
}

/** Gives descriptor 0 a file without content. To be called before another thread may open a file. */
export function emptyStdin(): void {
  try {
    fs.closeSync(0);
  } catch {
    // it was closed already
  }
  fs.openSync('/dev/null', 'r'); // gets the lowest free number, 0
}
