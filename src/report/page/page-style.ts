// The look of a report: on a wide screen, on a phone, in the dark and on paper.

/** The style sheet; nothing in it is fetched. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2933; --soft: #52606d; --line: #d9e0e6; --rule: #7b8794; --paper: #fff;
  --shade: #f5f7f9; --link: #0b63a5;
  --good: #0b6b3a; --good-shade: #e3f4ea; --fair: #7a5200; --fair-shade: #fbf1d9; --bad: #a12a2a;
    --bad-shade: #fbe6e4; --none-shade: #eceff2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #a3b1bf; --line: #36424e; --rule: #7b8794;
  --paper: #14181c; --shade: #1d2329; --link: #7cc0f5;
  --good: #8fe0b0; --good-shade: #123a26; --fair: #f0cf86; --fair-shade: #3a2f12; --bad: #f5aaa5;
    --bad-shade: #431e1c; --none-shade: #2a323a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
header, main { max-width: 72rem; margin: 0 auto; padding: 2.25rem 1.5rem 0; } main { padding: 0 1.5rem 5rem; }
  main > :first-child h2 { margin-top: 2rem; }
h1 { font-size: 2rem; line-height: 1.15; letter-spacing: -.01em; margin: 0 0 .75rem; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 3.25rem 0 .5rem; padding-top: .9rem;
  border-top: 1px solid var(--line); }
h2 .label { color: var(--soft); font-weight: 500; margin-right: .6rem; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
.lead { font-size: 1.06rem; } .claims { list-style: none; padding: 0; } .claims > li { margin: .6rem 0; }
  .claims ul { font-size: .92rem; color: var(--soft); margin: .2rem 0; padding-left: 1.1rem; }
.claims b { color: var(--ink); } .counts { color: var(--soft); font-size: .88rem; }
.claim { color: var(--soft); margin: 0 0 1rem; }
nav ul { list-style: none; padding: 0; margin: 0; } nav a { text-decoration: none; }
  nav a:hover { text-decoration: underline; }
nav { margin: 1.5rem auto 0; max-width: 63rem; padding: .9rem 1.1rem; background: var(--shade); border-radius: 8px;
  font-size: .95rem; } nav ul { columns: 2; column-gap: 2rem; } nav li { margin: .2rem 0; break-inside: avoid; }
nav .label { display: inline-block; min-width: 2rem; color: var(--soft); }
.scroll, .rifle-table > div { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums;
  border-top: 2px solid var(--rule); border-bottom: 2px solid var(--rule); margin: .5rem 0; }
th, td { padding: .4rem .95rem .4rem 0; text-align: left; vertical-align: top; white-space: nowrap; }
  th:last-child, td:last-child { padding-right: 0; }
th { vertical-align: bottom; white-space: normal; font-weight: 600; } th[scope=row] { font-weight: 400;
  white-space: nowrap; }
thead th { border-bottom: 1px solid var(--rule); }
tr.block td { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--shade); } tr:target { background: var(--fair-shade); }
.repeated { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.number { color: inherit; text-decoration: underline dotted var(--rule); scroll-margin-top: 40vh; }
  .number:hover { color: var(--link); text-decoration-style: solid; }
.number:target { background: var(--fair-shade); }
.mark { font-weight: 600; font-size: .86em; padding: .08em .5em; border-radius: 1em; background: var(--none-shade);
  white-space: nowrap; } .mark .number { text-decoration: none; } .mark .number:hover { text-decoration: underline; }
.mark[data-mark="supported"] { color: var(--good); background: var(--good-shade); }
.mark[data-mark="inconclusive"], .mark[data-mark="mixed"] { color: var(--fair); background: var(--fair-shade); }
.mark[data-mark="contradicted"], .mark[data-mark="failed"] { color: var(--bad); background: var(--bad-shade); }
figure { margin: 1.5rem 0 2rem; } figure svg { display: block; max-width: 100%; height: auto; }
  figure .narrow { display: none; }
figcaption, .rifle-table > p:not(:first-child), .rifle-table ul, .note { color: var(--soft); font-size: .88rem;
  max-width: 62rem; }
.rifle-table ul { padding-left: 1.1rem; } .rifle-table li { margin: .3rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: .5rem 0;
  font-size: .92rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
pre { background: var(--shade); padding: .8rem 1rem; overflow-x: auto; border-radius: 6px; }
summary { cursor: pointer; }
.sheet { display: none; position: fixed; inset: auto 0 0 0; max-height: 60vh; overflow: auto;
  background: var(--paper); border-top: 1px solid var(--rule); box-shadow: 0 -8px 30px rgba(0, 0, 0, .18);
    padding: .9rem 1.5rem 1.2rem; z-index: 1; }
.sheet:target { display: block; } .sheet-head { display: flex; gap: 1rem; justify-content: space-between;
  align-items: baseline; max-width: 72rem; margin: 0 auto; } .sheet .scroll { max-width: 72rem; margin: 0 auto; }
.close { padding: .25rem .9rem; border: 1px solid var(--line); border-radius: 1rem; text-decoration: none; }
@media (min-width: 84rem) {
  .page { display: grid; grid-template: "nav header" auto "nav main" 1fr / 17rem minmax(0, 1fr); }
    header { grid-area: header; } main { grid-area: main; } header, main { margin: 0; width: 100%;
      padding-left: 2.5rem; }
  nav { grid-area: nav; position: sticky; top: 0; height: 100vh; overflow: auto; margin: 0; border-radius: 0;
    padding: 2.6rem 1.5rem; } nav ul { columns: 1; } nav li { margin: .4rem 0; display: flex; }
      nav li a { display: flex; }
  .sheet { left: 17rem; padding-left: 2.5rem; } .sheet-head, .sheet .scroll { margin: 0; }
}
@media (max-width: 46rem) {
  header { padding: 1.25rem .9rem 0; } main { padding: 0 .9rem 4rem; } h1 { font-size: 1.55rem; }
    h2 { margin-top: 2.5rem; } nav { margin: .9rem .9rem 0; } nav ul { columns: 1; } nav li { margin: .4rem 0; }
  figure .wide { display: none; } figure .narrow { display: block; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .cards table, .cards tbody, .cards tr, .cards td { display: block; } .cards thead { position: absolute;
    clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .cards table { border: 0; } .cards tr { border-top: 2px solid var(--rule); padding: .4rem 0 .6rem; }
    .cards tr.block td { border: 0; }
  .cards td { display: flex; justify-content: space-between; gap: 1.5rem; padding: .22rem 0;
    text-align: right !important; white-space: normal; } .cards td::before { content: attr(data-heading);
      color: var(--soft); text-align: left; flex: none; max-width: 50%; }
  .cards td.none { display: none; }
  .cards .repeated { position: static; width: auto; height: auto; clip-path: none; }
  .sheet { padding: .8rem .9rem 1rem; }
}
@media (prefers-color-scheme: dark) { figure svg { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --line: #bbb; --rule: #000; --paper: #fff; --shade: #fff;
    --link: #000;
    --good: #000; --good-shade: #fff; --fair: #000; --fair-shade: #fff; --bad: #000; --bad-shade: #fff;
      --none-shade: #fff; }
  @page { margin: 14mm; }
  html { font-size: 9.5pt; } body { font-size: 9.5pt; } .page { display: block; } header, main { max-width: none;
    padding: 0; } nav, details, .sheet, .sheet:target { display: none; }
  a, .number { text-decoration: none; } h2, h3 { break-after: avoid; } figure, tr, dl { break-inside: avoid; }
    thead { display: table-header-group; }
  table { font-size: 7.5pt; } th, td { padding: .2rem .6rem .2rem 0; } .mark { padding: 0; }
  figure svg { filter: none; mix-blend-mode: normal; } figure .wide { display: block; }
    figure .narrow { display: none; }
  .scroll, .rifle-table > div { overflow: visible; }
}`;
