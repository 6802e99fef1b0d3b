// What stands in a report: verdicts first, then study by study its table and figures, then the runs and what they were
// made with.
import type { RunRecord } from '../../runs/store/record';
import type { Pair, Row } from '../table/cells';
import type { Figure } from '../figures/figure';
import { groupRuns, inOrder } from '../comparison/grouping';
import { escapeHtml } from '../table/markup';
import { list } from '../comparison/notes';
import type { Section } from './page';
import { environmentsHtml, runsTable, settingsHtml } from './provenance';
import { readReported, sourceText, valueText } from '../comparison/reported';
import { runAnchor, RunSheets } from './run-sheets';
import { exhibits, present, type FigureSources, type Present } from './exhibits';
import { countVerdicts, overallVerdict, VERDICT_RULE, type Verdict } from '../comparison/verdict';

/** Width of figures for phones, px: their text stays at 12 px there. */
const NARROW = 380;

/** More comparisons than this are counted above, and stand one by one in their table. */
const FEW = 6;

/** The lead, the sections, and the sheets of runs behind their numbers. */
export async function sectionsOf(
  records: readonly RunRecord[],
  options: { scale?: string; studies?: readonly string[]; notes?: readonly string[]; sources?: FigureSources },
): Promise<{ lead: string; sections: Section[]; sheets: string }> {
  const groups = groupRuns(records);
  const ordered = inOrder(records);
  const { sources = {} } = options;
  const shown = present(records, options, sources, options.studies);
  const sheets = new RunSheets(ordered);
  const sections: Section[] = [];
  let figureNumber = 0;
  for (const { exhibit, records: own, table } of shown) {
    const [wide, narrow] = [
      exhibit.figures?.(own, sources) ?? [],
      exhibit.figures?.(own, { ...sources, width: NARROW }) ?? [],
    ];
    const figures: string[] = [];
    for (const [i, { figure }] of wide.entries())
      figures.push(await figureHtml(figure, narrow[i].figure, ++figureNumber));
    const claim = `<p class="claim">${escapeHtml(exhibit.claim)}</p>`;
    sections.push({
      id: exhibit.id,
      label: labelOf(exhibit.id),
      title: exhibit.title,
      html: [claim, table?.toHtml({ title: false, link: sheets.link, cards: true }) ?? '', ...figures].join('\n'),
    });
  }
  sections.push(
    {
      id: 'runs',
      title: 'Runs',
      html: runsTable(ordered).toHtml({ title: false, rowId: ({ run }: Row) => runAnchor(String(run)) }),
    },
    { id: 'settings', title: 'Settings, data and weights', html: settingsHtml(groups) },
    { id: 'environment', title: 'Environment', html: environmentsHtml(ordered) },
    { id: 'reported', title: 'Reported by others', html: reportedHtml() },
  );
  if (!options.studies) sections.push(...absentSection(shown, options.scale));
  return { lead: leadHtml(ordered, shown, options.scale), sections, sheets: sheets.html() };
}

/** `T2`; nothing for the parts that are no claim's. */
const labelOf = (id: string): string | undefined => (/^[tf]\d$/.test(id) ? id.toUpperCase() : undefined);

async function figureHtml(wide: Figure, narrow: Figure, number: number): Promise<string> {
  const [large, small] = [await wide.toSvg(), await narrow.toSvg()];
  return `<figure><div class="wide">${large}</div><div class="narrow">${small}</div><figcaption><b>Figure ${number}.</b> ${escapeHtml(wide.caption)}</figcaption></figure>`;
}

/** How many runs of what, and each claim with what came out. */
function leadHtml(records: readonly RunRecord[], shown: readonly Present[], scale: string | undefined): string {
  const failed = records.filter(({ status }) => status === 'failed').length;
  const names = (of: (record: RunRecord) => string): string => list([...new Set(records.map(of))]);
  const judged = records.filter(({ spec }) => spec.evaluateOn === 'validation').length;
  const about =
    `${records.length} ${records.length === 1 ? 'run' : 'runs'} on ${names(({ dataset }) => dataset.name)} with ${names(({ spec }) => spec.backbone)}` +
    `${scale === undefined ? '' : `, at scale ${scale}`}${judged === 0 ? '' : `; ${judged} of them on a validation split, to choose hyper-parameters`}${failed === 0 ? '' : `; ${failed} failed`}.`;
  return `<div class="lead"><p>${escapeHtml(about)}</p><ul class="claims">${shown.map(claimHtml).join('')}</ul></div>`;
}

