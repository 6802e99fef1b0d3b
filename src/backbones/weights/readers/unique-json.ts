// Reads a JSON object in which every name must be unique: `JSON.parse` alone would silently keep the last.
import { KitError } from '../../../base/errors';
import { quoted } from '../../../base/visible';

/** Most levels of objects: a header of tensors has two. */
const deepest = 16;

/**
 * The object in `bytes` (UTF-8).
 * @throws KitError when they are not JSON, not an object, or an object in it (at any depth) has a name twice.
 */
export function parseUniqueJson(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    const reason = quoted((cause as Error).message).slice(1, -1);
    throw new KitError(`Its header is not JSON: ${reason}.`, { code: 'SAFETENSORS_HEADER', cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new KitError('Its header is not a JSON object.', { code: 'SAFETENSORS_HEADER' });
  refuseDoubles(text);
  return parsed as Record<string, unknown>;
}

/** Walks the tokens of well-formed JSON; a text followed by a colon is a name of the innermost object. */
function refuseDoubles(text: string): void {
  const names: Set<string>[] = [];
  for (const [token, written] of text.matchAll(/("[^"\\]*(?:\\[^][^"\\]*)*")\s*:|"[^"\\]*(?:\\[^][^"\\]*)*"|[{}]/g)) {
    if (token === '{') {
      if (names.push(new Set()) > deepest)
        throw new KitError(`Its header has more than ${deepest} levels.`, { code: 'SAFETENSORS_HEADER' });
    } else if (token === '}') names.pop();
    else if (written !== undefined) {
      const name = JSON.parse(written) as string; // escapes undone: "a" and "\u0061" are one name
      const seen = names[names.length - 1];
      if (seen.has(name))
        throw new KitError(`Its header has the name ${quoted(name)} twice.`, { code: 'SAFETENSORS_NAME_TWICE' });
      seen.add(name);
    }
  }
}
