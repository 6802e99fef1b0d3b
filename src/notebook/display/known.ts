// Values that JavaScript libraries produce, known by their form: images as bytes, elements, charts, frames, bundles.
import type { Frame } from './frame';
import type { MimeBundle } from '../runner/format';

type Fields = Record<string, unknown>;

/** Most rows of a frame that are read. */
const ROWS = 1000;

/** The forms of a value of a known kind, without its text; `null` for any other value. */
export function formsOf(value: unknown): MimeBundle | null {
  if (typeof value !== 'object' || value === null) return null;
  if (value instanceof Uint8Array) return imageOf(value);
  const fields = value as Fields;
  return elementOf(fields) ?? chartOf(fields) ?? bundleIn(fields);
}

/** The first bytes of each image format that a browser shows. */
const SIGNATURES: readonly [type: string, at: number, bytes: string][] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
];

function imageOf(bytes: Uint8Array): MimeBundle | null {
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  const found = SIGNATURES.find(([, at, text]) => head.startsWith(text, at));
  return found === undefined ? null : { [found[0]]: Buffer.from(bytes).toString('base64') };
}

/** An element of a document (Observable Plot, d3): SVG as an image, anything else as HTML. */
function elementOf({ outerHTML }: Fields): MimeBundle | null {
  if (typeof outerHTML !== 'string') return null;
  return /^<svg\b/i.test(outerHTML) ? { 'image/svg+xml': outerHTML } : { 'text/html': outerHTML };
}

/** A specification of Vega or Vega-Lite by its schema, or plotly's `{data, layout}`. */
function chartOf({ $schema, data, layout, ...rest }: Fields): MimeBundle | null {
  const schema = typeof $schema === 'string' ? /\/(vega|vega-lite)\/v(\d+)/.exec($schema) : null;
  if (schema !== null) {
    const [, library, version] = schema;
    return { [`application/vnd.${library.replace('-', '')}.v${version}+json`]: { $schema, data, layout, ...rest } };
  }
  const isPlotly = Array.isArray(data) && data.every(isObject) && isObject(layout) && !Array.isArray(layout);
  return isPlotly ? { 'application/vnd.plotly.v1+json': { ...rest, data, layout } } : null;
}

const MEDIA_TYPE = /^(?:text|image|application|audio|video)\/[\w.+-]+$/;

/** An object of which every key is a media type. */
function bundleIn(fields: Fields): MimeBundle | null {
  const keys = Object.keys(fields);
  return keys.length > 0 && keys.every((key) => MEDIA_TYPE.test(key)) ? { ...fields } : null;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** A table of arquero or a DataFrame of polars as a frame; `null` for anything else. */
export function foreignFrame(value: unknown): Frame | null {
  if (!isObject(value)) return null;
  const table = value as Record<string, (...values: unknown[]) => unknown> & { columns: unknown; height: unknown };
  const isArquero = [table.columnNames, table.numRows, table.objects].every((each) => typeof each === 'function');
  const isPolars =
    Array.isArray(table.columns) && typeof table.height === 'number' && typeof table.toRecords === 'function';
  if (!isArquero && !isPolars) return null;
  const columns = (isArquero ? table.columnNames() : table.columns) as string[];
  const rows = Number(isArquero ? table.numRows() : table.height);
  const head = isArquero ? null : (table.head?.(ROWS) as typeof table | undefined);
  const records = (isArquero ? table.objects({ limit: ROWS }) : (head ?? table).toRecords()) as Fields[];
  return {
    columns,
    values: records.map((record) => columns.map((column) => record[column])),
    index: records.map((_, row) => row),
    rows,
  };
}
