// Tags of template literals for text in a notebook.
import { html as escaped, type HtmlValue } from '../../report/table/markup';
import type { MimeBundle } from '../runner/format';

/** Text that a notebook shows as Markdown, HTML or LaTeX, not as a string. */
export interface Shown {
  /** The text as written, with its values. */
  toString(): string;
}

function shown(type: string, text: string): Shown {
  return {
    toString: () => text,
    [Symbol.for('Jupyter.display')]: (): MimeBundle => ({ [type]: text, 'text/plain': text }),
  } as Shown;
}

/** Markdown as a cell's value: md`**${count}** images`. */
export const md = (strings: TemplateStringsArray, ...values: unknown[]): Shown =>
  shown('text/markdown', String.raw({ raw: strings }, ...values.map(String)));

/** HTML as a cell's value: html`<b>${name}</b>`; values are escaped, except those made by the tag. */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Shown =>
  shown('text/html', String(escaped(strings, ...values)));
