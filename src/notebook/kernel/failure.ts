// How a cell failed, as Jupyter wants to hear it: the error, its line in the cell, and a stack that is short.
import util from 'node:util';
import type { Diagnostic } from './compiler/converter';

/** A failure of a cell: the content of Jupyter's `error` message, and where it was. */
export interface CellFailure {
  /** Class of the error; `TypeScript` for what the compiler refuses. */
  ename: string;
  /** Its message, with what to do about it. */
  evalue: string;
  /** Lines to show. */
  traceback: string[];
  /** 1-based line of the cell's source; `null` when it cannot be told. */
  line: number | null;
}

/** What the user's interrupt makes of a cell. */
export class Interrupted extends Error {
  constructor() {
    super('The cell was interrupted.');
    this.name = 'Interrupted';
  }
}

/** A cell as a failure names it. */
export interface FailedCell {
  /** The number in its prompt. */
  number: number;
  source: string;
}

/** Frames of a stack that are shown. */
const SHOWN = 8;
const FRAME = /^\s+at /;

/** The failure of `cell` by what it threw. */
export function failureOf(error: unknown, cell: FailedCell): CellFailure {
  if (!(error instanceof Error) && !util.types.isNativeError(error)) {
    const shown = typeof error === 'string' ? error : util.inspect(error, { depth: 3 });
    return {
      ename: `Thrown ${error === null ? 'null' : typeof error}`,
      evalue: shown,
      traceback: [
        `Thrown ${error === null ? 'null' : typeof error}: ${shown}`,
        '',
        'Only an Error tells the line where it was thrown: throw new Error(...).',
      ],
      line: null,
    };
  }
  const ename = nameOf(error);
  const message = messageOf(error);
  const frames = error instanceof Interrupted ? [] : framesOf(error);
  const line = lineIn(frames, cell.number);
  const traceback = [`${ename}: ${message}`];
  if (line !== null) traceback.push('', ...excerpt(cell, line));
  const stack = shorten(frames);
  if (stack.length > 0 && !(stack.length === 1 && line !== null)) traceback.push('', ...stack);
  for (
    let { cause } = error as { cause?: unknown }, depth = 0;
    cause !== undefined && depth < 4;
    cause = (cause as { cause?: unknown } | null)?.cause, depth++
  ) {
    traceback.push(
      '',
      `Cause: ${cause instanceof Error ? `${nameOf(cause)}: ${messageOf(cause)}` : util.inspect(cause)}`,
    );
    if (cause instanceof Error) traceback.push(...shorten(framesOf(cause)).slice(0, 3));
  }
  return { ename, evalue: message, traceback: traceback.flatMap((text) => text.split('\n')), line };
}

/** The failure of `cell` by what the compiler refuses in it. */
export function refusal(diagnostics: readonly Diagnostic[], cell: FailedCell): CellFailure {
  const messages: { text: string; at: Diagnostic }[] = [];
  for (const diagnostic of diagnostics) {
    const last = messages.at(-1);
    // A message and its explanations come one after the other, all with the same place.
    if (
      last !== undefined &&
      last.at.start.offset === diagnostic.start.offset &&
      last.at.end.offset === diagnostic.end.offset
    )
      last.text += `\n  ${diagnostic.messageText}`;
    else messages.push({ text: `TS${diagnostic.code}: ${diagnostic.messageText}`, at: diagnostic });
  }
  const traceback = messages.flatMap(({ text, at }, index) => [
    ...(index > 0 ? [''] : []),
    ...text.split('\n'),
    ...(at.fileName === undefined
      ? [
          '',
          ...excerpt(
            cell,
            at.start.line + 1,
            at.start.character,
            at.end.line === at.start.line ? at.end.character : undefined,
          ),
        ]
      : [`  in ${at.fileName}, line ${at.start.line + 1}`]),
  ]);
  const own = messages.find(({ at }) => at.fileName === undefined);
  return {
    ename: 'TypeScript',
    evalue: messages.map(({ text }) => text).join('\n'),
    traceback,
    line: own === undefined ? null : own.at.start.line + 1,
  };
}

const nameOf = (error: Error): string => {
  const code = (error as NodeJS.ErrnoException).code;
  const name = error.name || error.constructor.name || 'Error';
  return typeof code === 'string' && !error.message.includes(code) ? `${name} [${code}]` : name;
};

/** The message with what helps: the `fix` of a KitError, the errors of an AggregateError. */
function messageOf(error: Error): string {
  const { fix } = error as { fix?: unknown };
  const lines = [error.message];
  if (typeof fix === 'string' && fix !== '') lines.push(fix);
  if (error instanceof AggregateError)
    lines.push(
      ...error.errors
        .slice(0, 5)
        .map(
          (each: unknown) => `- ${each instanceof Error ? `${nameOf(each)}: ${messageOf(each)}` : util.inspect(each)}`,
        ),
    );
  return lines.filter((line) => line !== '').join('\n');
}

function framesOf(error: Error): string[] {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  return stack.split('\n').filter((line) => FRAME.test(line));
}

/** The line of the cell's own top level: the outermost frame in it. */
function lineIn(frames: readonly string[], cell: number): number | null {
  const lines = frames.flatMap((frame) =>
    [...frame.matchAll(/cell \[(\d+)\], line (\d+)/g)]
      .filter(([, number]) => Number(number) === cell)
      .map(([, , line]) => Number(line)),
  );
  return lines.at(-1) ?? null;
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
    if (at === line && from !== undefined)
      shown.push(
        `  ${' '.repeat(width)} | ${' '.repeat(from)}${'^'.repeat(Math.max(1, Math.min((to ?? lines[at - 1].length) - from, 80)))}`,
      );
  }
  return shown;
}
