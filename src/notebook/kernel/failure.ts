// The failure of a cell in Jupyter's form: the error, its line in the cell, and a short stack.
import util from 'node:util';
import type { Diagnostic } from './compiler/converter';
import { positionInSource } from './compiler/positions';
import { explain } from './explain';

/** A failure of a cell: the content of Jupyter's `error` message, and its line. */
export interface CellFailure {
  /** Class of the error; `TypeScript` for an error of the compiler. */
  ename: string;
  /** Its message and its fix. */
  evalue: string;
  /** Lines to show. */
  traceback: string[];
  /** 1-based line of the cell's source; `null` when it is not known. */
  line: number | null;
}

/** The failure of an interrupted cell. */
export class Interrupted extends Error {
  constructor() {
    super('The cell was interrupted.');
    this.name = 'Interrupted';
  }
}

/** The cell of a failure. */
export interface FailedCell {
  /** The number in its prompt. */
  number: number;
  source: string;
}

/** Most frames of a stack that are shown. */
const SHOWN = 8;
const FRAME = /^\s+at /;

/**
 * The failure of `cell` for the error that it threw.
 * @param line 1-based line of the cell, where the error itself does not name one.
 */
export function failureOf(error: unknown, cell: FailedCell, line: number | null = null): CellFailure {
  if (!isError(error)) {
    const ename = `Thrown ${error === null ? 'null' : typeof error}`;
    const evalue = typeof error === 'string' ? error : textOf(error);
    const traceback = [...`${ename}: ${evalue}`.split('\n'), '', 'Only an Error has a line: throw new Error(...).'];
    return { ename, evalue, traceback, line };
  }
  const ename = nameOf(error);
  const message = messageOf(error);
  const frames = error instanceof Interrupted ? [] : framesOf(error);
  const at = lineIn(frames, cell.number) ?? syntaxLine(error, cell.number) ?? line;
  const traceback = [`${ename}: ${message}`];
  if (at !== null) traceback.push('', ...excerpt(cell, at));
  const stack = shorten(frames);
  if (stack.length > 0 && !(stack.length === 1 && at !== null)) traceback.push('', ...stack);
  traceback.push(...causesOf(error));
  return { ename, evalue: message, traceback: traceback.flatMap((text) => text.split('\n')), line: at };
}

/** The failure of `cell` for an error of the compiler. */
export function refusal(diagnostics: readonly Diagnostic[], cell: FailedCell): CellFailure {
  const messages = diagnostics.map((at) => ({ text: explain(at), at }));
  const traceback = messages.flatMap(({ text, at: { start, end, fileName } }, index) => {
    const to = end.line === start.line ? end.character : undefined;
    const where =
      fileName === undefined
        ? ['', ...excerpt(cell, start.line + 1, start.character, to)]
        : [`  in ${fileName}, line ${start.line + 1}`];
    return [...(index > 0 ? [''] : []), ...text.split('\n'), ...where];
  });
  const own = messages.find(({ at }) => at.fileName === undefined);
  return {
    ename: 'TypeScript',
    evalue: messages.map(({ text }) => text).join('\n'),
    traceback,
    line: own === undefined ? null : own.at.start.line + 1,
  };
}

/** The result of `read`; `otherwise` when a getter or a proxy throws. */
function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const isError = (value: unknown): value is Error =>
  util.types.isNativeError(value) || safely(() => value instanceof Error, false);

/** A value as text. Errors of its getters are ignored. */
function textOf(value: unknown): string {
  return safely(
    () => util.inspect(value, { depth: 3 }),
    safely(() => String(value), 'a value that cannot be printed'),
  );
}

/** A property of an error as text; empty when it is missing or no text. */
function textIn(error: Error, name: string): string {
  const value = safely(() => (error as unknown as Record<string, unknown>)[name], undefined);
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : textOf(value);
}

