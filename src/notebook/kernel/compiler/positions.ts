// The way back from the JavaScript that runs to the lines of cells and of files beside the notebook, for every stack.
import { SourceMap } from 'node:module';
import path from 'node:path';

/** A position in a source; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

interface MappedCell {
  /** Lines of the source, and of the JavaScript; the call of the cell stands below. */
  lines: number;
  codeLines: number;
  map: SourceMap;
}

const cells = new Map<number, MappedCell>();
const modules = new Map<string, SourceMap>();

/** Cells of which the maps are kept: a notebook's own, and then some. */
const KEPT = 2000;

/** The name of a cell's script in stacks. */
export const scriptName = (cell: number): string => `cell [${cell}]`;

const IN_CELL = /cell \[(\d+)\]:(\d+):(\d+)/g;
const IN_FILE = /(\/[^():]+):(\d+):(\d+)/;

const parse = (map: string): SourceMap => new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]);

/** Remembers how the cell's JavaScript came from its source. */
export function rememberCell(cell: number, source: string, code: string, map: string): void {
  cells.set(cell, { lines: source.split('\n').length, codeLines: code.split('\n').length, map: parse(map) });
  if (cells.size > KEPT) cells.delete(cells.keys().next().value!);
}

/** Remembers how the JavaScript of a file beside the notebook came from it. */
export function rememberModule(file: string, map: string): void {
  modules.set(file, parse(map));
}

/** Where a position in a cell's JavaScript is in its source; `null` for code that the compiler added. */
export function positionInSource(cell: number, line: number, column: number): Position | null {
  const known = cells.get(cell);
  if (known === undefined || line > known.codeLines) return null;
  const found = mapped(known.map, line, column);
  return found === null || found.line > known.lines ? null : found;
}

function mapped(map: SourceMap, line: number, column: number): Position | null {
  const entry = map.findEntry(line - 1, column - 1) as { originalLine?: number; originalColumn?: number };
  if (entry.originalLine === undefined) return null;
  return { line: entry.originalLine + 1, column: (entry.originalColumn ?? 0) + 1 };
}

/** A line of a stack with the cell's own lines in it; `null` when it belongs to the compiler or the kernel. */
function mapFrame(frame: string): string | null {
  if (frame.includes(KERNEL_FOLDER) || NODE_FRAME.test(frame)) return null;
  let isOurs = true;
  const inCells = frame.replace(IN_CELL, (_, cell: string, line: string, column: string) => {
    const found = positionInSource(Number(cell), Number(line), Number(column));
    if (found === null) isOurs = false;
    return found === null ? '' : `cell [${cell}], line ${found.line}, column ${found.column}`;
  });
  if (!isOurs) return null;
  return inCells.replace(IN_FILE, (whole, file: string, line: string, column: string) => {
    const map = modules.get(file);
    const found = map === undefined ? null : mapped(map, Number(line), Number(column));
    return found === null ? whole : `${file}:${found.line}:${found.column}`;
  });
}

/** The compiled kernel: its own lines are left out of a cell's stack. */
const KERNEL_FOLDER = path.dirname(__dirname);

/** Node's own frames between a cell and the kernel. */
const NODE_FRAME = /\(?node:(?:vm|internal)\b/;

/** From now on every stack shows cells by their own lines, and nothing of the kernel. */
export function mapStacks(): void {
  Error.stackTraceLimit = 50; // deep enough to reach the cell through a library
  Error.prepareStackTrace = (error, frames) => {
    const lines = frames.flatMap((frame) => mapFrame(String(frame)) ?? []).map((line) => `    at ${line}`);
    return [headOf(error), ...lines].join('\n');
  };
}

function headOf(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return 'Error';
  }
}
