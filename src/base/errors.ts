// The one error class for failures that a user can correct, and the hint for names that are not known.
import { distance } from 'fastest-levenshtein';
import { visible } from './visible';

/** Most characters of a message: texts from outside (names, lists) have no bound of their own. */
const MOST_CHARACTERS = 20_000;

/**
 * A failure that the user can correct. Its message says what was expected and what was found; `fix` says what to do.
 */
export class KitError extends Error {
  /** What to do about it: a command or an action; empty when the message says it already. */
  readonly fix: string;
  /** A stable name of the failure for programs and tests, for example `DATASET_CLASS_MISMATCH`; messages may change. */
  readonly code: string;

  constructor(message: string, options: { code: string; fix?: string; cause?: unknown }) {
    super(visible(message, MOST_CHARACTERS), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KitError';
    this.fix = visible(options.fix ?? '', MOST_CHARACTERS);
    this.code = options.code;
  }
}

/** The fields of an error that pass between threads. */
export interface ErrorFields {
  message: string;
  code?: string;
  fix?: string;
}

/** What another thread needs to throw `error` again. */
export function errorFields(error: unknown): ErrorFields {
  if (error instanceof KitError) return { message: error.message, code: error.code, fix: error.fix };
  return { message: error instanceof Error ? error.message : String(error) };
}

/** The error that `errorFields` was made of; one that was no KitError becomes one with the code `THREAD_FAILED`. */
export const errorFromFields = ({ message, code = 'THREAD_FAILED', fix }: ErrorFields): KitError =>
  new KitError(message, { code, fix });

/**
 * The known names nearest to `name` by edit distance, nearest first: at most `limit` (default 3), none further than
 * half its length.
 */
export function nearNames(name: string, known: readonly string[], limit = 3): string[] {
  const reach = Math.max(2, Math.ceil(name.length / 2));
  return known
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ edits }) => edits <= reach)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/**
 * The error for a `kind` (for example `'backbone'`) whose `name` is not one of `known`: names the near ones, or all.
 */
export function unknownName(kind: string, name: string, known: readonly string[]): KitError {
  const near = nearNames(name, known);
  const code = `UNKNOWN_${kind.toUpperCase().replace(/[^A-Z]+/g, '_')}`;
  const found = `There is no ${kind} named "${name}".`;
  return near.length > 0
    ? new KitError(found, {
        code,
        fix: `Did you mean ${near.map((n) => `"${n}"`).join(' or ')}? Known: ${known.join(', ')}.`,
      })
    : new KitError(found, { code, fix: `Known: ${known.join(', ')}.` });
}

/** The system's code of an error or of its causes, for example `ENOSPC`; undefined where there is none. */
export function errnoOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 10; each = each.cause, depth++) {
    const { code } = each as NodeJS.ErrnoException;
    if (!(each instanceof KitError) && typeof code === 'string' && /^E[A-Z\d]+$/.test(code)) return code;
  }
  return undefined;
}
