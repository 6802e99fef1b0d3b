// Names that come from files, as a message may show them: in quotes, without control characters, and of bounded length.

/** Characters that JSON leaves as they are, and that change what a terminal shows: C1 controls, directions, joiners. */
// eslint-disable-next-line no-control-regex
const unseen = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * `text` in double quotes, control characters escaped as in JSON.
 * @param most characters that are shown; `...` stands for the rest. Default 100.
 */
export function quoted(text: string, most = 100): string {
  const shown = JSON.stringify(text.length > most ? text.slice(0, most) : text).replace(
    unseen,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length > most ? `${shown.slice(0, -1)}..."` : shown;
}

/** Names as a message lists them: quoted, at most `most` of them, and how many more there are. Default 12. */
export function quotedList(names: readonly string[], most = 12): string {
  const rest = names.length > most ? ` and ${names.length - most} more` : '';
  return (
    names
      .slice(0, most)
      .map((name) => quoted(name))
      .join(', ') + rest
  );
}
