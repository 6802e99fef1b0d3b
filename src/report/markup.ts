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
  '>': '$>$',
  '<': '$<$',
};

/** `text` as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character]);
}

/** `text` as LaTeX text. */
export function escapeLatex(text: string): string {
  return text.replace(/[\\&%$#_{}~^±−–·≤<>]/g, (character) => LATEX[character]);
}
