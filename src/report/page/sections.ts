// The contents of a report: verdicts first, then each exhibit with its table and figures, then the runs and their
// settings.
import type { RunRecord } from '../../runs/store/record';
import { onTest } from '../comparison/conditions';
import { groupRuns, inOrder } from '../comparison/grouping';
import { list } from '../comparison/notes';
import { readReported, sourceText, valueText } from '../comparison/reported';
import { countVerdicts, overallVerdict, type Verdict } from '../comparison/verdict';
import type { Figure } from '../figures/figure';
import type { Pair, Row } from '../table/cells';
import { html, htmlLines, trusted, type Html } from '../table/markup';
import { confusionFigure, pooledPredictions } from '../predictions/confusion';
import { metricsTable } from '../tables/metrics-table';
import { exhibitsFor, inReportOrder, type Exhibit, type FigureSources, type Shown } from './exhibits';
import type { Section } from './page';
import { environmentsHtml, runsTable, settingsHtml } from './provenance';
import { runAnchor, RunSheets } from './run-sheets';

/** Width of figures for phones, px: their text stays at 12 px there. */
const NARROW = 380;

/** How many groups, and methods of each, get a figure of confused classes. */
const CONFUSED = { groups: 3, methods: 2 };

/** Up to so many comparisons are listed in the lead; more are counted there. */
const FEW = 6;

/** The lead, the sections, and the sheets of runs behind their numbers. */
export async function sectionsOf(
  records: readonly RunRecord[],
  options: {
    exhibits?: readonly Exhibit[];
    scale?: string;
    studies?: readonly string[];
    notes?: readonly string[];
    sources?: FigureSources;
  },
): Promise<{ lead: Html; sections: Section[]; sheets: Html }> {
  const { sources = {}, exhibits = [], scale, studies } = options;
  const ordered = inOrder(records);
  const shown = exhibitsFor(records, exhibits, options, sources, studies);
  const sheets = new RunSheets(ordered);
  const sections: Section[] = [];
  let figureNumber = 0;
  for (const { exhibit, records: own, table } of shown) {
    const wide = exhibit.figures?.(own, sources) ?? [];
    const narrow = exhibit.figures?.(own, { ...sources, width: NARROW }) ?? [];
    const figures: Html[] = [];
    for (const [i, { figure }] of wide.entries())
      figures.push(await figureHtml(figure, narrow[i].figure, ++figureNumber));
    const content = trusted(table?.toHtml({ title: false, link: sheets.link, cards: true }) ?? '');
    sections.push({
      id: exhibit.id,
      label: exhibit.label,
      title: exhibit.title,
      content: htmlLines([html`<p class="claim">${exhibit.claim}</p>`, content, ...figures]),
    });
  }
  sections.push(...metricsSection(ordered), ...(await confusionSection(ordered, sources, () => ++figureNumber)));
  const runs = runsTable(ordered).toHtml({ title: false, rowId: ({ run }: Row) => runAnchor(String(run)) });
  sections.push(
    { id: 'runs', title: 'Runs', content: trusted(runs) },
    { id: 'settings', title: 'Settings, data and weights', content: settingsHtml(groupRuns(records)) },
    { id: 'environment', title: 'Environment', content: environmentsHtml(ordered) },
    { id: 'reported', title: 'Reported by others', content: reportedHtml() },
  );
  if (!studies) sections.push(...absentSection(exhibits, shown, scale));
  return { lead: leadHtml(ordered, shown, scale), sections, sheets: sheets.html() };
}

/** Metrics besides top-1, of the runs that have them. */
function metricsSection(records: readonly RunRecord[]): Section[] {
  const table = metricsTable(records);
  if (table.rows.length === 0) return [];
  return [{ id: 'metrics', title: 'Metrics', content: trusted(table.toHtml({ title: false, cards: true })) }];
}

/** Which classes are confused, of the first groups and methods whose predictions were kept; over all their seeds. */
async function confusionSection(
  records: readonly RunRecord[],
  { predictions: keptOf }: FigureSources,
  nextNumber: () => number,
): Promise<Section[]> {
  if (keptOf === undefined) return [];
  const parts: Html[] = [];
  for (const { label, methods } of groupRuns(onTest(records)).slice(0, CONFUSED.groups)) {
    for (const { label: method, records: runs } of methods.slice(0, CONFUSED.methods)) {
      const kept = (await Promise.all(runs.map(({ id }) => keptOf(id)))).filter((each) => each !== null);
      if (kept.length === 0) continue;
      const title = `${label} · ${method}`;
      const pooled = pooledPredictions(kept);
      const figure = (width?: number): Figure => confusionFigure(pooled, { title, width });
      parts.push(await figureHtml(figure(), figure(NARROW), nextNumber()));
    }
  }
  if (parts.length === 0) return [];
  return [{ id: 'confusion', title: 'Which class is taken for which', content: htmlLines(parts) }];
}

async function figureHtml(wide: Figure, narrow: Figure, number: number): Promise<Html> {
  const [large, small] = [trusted(await wide.toSvg()), trusted(await narrow.toSvg())];
  const images = html`<div class="wide">${large}</div><div class="narrow">${small}</div>`;
  return html`<figure>${images}<figcaption><b>Figure ${number}.</b> ${wide.caption}</figcaption></figure>`;
}

