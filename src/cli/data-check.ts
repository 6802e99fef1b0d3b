// `rifle data check`: duplicates, blank, tiny and unreadable images, and class counts of a data set.
import fsp from 'node:fs/promises';
import { Command } from 'commander';
import type { CheckedImage, DataReport, Pair } from '../data/check/check-folder';
import { examples } from './examples';
import { printJson, printLine, printList } from './print';
import { withProgress } from './progress';

/** Rows of each list that are printed on the terminal; HTML and JSON have all. */
const MOST_ROWS = 10;

/** What a check found, as rows of text: title, what it means, head and rows. */
interface Finding {
  title: string;
  advice: string;
  head: string[];
  rows: (string | number)[][];
}

const place = ({ file, split }: CheckedImage): string => `${file} (${split})`;
const pairRows = (pairs: readonly Pair[]): string[][] =>
  pairs.map(({ first, second, acrossSplits, acrossClasses }) => [
    place(first),
    place(second),
    [...(acrossSplits ? ['two splits'] : []), ...(acrossClasses ? ['two classes'] : [])].join(', ') || 'one class',
  ]);

/** The findings of a report that are not empty, the most important first. */
function findingsOf(report: DataReport): Finding[] {
  const across = report.exact.filter(({ acrossSplits }) => acrossSplits);
  const within = report.exact.filter(({ acrossSplits }) => !acrossSplits);
  const pair = ['image', 'image', 'in'];
  const found: Finding[] = [
    {
      title: 'Unreadable images',
      advice: 'Training stops at these. Replace or delete them.',
      head: ['image', 'reason'],
      rows: report.unreadable.map((image) => [place(image), image.reason]),
    },
    {
      title: 'Same bytes in two splits',
      advice: 'The model is tested on what it has learnt. Delete one of each pair.',
      head: pair,
      rows: pairRows(across),
    },
    {
      title: 'Same bytes in one split',
      advice: 'In two classes, one label is wrong. In one class, the image counts twice.',
      head: pair,
      rows: pairRows(within),
    },
    {
      title: 'Near duplicates',
      advice: 'Difference hashes that differ in at most 3 of 64 bits: look at those in two splits first.',
      head: pair,
      rows: pairRows([...report.near].sort((a, b) => Number(b.acrossSplits) - Number(a.acrossSplits))),
    },
    {
      title: 'Blank images',
      advice: 'One grey value.',
      head: ['image'],
      rows: report.blank.map((image) => [place(image)]),
    },
    {
      title: 'Tiny images',
      advice: 'A side below 32 pixels: enlarged, they are blurred.',
      head: ['image', 'pixels'],
      rows: report.tiny.map((image) => [place(image), `${image.width} x ${image.height}`]),
    },
  ];
  return found.filter(({ rows }) => rows.length > 0);
}

const countRows = ({ classes }: DataReport): (string | number)[][] =>
  classes.map(({ name, train, validation, test }) => [name, train, validation, test]);
const COUNT_HEAD = ['class', 'train', 'validation', 'test'];

/** A page with all findings, which needs no other file. */
async function pageOf(report: DataReport): Promise<string> {
  const { html } = await import('../report/table/markup.js');
  const table = (head: string[], rows: (string | number)[][]) =>
    html`<table><thead><tr>${head.map((title) => html`<th>${title}</th>`)}</tr></thead><tbody>${rows.map(
      (row) => html`<tr>${row.map((value) => html`<td>${value}</td>`)}</tr>`,
    )}</tbody></table>`;
  const sections = findingsOf(report).map(
    ({ title, advice, head, rows }) => html`<h2>${title}: ${rows.length}</h2><p>${advice}</p>${table(head, rows)}`,
  );
  return html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Check of ${report.name}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc;padding:.2rem .8rem .2rem 0;text-align:left}</style>
<h1>Check of ${report.name}</h1><p>${report.images} images in ${report.root}.</p>
${sections.length > 0 ? sections : html`<p>Nothing to report.</p>`}
<h2>Images of each class</h2>${table(COUNT_HEAD, countRows(report))}</html>
`.toString();
}

/** The command. */
export function dataCheckCommand(): Command {
  return new Command('check')
    .description('look for duplicates, blank, tiny and unreadable images; count the classes')
    .argument('<name>', 'a name of the catalog, or a folder')
    .option('--json', 'print JSON')
    .option('--html <file>', 'write a page with all findings')
    .addHelpText(
      'after',
      '\nNothing is changed. The exit code is 1 when images are unreadable or in two splits.\n' +
        examples('rifle data check photos', 'rifle data check elpv --html check.html'),
    )
    .action(async (name: string, { json, html: file }: { json?: boolean; html?: string }) => {
      const { datasets } = await import('../data/catalog.js');
      const { checkDataset } = await import('../data/check/check-folder.js');
      const report = await withProgress(json, async (options) =>
        checkDataset(await datasets.load(name, options), options),
      );
      if (report.unreadable.length > 0 || report.exact.some(({ acrossSplits }) => acrossSplits)) process.exitCode = 1;
      if (file !== undefined) await fsp.writeFile(file, await pageOf(report));
      if (json) return printJson(report);
      printReport(report);
      if (file !== undefined) printLine(`\nAll findings: ${file}`);
    });
}

function printReport(report: DataReport): void {
  printLine(`${report.name}: ${report.images} images of ${report.classes.length} classes in ${report.root}\n`);
  printList(COUNT_HEAD, countRows(report));
  if (report.imbalance >= 2)
    printLine(`\nThe largest class has ${report.imbalance.toFixed(1)} times as many training images as the smallest.`);
  const findings = findingsOf(report);
  if (findings.length === 0) printLine('\nNo duplicates, no blank, tiny or unreadable images.');
  for (const { title, advice, head, rows } of findings) {
    printLine(`\n${title}: ${rows.length}. ${advice}`);
    printList(head, rows.slice(0, MOST_ROWS));
    if (rows.length > MOST_ROWS) printLine(`  ... and ${rows.length - MOST_ROWS} more (--html or --json lists all)`);
  }
}
