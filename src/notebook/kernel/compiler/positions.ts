// The way back from the JavaScript that runs to the lines of the cells, for every stack of the process.
import { SourceMap } from 'node:module';
import path from 'node:path';

/** A place in a cell; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

interface CellMaps {
  /** Lines of the source, and of the JavaScript; the call of the cell stands below. */
  lines: number;
  codeLines: number;
  /** JavaScript to ES module, ES module to TypeScript. */
  maps: SourceMap[];
}

const cells = new Map<number, CellMaps>();

/** Cells of which the maps are kept: a notebook's own, and then some. */
const KEPT = 2000;

/** The name of a cell's script in stacks. */
export const scriptName = (cell: number): string => `cell [${cell}]`;

const IN_CELL = /cell \[(\d+)\]:(\d+):(\d+)/g;

/** Remembers how the cell's JavaScript came from its source. */
export function rememberCell(cell: number, source: string, code: string, maps: readonly string[]): void {
  const parsed = maps.map((map) => new SourceMap(JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0]));
  cells.set(cell, { lines: source.split('\n').length, codeLines: code.split('\n').length, maps: parsed });
  if (cells.size > KEPT) cells.delete(cells.keys().next().value!);
}

/** Where a place in a cell's JavaScript (1-based) is in its source; `null` for code that the compiler added. */
export function placeInSource(cell: number, line: number, column: number): Place | null {
  const known = cells.get(cell);
  if (known === undefined || line > known.codeLines) return null;
  let at = { line: line - 1, column: column - 1 };
  for (const map of known.maps) {
    const entry = map.findEntry(at.line, at.column) as { originalLine?: number; originalColumn?: number };
    if (entry.originalLine === undefined) return null;
    at = { line: entry.originalLine, column: entry.originalColumn ?? 0 };
  }
  // Line 0 is a line that the compiler sets before the cell's first.
  return at.line < 1 || at.line > known.lines ? null : { line: at.line, column: at.column + 1 };
}

/** A line of a stack with the cell's own lines in it; `null` when it belongs to the compiler or the kernel. */
function mapFrame(frame: string): string | null {
  if (frame.includes(KERNEL_FOLDER) || NODE_FRAME.test(frame)) return null;
  let isOurs = true;
  const mapped = frame.replace(IN_CELL, (_, cell: string, line: string, column: string) => {
    const place = placeInSource(Number(cell), Number(line), Number(column));
    if (place === null) isOurs = false;
    return place === null ? '' : `cell [${cell}], line ${place.line}, column ${place.column}`;
  });
  return isOurs ? mapped.replace(/^Proxy\./, '') : null;
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
