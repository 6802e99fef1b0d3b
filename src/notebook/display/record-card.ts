// A run record for a notebook: a card with its settings, results and versions; several records as a table.
import type { RunRecord } from '../../runs/store/record';
import { html, htmlLines } from '../../report/table/markup';
import type { MimeBundle } from '../runner/format';

/** Whether `value` is a run record. */
export function isRunRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<RunRecord>;
  return (
    typeof record.id === 'string' &&
    typeof record.method === 'string' &&
    Array.isArray(record.epochs) &&
    typeof record.spec === 'object' &&
    typeof record.environment === 'object'
  );
}

const percent = (fraction: number | undefined): string =>
  fraction === undefined || Number.isNaN(fraction) ? '–' : `${(100 * fraction).toFixed(2)} %`;

/** The lines of a card: name and value. */
function linesOf(record: RunRecord): [string, string][] {
  const { spec, epochs, dataset, weights, environment } = record;
  const last = epochs.at(-1);
  const best = epochs.reduce<(typeof epochs)[number] | undefined>(
    (found, row) => (row.top1 > (found?.top1 ?? -1) ? row : found),
    undefined,
  );
  const resets = record.resets.length === 0 ? 'none' : `after epoch ${record.resets.join(', ')}`;
  return [
    [
      'test top-1',
      `${percent(record.top1)}${best && best !== last ? ` (highest ${percent(best.top1)}, epoch ${best.epoch})` : ''}`,
    ],
    ['train top-1', `${percent(last?.trainTop1)}, loss ${last?.trainLoss.toFixed(4) ?? '–'}`],
    ['epochs', `${epochs.length}; head re-initialised: ${resets}`],
    [
      'data',
      `${dataset.name}: ${dataset.train} training and ${dataset.test} test images, ${dataset.classes.length} classes`,
    ],
    ['network', `${weights.id}, ${(weights.parameters / 1e6).toFixed(2)} M parameters, ${spec.imageSize} px`],
    ['seed', String(spec.seed)],
    ['made with', `rifle-kit ${environment.kit}, TensorFlow ${environment.tensorflow} on ${environment.device}`],
    ['id', record.id],
  ];
}

const titleOf = ({ method, spec, status }: RunRecord): string =>
  `${method}, seed ${spec.seed}${status === 'finished' ? '' : ` (${String(status)})`}`;

const CARD = 'display:inline-block;border:1px solid #8886;border-radius:6px;padding:.4em .8em';

/** One record as a card. */
export function recordBundle(record: RunRecord): MimeBundle {
  const lines = linesOf(record);
  const rows = lines.map(
    ([name, value]) => html`<tr><th style="text-align:left">${name}</th><td style="text-align:left">${value}</td></tr>`,
  );
  const width = Math.max(...lines.map(([name]) => name.length));
  return {
    'text/html': htmlLines([
      html`<div style="${CARD}"><b>${titleOf(record)}</b><table>`,
      ...rows,
      html`</table></div>`,
    ]).toString(),
    'text/plain': [titleOf(record), ...lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n'),
  };
}

/** Several records, one line each. */
export function recordsBundle(records: readonly RunRecord[]): MimeBundle {
  const head = ['method', 'seed', 'epochs', 'train top-1', 'test top-1', 'id'];
  const rows = records.map((record) => [
    record.method,
    String(record.spec.seed),
    String(record.epochs.length),
    percent(record.epochs.at(-1)?.trainTop1),
    percent(record.top1),
    record.id,
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const count = `${records.length} run records`;
  return {
    'text/html': htmlLines([
      html`<table><thead><tr>${head.map((title) => html`<th>${title}</th>`)}</tr></thead><tbody>`,
      ...rows.map((row) => html`<tr>${row.map((text) => html`<td>${text}</td>`)}</tr>`),
      html`</tbody></table>`,
      html`<p>${count}</p>`,
    ]).toString(),
    'text/plain':
      [head, ...rows]
        .map((row) =>
          row
            .map((text, i) => text.padEnd(widths[i]))
            .join('  ')
            .trimEnd(),
        )
        .join('\n') + `\n${count}`,
  };
}
