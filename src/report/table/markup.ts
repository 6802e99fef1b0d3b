// Text made safe inside HTML, LaTeX and terminals.

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const LATEX: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '&': '\\&',
  '%': '\\%',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '{': '\\{',
  '}': '\\}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
  '·': '$\\cdot$',
  '≤': '$\\le$',
  '→': '$\\rightarrow$',
  '×': '$\\times$',
  '>': '$>$',
  '<': '$<$',
};

/** `text` as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character]);
}

/** HTML that is safe to insert: made by `html`, or declared safe by `trusted`. */
export class Html {
  constructor(private readonly source: string) {}

  toString(): string {
    return this.source;
  }
}

/** What `html` inserts: `null`, `undefined` and `false` are left out, lists are joined without a space. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

const insert = (value: HtmlValue): string => {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  return Array.isArray(value) ? value.map(insert).join('') : escapeHtml(String(value));
};

/** A template of HTML: what is inserted is escaped, unless it is `Html` itself. Attribute values need quotes. */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html =>
  new Html(strings.reduce((source, text, i) => source + insert(values[i - 1]) + text));

/** Declares a text to be safe HTML, for example an SVG document that the kit made. */
export const trusted = (source: string): Html => new Html(source);

/** Several pieces of HTML, one a line. */
export const htmlLines = (pieces: readonly HtmlValue[]): Html => new Html(pieces.map(insert).join('\n'));

/** `text` as LaTeX text; line breaks and control characters become spaces. */
export function escapeLatex(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(/[\\&%$#_{}~^±−–·≤→×<>]/g, (character) => LATEX[character]);
}

/** Prose as HTML; `a command` between backticks becomes code. */
export function proseHtml(text: string): Html {
  return trusted(escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>'));
}

/** Prose as LaTeX; `a command` between backticks becomes code, straight quotes become curly ones. */
export function proseLatex(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      /^`[^`]+`$/.test(part)
        ? `\\texttt{${escapeLatex(part.slice(1, -1)).replace(/--/g, '-{}-')}}`
        : escapeLatex(part).replace(/"([^"]*)"/g, "``$1''"),
    )
    .join('');
}

/** Characters that a terminal acts on instead of showing them: control characters and those that reverse text. */
const ACTIVE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `text` with what a terminal would act on written as an escape: a name cannot move the cursor or hide itself. */
export const visible = (text: string): string =>
  text.replace(ACTIVE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
