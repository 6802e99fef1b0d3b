// Ends a command that failed: what was wrong and how to fix it, without a stack where the user can fix it.
import pc from 'picocolors';
import { withPublicAddresses } from '../base/address';
import { errnoOf, KitError } from '../base/errors';
import { visible } from '../base/visible';
import { Stopped } from './interrupt';

/** How to fix what the system refuses, whichever part of the kit asked for it. */
const FIXES: Readonly<Record<string, string>> = {
  EACCES: 'Give yourself the right to read and write there, or name another folder.',
  EAI_AGAIN: 'The network does not reach the host: check the connection and the proxy, then run the command again.',
  EBUSY: 'Close the program that uses it, then run the command again.',
  ECONNREFUSED: 'Nothing answers at this address: check it, and that its server runs.',
  ECONNRESET: 'The connection broke: run the command again.',
  EDQUOT: 'The quota of the disk is used up: free some space, then run the command again.',
  EEXIST: 'Something else has this name: rename or delete it, or name another path.',
  EIO: 'The disk has a fault: check it, or name a folder on another one.',
  EISDIR: 'A folder is where a file was expected: correct the path.',
  ELOOP: 'A link leads to itself: correct the link or the path.',
  EMFILE: 'Too many files are open: raise the limit (`ulimit -n 4096`), or use fewer workers.',
  ENAMETOOLONG: 'A path is too long: name a folder with a shorter path (--runs, RIFLE_HOME or TMPDIR).',
  ENFILE: 'Too many files are open on this machine: end other programs, or use fewer workers.',
  ENOENT: 'A file or folder is missing: correct the path, or run the command again if another program deleted it.',
  ENOMEM: 'The memory is full: end other programs, or use fewer workers or a smaller batch.',
  ENOSPC: 'The disk is full: free some space, then run the command again.',
  ENOTDIR: 'A file is where a folder was expected: correct the path.',
  ENOTFOUND: 'The network does not know the host: check the address, the connection and the proxy.',
  EPERM: 'Give yourself the right to do this, or name another folder.',
  EROFS: 'The disk is mounted read-only: name a folder on another one (--runs or RIFLE_HOME).',
  ESPIPE: 'A pipe is where a file was expected: name a regular file.',
  ESTALE: 'The network disk has lost the file: run the command again.',
  ETIMEDOUT: 'The host did not answer in time: check the connection and the proxy, then run the command again.',
};

/** Prints `error` to stderr and sets the exit code: 130 when the user stopped the command, else 1. */
export function fail(error: unknown): void {
  process.exitCode = error instanceof Stopped ? 130 : 1;
  process.stderr.write(failureText(error));
  if (process.env.RIFLE_DEBUG && (error as Error).cause !== undefined) console.error((error as Error).cause);
}

/** What `fail` prints. */
export function failureText(error: unknown): string {
  if (error instanceof Stopped) return `${pc.yellow('stopped')}: ${error.message}\n`;
  if (error instanceof KitError) return explained(error.message, error.fix);
  const fix = FIXES[errnoOf(error) ?? ''];
  if (fix !== undefined && !process.env.RIFLE_DEBUG) return explained((error as Error).message, fix);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${pc.red('unexpected error')}: ${clean(stack)}\n`;
}

const explained = (message: string, fix: string): string =>
  `${pc.red('error')}: ${clean(message)}\n${fix === '' ? '' : `  ${pc.cyan('→')} ${clean(fix)}\n`}`;

/** No control characters, no secrets of addresses, and no end of text. */
const clean = (text: string): string => visible(withPublicAddresses(text), 20_000);
