// One HTML page without a network: contents, sections, and sheets that open over them.
import { escapeHtml } from '../table/markup';
import { STYLE } from './page-style';

/** A part of the page with an entry in its contents. */
export interface Section {
  id: string;
  /** A short name before the title, for example `T2`. */
  label?: string;
  title: string;
  html: string;
}

/** The page: nothing in it is fetched, nothing in it runs. */
export function renderPage(page: {
  title: string;
  lead: string;
  sections: readonly Section[];
  sheets?: string;
}): string {
  const name = ({ label, title }: Section): string =>
    `${label === undefined ? '' : `<span class="label">${escapeHtml(label)}</span>`}${escapeHtml(title)}`;
  const contents = page.sections.map((section) => `<li><a href="#${section.id}">${name(section)}</a></li>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="rifle-kit">
<title>${escapeHtml(page.title)}</title>
<style>${STYLE}
</style>
</head>
<body>
<div class="page">
<header>
<h1>${escapeHtml(page.title)}</h1>
${page.lead}
</header>
<nav aria-label="Contents"><ul>${contents}</ul></nav>
<main>
${page.sections.map((section) => `<section id="${section.id}">\n<h2>${name(section)}</h2>\n${section.html}\n</section>`).join('\n')}
</main>
</div>
${page.sheets ?? ''}
</body>
</html>
`;
}

/** A list of names and values. */
export function definitions(entries: readonly (readonly [name: string, value: string])[]): string {
  return `<dl>${entries.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}
