// Completion and quick info at the cursor, in the form that Jupyter asks for.
import ts from 'typescript';
import type { Cells } from '../cells';
import type { Reply } from '../server';

/** TypeScript's kinds in the words that JupyterLab has icons for. */
const KINDS: Record<string, string> = {
  method: 'method',
  'local function': 'function',
  function: 'function',
  class: 'class',
  interface: 'interface',
  type: 'type',
  enum: 'enum',
  'enum member': 'value',
  module: 'module',
  alias: 'module',
  property: 'property',
  getter: 'property',
  setter: 'property',
  const: 'constant',
  let: 'variable',
  var: 'variable',
  'local var': 'variable',
  keyword: 'keyword',
};
/** Completions that are sent. */
const LIMIT = 500;

/** The completions at `cursor`, a number of characters (not of UTF-16 units) from the beginning. */
export function complete(cells: Cells, code: string, cursor: number): Reply {
  const at = toUnits(code, cursor);
  const [start, end] = wordAt(code, at);
  const typed = code.slice(start, at);
  const entries = (cells.complete(code, at)?.entries ?? [])
    .map((entry, index) => ({ entry, index, rank: rankOf(entry.name, typed) }))
    .filter(({ rank }) => rank < 3)
    .sort((a, b) => a.rank - b.rank || compare(a.entry.sortText, b.entry.sortText) || a.index - b.index)
    .slice(0, LIMIT)
    .map(({ entry }) => entry);
  const [cursor_start, cursor_end] = [toCharacters(code, start), toCharacters(code, end)];
  const types = entries.map(({ name, kind }) => ({
    text: name,
    type: KINDS[kind] ?? kind,
    start: cursor_start,
    end: cursor_end,
  }));
  const matches = entries.map(({ name }) => name);
  return { matches, cursor_start, cursor_end, metadata: { _jupyter_types_experimental: types } };
}

/** The bounds of the name that the cursor is in or behind. */
function wordAt(code: string, at: number): [start: number, end: number] {
  const before = /[\p{ID_Continue}$]*$/u.exec(code.slice(0, at))![0];
  const behind = /^[\p{ID_Continue}$]*/u.exec(code.slice(at))![0];
  return [at - before.length, at + behind.length];
}

/** 0 for a name that begins as typed, 1 but for upper and lower case, 2 for one that holds it, 3 for all others. */
function rankOf(name: string, typed: string): number {
  if (name.startsWith(typed)) return 0;
  const at = name.toLowerCase().indexOf(typed.toLowerCase());
  return at === 0 ? 1 : at > 0 ? 2 : 3;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The type and the doc comment of what is at `cursor`. */
export function inspect(cells: Cells, code: string, cursor: number): Reply {
  const at = toUnits(code, cursor);
  // The cursor mostly stands behind a name, or behind the bracket that opens its arguments.
  const info =
    cells.inspect(code, at) ??
    (at > 0 ? cells.inspect(code, at - 1) : undefined) ??
    (at > 1 ? cells.inspect(code, at - 2) : undefined);
  if (info === undefined) return { found: false, data: {}, metadata: {} };
  const signature = textOf(info.displayParts);
  const text = textOf(info.documentation);
  const tags = (info.tags ?? []).map(({ name, text: parts }) => ({ name, text: textOf(parts) }));
  const plain = [signature, text, ...tags.map((tag) => `@${tag.name} ${tag.text}`.trim())]
    .filter((each) => each !== '')
    .join('\n\n');
  const markdown = [
    '```typescript',
    signature,
    '```',
    '',
    text,
    '',
    ...tags.map((tag) => `*${tag.name}* ${tag.text.replace(/^(\S+)/, tag.name === 'param' ? '`$1`' : '$1')}  `),
  ].join('\n');
  return { found: true, data: { 'text/plain': plain, 'text/markdown': markdown.trimEnd() }, metadata: {} };
}

const textOf = (parts: ts.SymbolDisplayPart[] | undefined): string => (parts ?? []).map(({ text }) => text).join('');

/** Whether `code` can be run as it stands; a console asks at each line. */
export function isComplete(code: string): Reply {
  if (/\n\s*\n\s*$/.test(code)) return { status: 'complete' }; // an empty line ends what is typed
  const file = ts.createSourceFile('typed.ts', code, ts.ScriptTarget.Latest);
  const { parseDiagnostics } = file as unknown as { parseDiagnostics: ts.Diagnostic[] };
  const end = code.trimEnd().length;
  // Unfinished is what fails only at its end, or in a text that its end cuts.
  const isUnfinished = parseDiagnostics.some(
    ({ start = 0, length = 0, messageText }) =>
      start >= end ||
      (start + length >= end && /^Unterminated/.test(ts.flattenDiagnosticMessageText(messageText, '\n'))),
  );
  if (!isUnfinished) return { status: parseDiagnostics.length > 0 ? 'invalid' : 'complete' };
  const last = /[^\n]*$/.exec(code)![0];
  const indent = /^\s*/.exec(last)![0];
  return { status: 'incomplete', indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}

const toUnits = (text: string, characters: number): number => [...text].slice(0, characters).join('').length;
const toCharacters = (text: string, units: number): number => [...text.slice(0, units)].length;
