// How a command ends when it fails: what was wrong and what to do, without a stack where the user can mend it.
import pc from 'picocolors';
import { KitError } from '../base/errors';
import { Stopped } from './interrupt';

/** Prints `error` to stderr and sets the exit code: 130 when the user stopped it, else 1. */
export function fail(error: unknown): void {
  if (error instanceof Stopped) {
    process.stderr.write(`${pc.yellow('stopped')}: ${error.message}\n`);
    process.exitCode = 130;
    return;
  }
  process.exitCode = 1;
  if (error instanceof KitError) {
    process.stderr.write(
      `${pc.red('error')}: ${error.message}\n${error.fix === '' ? '' : `  ${pc.cyan('→')} ${error.fix}\n`}`,
    );
    if (process.env.RIFLE_DEBUG && error.cause !== undefined) console.error(error.cause);
    return;
  }
  process.stderr.write(
    `${pc.red('unexpected error')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
}