/** How many runs of what, and each claim with its verdict. */
function leadHtml(records: readonly RunRecord[], shown: readonly Shown[], scale: string | undefined): Html {
  const failed = records.filter(({ status }) => status === 'failed').length;
  const names = (of: (record: RunRecord) => string): string => list([...new Set(records.map(of))]);
  const chosen = records.filter(({ spec }) => spec.evaluateOn === 'validation').length;
  const about = [
    `${records.length} ${records.length === 1 ? 'run' : 'runs'} on ${names(({ dataset }) => dataset.name)} with `,
    names(({ spec }) => spec.backbone),
    scale === undefined ? '' : `, at scale ${scale}`,
    chosen === 0 ? '' : `; ${chosen} of them on a validation split, to choose hyper-parameters`,
    failed === 0 ? '' : `; ${failed} failed`,
    '.',
  ].join('');
  return html`<div class="lead"><p>${about}</p><ul class="claims">${shown.map(claimHtml)}</ul></div>`;
}

function claimHtml({ exhibit, table }: Shown): Html | null {
  const keyOf = ({ dataset, backbone, settings, treated, control }: Row): string =>
    JSON.stringify([dataset, backbone, settings, treated, control]);
  const judged = (table?.rows ?? []).filter(({ verdict }) => typeof verdict === 'string');
  const rows = [...new Map(judged.map((row) => [keyOf(row), row])).values()];
  if (rows.length === 0) return null;
  const verdicts = rows.filter(({ status }) => status !== 'pooled').map(({ verdict }) => verdict as Verdict);
  const claim = exhibit.claim.replace(/\.$/, '');
  const overall = overallVerdict(verdicts);
  const mark = exhibit.isOneClaim && html` <span class="mark" data-mark="${overall}">${overall}</span>`;
  const counted = rows.length > 1 && html` <span class="counts">${countVerdicts(verdicts)}</span>`;
  const differing = (['dataset', 'backbone', 'settings'] as const).filter((key) =>
    rows.some((row) => row[key] !== rows[0][key]),
  );
  const each = rows.length <= FEW && html`<ul>${rows.map((row) => html`<li>${rowHtml(row, differing)}</li>`)}</ul>`;
  const name = `${exhibit.label === undefined ? '' : `${exhibit.label}. `}${claim}`;
  return html`<li><a href="#${exhibit.id}">${name}</a>:${mark}${counted}${each}</li>`;
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;

/** One sentence: the condition (as far as rows differ in it), the methods, the difference, its pairs, the verdict. */
function rowHtml(row: Row, differing: readonly string[]): Html {
  const { treated, control, pairs, difference, interval, verdict, seeds_needed: needed } = row;
  const where = differing.map((key) => row[key]).filter((value) => value !== null);
  const range = interval as Pair | null;
  const spread = range ? `95 % interval [${signed(range[0])}, ${signed(range[1]!)}]` : 'too few for an interval';
  const without = verdict === 'failed' ? 'a run failed' : 'no pair of runs';
  const sizeText =
    typeof difference === 'number'
      ? `${signed(difference)} points, ${String(pairs)} ${pairs === 1 ? 'pair' : 'pairs'}, ${spread}`
      : without;
  const more = typeof needed === 'number' && Number.isFinite(needed) ? ` (${needed} seeds would decide)` : '';
  const condition = where.length > 0 && `${where.join(' · ')}: `;
  const sides = html`<b>${String(treated ?? 'several')}</b> against ${String(control ?? 'several')}`;
  return html`${condition}${sides}: ${sizeText}: ${String(verdict)}${more}`;
}

/** Every value that has a source, source by source. */
function reportedHtml(): Html {
  const values = readReported();
  const sources = [...new Map(values.map(({ source }) => [source.id, source])).values()];
  const parts = sources.map((source) => {
    const own = values.filter((value) => value.source.id === source.id);
    const columns = [...new Set(own.map(({ column }) => column))];
    const rows = [...new Set(own.map(({ row }) => row))];
    const textOf = (row: string, column: string): string =>
      own
        .filter((value) => value.row === row && value.column === column)
        .map(({ value }) => valueText(value))
        .join(' / ') || '–';
    const head = html`<th></th>${columns.map((column) => html`<th scope="col">${column}</th>`)}`;
    const cells = (row: string): Html[] => columns.map((column) => html`<td>${textOf(row, column)}</td>`);
    const body = rows.map((row) => html`<tr><th scope="row">${row}</th>${cells(row)}</tr>`);
    const table = html`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
    const note = sourceText(source, [...new Set(own.map(({ table: name }) => name))]);
    return html`<h3>${source.title}</h3><p class="note">${note}</p><div class="scroll">${table}</div>`;
  });
  return html`<p class="note">Test accuracy in percent, as the sources print it.</p>${htmlLines(parts)}`;
}

/** Exhibits without runs, with the commands that make them. */
function absentSection(exhibits: readonly Exhibit[], shown: readonly Shown[], scale: string | undefined): Section[] {
  const absent = inReportOrder(exhibits).filter(
    ({ id }) => id !== 'methods' && !shown.some(({ exhibit }) => exhibit.id === id),
  );
  if (absent.length === 0) return [];
  const items = absent.map(({ label, title, command }) => {
    const name = html`${label !== undefined && html`<b>${label}</b> `}${title}`;
    return html`<li>${name}: <code>${command(scale)}</code></li>`;
  });
  const note = html`<p class="note">There are no runs for these; the commands make them.</p>`;
  return [
    {
      id: 'absent',
      title: 'Not run',
      content: html`${note}<ul>${items}</ul>`,
    },
  ];
}
