// Tells which file or notebook cell called a function: a definition may be repeated there, and nowhere else.

/**
 * The file that called `called`, without line numbers: a path, or the name under which a notebook cell runs. `unknown`
 * when the stack does not say.
 */
export function callerFile(called: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  const frame = holder.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return /\(?([^()\s]+?):\d+:\d+\)?$/.exec(frame ?? '')?.[1].replace(/^file:\/\//, '') ?? 'unknown';
}
