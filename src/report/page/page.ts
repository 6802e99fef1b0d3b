// One self-contained HTML page: contents, sections, and sheets that open over them.
import { html, htmlLines, trusted, type Html } from '../table/markup';
import { STYLE } from './page-style';

/** A part of the page with an entry in its contents. */
export interface Section {
  id: string;
  /** A short name before the title, for example `T2`. */
  label?: string;
  title: string;
  content: Html;
}

const nameOf = ({ label, title }: Section): Html =>
  html`${label !== undefined && html`<span class="label">${label}</span>`}${title}`;

/** The page: nothing in it is fetched, nothing in it runs. */
export function renderPage(page: { title: string; lead: Html; sections: readonly Section[]; sheets?: Html }): string {
  const contents = page.sections.map((section) => html`<li><a href="#${section.id}">${nameOf(section)}</a></li>`);
  const sections = page.sections.map(
    (section) => html`<section id="${section.id}">\n<h2>${nameOf(section)}</h2>\n${section.content}\n</section>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="rifle-kit">
<title>${page.title}</title>
<style>${trusted(STYLE)}
</style>
</head>
<body>
<div class="page">
<header>
<h1>${page.title}</h1>
${page.lead}
</header>
<nav aria-label="Contents"><ul>${contents}</ul></nav>
<main>
${htmlLines(sections)}
</main>
</div>
${page.sheets}
</body>
</html>
`.toString();
}

/** A list of names and values. */
export const definitions = (entries: readonly (readonly [name: string, value: string])[]): Html =>
  html`<dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
