// Makes text from outside (file names, class names, answers of servers) safe to print: no control characters, bounded.

/** Characters that a terminal or a browser acts upon: C0 and C1 controls, line separators, bidirectional controls. */
const ACTIVE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu;

/**
 * `text` with each control character, and each half of a surrogate pair, written as `\uXXXX`. Line feeds and tabs stay.
 * A text longer than `most` characters keeps its beginning and its end. Default 4000.
 */
export function visible(text: string, most = 4000): string {
  const half = Math.floor(most / 2);
  const bounded =
    text.length <= most ? text : `${text.slice(0, half)} [... ${text.length - 2 * half} more ...] ${text.slice(-half)}`;
  return bounded.replace(ACTIVE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A name from outside, for a message: quoted, on one line, at most `most` characters. Default 200. */
export function quoted(name: string, most = 200): string {
  return `"${visible(name, most).replace(/["\n\t]/g, (character) => QUOTED[character])}"`;
}

const QUOTED: Readonly<Record<string, string>> = { '"': '\\"', '\n': '\\n', '\t': '\\t' };

/** Names from outside, for a message: each quoted, at most `most` of them, and how many more there are. Default 12. */
export function quotedList(names: readonly string[], most = 12): string {
  const rest = names.length > most ? ` and ${names.length - most} more` : '';
  return (
    names
      .slice(0, most)
      .map((name) => quoted(name, 100))
      .join(', ') + rest
  );
}