function nameOf(error: Error): string {
  const name = textIn(error, 'name') || safely(() => error.constructor.name, '') || 'Error';
  const code = safely(() => (error as NodeJS.ErrnoException).code, undefined);
  return typeof code === 'string' && !textIn(error, 'message').includes(code) ? `${name} [${code}]` : name;
}

/** The message with the `fix` of a KitError or the errors of an AggregateError. */
function messageOf(error: Error): string {
  const lines = [textIn(error, 'message'), textIn(error, 'fix')];
  const errors = safely(() => (error as { errors?: unknown }).errors, undefined);
  if (Array.isArray(errors)) lines.push(...errors.slice(0, 5).map((each: unknown) => `- ${headOf(each)}`));
  return lines.filter((line) => line !== '').join('\n');
}

const headOf = (error: unknown): string => (isError(error) ? `${nameOf(error)}: ${messageOf(error)}` : textOf(error));

function causesOf(error: Error): string[] {
  const lines: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < 4; depth++) {
    const cause: unknown = safely(() => (at as { cause?: unknown } | null)?.cause, undefined);
    if (cause === undefined) break;
    lines.push('', `Cause: ${headOf(cause)}`);
    if (isError(cause)) lines.push(...shorten(framesOf(cause)).slice(0, 3));
    at = cause;
  }
  return lines;
}

function framesOf(error: Error): string[] {
  const stack = safely<unknown>(() => error.stack, '');
  return typeof stack === 'string' ? stack.split('\n').filter((line) => FRAME.test(line)) : [];
}

/** The line at the top level of the cell: its outermost frame. */
function lineIn(frames: readonly string[], cell: number): number | null {
  const lines = frames.flatMap((frame) =>
    [...frame.matchAll(/cell \[(\d+)\], line (\d+)/g)]
      .filter(([, number]) => Number(number) === cell)
      .map(([, , line]) => Number(line)),
  );
  return lines.at(-1) ?? null;
}

/** The line of a syntax error of the JavaScript engine: `cell [3]:7` before the stack. */
function syntaxLine(error: Error, cell: number): number | null {
  if (!(error instanceof SyntaxError)) return null;
  const stack = safely<unknown>(() => error.stack, '');
  const found = typeof stack === 'string' ? new RegExp(`^cell \\[${cell}\\]:(\\d+)`, 'm').exec(stack) : null;
  if (found === null) return null;
  const line = Number(found[1]);
  return positionInSource(cell, line, 1)?.line ?? line;
}

const inCell = (frame: string): boolean => frame.includes('cell [');

/** The first frames of what was called, all of the cells' (up to a number), and how many were left out. */
function shorten(frames: readonly string[]): string[] {
  const shown: string[] = [];
  let hidden = 0;
  const note = (): void => {
    if (hidden > 0) shown.push(`    … ${hidden} more in packages`);
    hidden = 0;
  };
  let foreign = 0;
  for (const frame of frames) {
    if (shown.length >= SHOWN) break;
    if (inCell(frame)) {
      note();
      shown.push(frame.replace(/, column \d+/, ''));
    } else if (foreign++ < 2) shown.push(frame);
    else hidden++;
  }
  if (frames.some(inCell)) note();
  return shown;
}

/** The line with its neighbours, marked; with `from`, a row of carets under characters `from` to `to` (0-based). */
function excerpt({ number, source }: FailedCell, line: number, from?: number, to?: number): string[] {
  const lines = source.split('\n');
  const first = Math.max(1, line - 1);
  const last = Math.min(lines.length, line + 1);
  const width = String(last).length;
  const shown = [`cell [${number}], line ${line}`];
  for (let at = first; at <= last; at++) {
    shown.push(`${at === line ? '>' : ' '} ${String(at).padStart(width)} | ${lines[at - 1]}`.trimEnd());
    if (at === line && from !== undefined) {
      const carets = '^'.repeat(Math.max(1, Math.min((to ?? lines[at - 1].length) - from, 80)));
      shown.push(`  ${' '.repeat(width)} | ${' '.repeat(from)}${carets}`);
    }
  }
  return shown;
}