function claimHtml({ exhibit, table }: Present): string {
  const keyOf = ({ dataset, backbone, settings, treated, control }: Row): string =>
    JSON.stringify([dataset, backbone, settings, treated, control]);
  const rows = [
    ...new Map(
      (table?.rows ?? []).filter(({ verdict }) => typeof verdict === 'string').map((row) => [keyOf(row), row]),
    ).values(),
  ];
  if (rows.length === 0) return '';
  const verdicts = rows.map(({ verdict }) => verdict as Verdict);
  const name = `${labelOf(exhibit.id) === undefined ? '' : `${exhibit.id.toUpperCase()}. `}${exhibit.claim.replace(/\.$/, '')}`;
  const overall = overallVerdict(verdicts);
  const mark = exhibit.isOneClaim
    ? ` <span class="mark" data-mark="${overall}" title="${escapeHtml(VERDICT_RULE)}">${overall}</span>`
    : '';
  const counted = rows.length > 1 ? ` <span class="counts">${escapeHtml(countVerdicts(verdicts))}</span>` : '';
  const differ = (['dataset', 'backbone', 'settings'] as const).filter((key) =>
    rows.some((row) => row[key] !== rows[0][key]),
  );
  const each = rows.length <= FEW ? `<ul>${rows.map((row) => `<li>${rowHtml(row, differ)}</li>`).join('')}</ul>` : '';
  return `<li><a href="#${exhibit.id}">${escapeHtml(name)}</a>:${mark}${counted}${each}</li>`;
}

/**
 * One sentence: where (as far as rows differ in it), what, by how much, over how many seeds, and the verdict by its
 * rule.
 */
function rowHtml(row: Row, differ: readonly string[]): string {
  const { treated, control, pairs, difference, interval, verdict } = row;
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  const where = differ
    .map((key) => row[key])
    .filter((part) => part !== null)
    .join(' · ');
  const range = interval as Pair | null;
  const spread = range ? `95 % interval [${signed(range[0])}, ${signed(range[1]!)}]` : 'too few for an interval';
  const without = verdict === 'failed' ? 'a run failed' : 'no pair of runs';
  const how =
    typeof difference === 'number'
      ? `${signed(difference)} points, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}, ${spread}`
      : without;
  return `${where === '' ? '' : `${escapeHtml(where)}: `}<b>${escapeHtml(String(treated))}</b> against ${escapeHtml(String(control))}: ${escapeHtml(how)}: ${escapeHtml(String(verdict))}`;
}

/** Every value that has a source, source by source. */
function reportedHtml(): string {
  const values = readReported();
  const sources = [...new Map(values.map(({ source }) => [source.id, source])).values()];
  const parts = sources.map((source) => {
    const own = values.filter((value) => value.source.id === source.id);
    const columns = [...new Set(own.map(({ column }) => column))];
    const rows = [...new Set(own.map(({ row }) => row))];
    const cell = (row: string, column: string): string =>
      own
        .filter((value) => value.row === row && value.column === column)
        .map(({ value }) => valueText(value))
        .join(' / ') || '–';
    const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
    const body = rows
      .map(
        (row) =>
          `<tr><th scope="row">${escapeHtml(row)}</th>${columns.map((column) => `<td>${cell(row, column)}</td>`).join('')}</tr>`,
      )
      .join('');
    return `<h3>${escapeHtml(source.title)}</h3><p class="note">${escapeHtml(sourceText(source, [...new Set(own.map(({ table }) => table))]))}</p><div class="scroll"><table><thead><tr><th></th>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
  });
  return `<p class="note">Test accuracy in percent, as the sources print it; nothing else of the paper's results is at hand.</p>${parts.join('\n')}`;
}

/** What is not shown because nothing was run, with the commands that change it. */
function absentSection(shown: readonly Present[], scale: string | undefined): Section[] {
  const absent = exhibits().filter(({ id }) => id !== 'methods' && !shown.some(({ exhibit }) => exhibit.id === id));
  if (absent.length === 0) return [];
  const items = absent.map(
    ({ id, title, command }) =>
      `<li>${labelOf(id) ? `<b>${labelOf(id)}</b> ` : ''}${escapeHtml(title)}: <code>${escapeHtml(command(scale))}</code></li>`,
  );
  return [
    {
      id: 'absent',
      title: 'Not run',
      html: `<p class="note">Nothing was run for these; the commands make the runs.</p><ul>${items.join('')}</ul>`,
    },
  ];
}
