// One HTML page without a network: its look on a screen, on a phone, in the dark and on paper.
import { escapeHtml } from './markup';

/** A part of the page with an entry in its contents. */
export interface Section {
  id: string;
  title: string;
  html: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1f2933; --soft: #52606d; --line: #d9e0e6; --rule: #7b8794; --paper: #fff; --shade: #f5f7f9; --link: #0b63a5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #a3b1bf; --line: #36424e; --rule: #7b8794; --paper: #14181c; --shade: #1d2329; --link: #7cc0f5; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem; }
a { color: var(--link); }
.lead { font-size: 1.08rem; } .lead li { margin: .35rem 0; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; margin: 1.25rem 0 0; }
.scroll, .rifle-table > div { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; border-top: 2px solid var(--rule); border-bottom: 2px solid var(--rule); margin: .5rem 0; }
th, td { padding: .38rem .9rem .38rem 0; text-align: left; vertical-align: top; white-space: nowrap; }
th { vertical-align: bottom; white-space: normal; font-weight: 600; }
thead th { border-bottom: 1px solid var(--rule); }
tr.block td { border-top: 1px solid var(--line); }
figure { margin: 1.25rem 0 2rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure .narrow { display: none; }
figcaption, .rifle-table > p:not(:first-child), .rifle-table ul, .note { color: var(--soft); font-size: .88rem; }
.rifle-table ul { padding-left: 1.1rem; } .rifle-table li { margin: .3rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: .5rem 0; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { background: var(--shade); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px; }
summary { cursor: pointer; }
.verdict { font-weight: 600; }
@media (max-width: 40rem) {
  main { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.5rem; }
  figure .wide { display: none; } figure .narrow { display: block; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
}
@media (prefers-color-scheme: dark) { figure svg { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --line: #bbb; --rule: #000; --paper: #fff; --shade: #fff; --link: #000; }
  @page { margin: 16mm; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } nav, details { display: none; }
  h2 { break-after: avoid; } figure, table, dl { break-inside: avoid; } table { font-size: 8pt; } th, td { padding-right: .5rem; }
  figure svg { filter: none; mix-blend-mode: normal; } figure .wide { display: block; } figure .narrow { display: none; }
  .scroll, .rifle-table > div { overflow: visible; }
}`;

/** The page: nothing in it is fetched, nothing in it runs. */
export function renderPage(page: { title: string; lead: string; sections: readonly Section[] }): string {
  const contents = page.sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join('');
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
<main>
<h1>${escapeHtml(page.title)}</h1>
${page.lead}
<nav aria-label="Contents"><ul>${contents}</ul></nav>
${page.sections.map(({ id, title, html }) => `<section id="${id}">\n<h2>${escapeHtml(title)}</h2>\n${html}\n</section>`).join('\n')}
</main>
</body>
</html>
`;
}

/** A list of names and values. */
export function definitions(entries: readonly (readonly [name: string, value: string])[]): string {
  return `<dl>${entries.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;
}
