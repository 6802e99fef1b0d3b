// Reads a JSON object in which no name may come twice: `JSON.parse` alone would silently keep the last.
import { KitError } from '../../../base/errors';

/**
 * The object that `bytes` (UTF-8) hold.
 * @throws KitError when they are no JSON, no object, or an object in it (at any depth) has a name twice.
 */
export function parseUniqueJson(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new KitError(`Its header is no JSON: ${(cause as Error).message.slice(0, 120)}.`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new KitError('Its header is no JSON object.');
  refuseDoubles(text);
  return parsed as Record<string, unknown>;
}

/** Walks the tokens of well-formed JSON; a text followed by a colon is a name of the innermost object. */
function refuseDoubles(text: string): void {
  const names: Set<string>[] = [];
  for (const [token, quoted] of text.matchAll(/("[^"\\]*(?:\\[^][^"\\]*)*")\s*:|"[^"\\]*(?:\\[^][^"\\]*)*"|[{}]/g)) {
    if (token === '{') names.push(new Set());
    else if (token === '}') names.pop();
    else if (quoted !== undefined) {
      const name = JSON.parse(quoted) as string; // escapes undone: "a" and "\u0061" are one name
      const seen = names[names.length - 1];
      if (seen.has(name)) throw new KitError(`Its header has the name "${name.slice(0, 120)}" twice.`);
      seen.add(name);
    }
  }
}
