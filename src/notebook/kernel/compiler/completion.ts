// What stands at the cursor and what may stand there, in the form that Jupyter asks for.
import type TypeScript from 'typescript';
import type { Cells } from './cells';
import { tslab } from './converter';
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
  const { start, end, candidates, original } = cells.complete(code, toUnits(code, cursor));
  const kinds = new Map(original?.entries.map(({ name, kind }) => [name, KINDS[kind] ?? kind]));
  const [cursor_start, cursor_end] = [toCharacters(code, start), toCharacters(code, end)];
  const matches = candidates.slice(0, LIMIT);
  const types = matches.map((text) => ({ text, type: kinds.get(text) ?? '', start: cursor_start, end: cursor_end }));
  return { matches, cursor_start, cursor_end, metadata: { _jupyter_types_experimental: types } };
}

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
    .filter((part) => part !== '')
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

const textOf = (parts: TypeScript.SymbolDisplayPart[] | undefined): string =>
  (parts ?? []).map(({ text }) => text).join('');

/** Whether `code` can be run as it stands; what a console asks at each line. */
export function isComplete(code: string): Reply {
  const { completed, indent } = tslab().isCompleteCode(code);
  return completed ? { status: 'complete' } : { status: 'incomplete', indent: indent ?? '' };
}

const toUnits = (text: string, characters: number): number => [...text].slice(0, characters).join('').length;
const toCharacters = (text: string, units: number): number => [...text.slice(0, units)].length;
