// Text made safe inside HTML and LaTeX.

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

/** `text` as LaTeX text. */
export function escapeLatex(text: string): string {
  return text.replace(/[\\&%$#_{}~^±−–·≤→×<>]/g, (character) => LATEX[character]);
}

/** Prose as HTML; `a command` between backticks becomes code. */
export function proseHtml(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
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
