// Shows values in a notebook: a table as HTML, a figure as plotly and SVG, a frame with all columns, a tensor with its
// shape and first values.
import { randomUUID } from 'node:crypto';
import util from 'node:util';
import { notebookHost } from '../../base/notebook-host';
import { asFrame, frameBundle } from './frame';
import { foreignFrame, formsOf } from './known';
import type { MimeBundle } from '../runner/format';
import { isRunRecord, recordBundle, recordsBundle } from './record-card';
import { isTensor, tensorText } from './tensor';

/** Sends a bundle to the running cell; a second bundle with the same `id` replaces the first. */
export type Publish = (bundle: MimeBundle, display?: { id: string; update: boolean }) => void;

/** The kernel's way to publish; `null` outside a kernel. */
export function kernelPublish(): Publish | null {
  const host = notebookHost();
  return host === null ? null : (bundle, display) => host.publish(bundle, display);
}

/** Sends bundles by `publish`; each replaces the one before it. The first makes the output. */
export function inPlace(publish: Publish): (bundle: MimeBundle) => void {
  const id = randomUUID();
  let update = false;
  return (bundle) => {
    publish(bundle, { id, update });
    update = true;
  };
}

/** Options of `show`. */
export interface ShowOptions {
  /** Most rows of a DataFrame that are shown. Default 20. */
  rows?: number;
}

/**
 * Shows `value` in the notebook's cell; outside a notebook, prints it. Await it: a figure takes a moment to draw.
 * The last expression of a cell is shown in the same way without it. Known forms: what has a method
 * `Symbol.for('Jupyter.display')` (Table, Figure, Picture) or `toHTML`; a frame of danfo, arquero or polars; a run
 * record; a tensor; bytes of a PNG, JPEG, GIF or WebP image; an element with `outerHTML`; a specification of Vega or
 * Vega-Lite; plotly's `{data, layout}`; an object whose keys are media types. Anything else is shown as `util.inspect`
 * prints it, the first 100,000 characters.
 */
export async function show(value: unknown, options: ShowOptions = {}): Promise<void> {
  const publish = kernelPublish();
  const shown: unknown = await value;
  if (publish) publish(await bundleOf(shown, options));
  else console.log(textOf(shown, options));
}

const DISPLAY = Symbol.for('Jupyter.display');

/** The forms of `value` by media type; always with `text/plain`. */
export async function bundleOf(value: unknown, options: ShowOptions = {}): Promise<MimeBundle> {
  const shows = methodOf(value, DISPLAY);
  if (shows !== null)
    return { 'text/plain': inspected(value), ...(await (shows.call(value) as MimeBundle | Promise<MimeBundle>)) };
  const toHTML = methodOf(value, 'toHTML');
  if (toHTML !== null) return { 'text/plain': inspected(value), 'text/html': String(await toHTML.call(value)) };
  return (
    looked(() => knownBundle(value, options)) ?? {
      'text/plain': cut(looked(() => textOf(value, options)) ?? inspected(value)),
    }
  );
}

function knownBundle(value: unknown, options: ShowOptions): MimeBundle | null {
  const frame = asFrame(value) ?? foreignFrame(value);
  if (frame !== null) return frameBundle(frame, options.rows);
  if (isRunRecord(value)) return recordBundle(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isRunRecord)) return recordsBundle(value);
  const forms = formsOf(value);
  return forms === null ? null : { 'text/plain': cut(inspected(value)), ...forms };
}

/** Most characters of a text that a cell shows. */
const LONGEST = 100_000;

/** The beginning of a long text, with its size. */
function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  const size = `${(text.length / 1e6).toFixed(1)} million characters`;
  return `${text.slice(0, LONGEST)}\n… ${size}, the first ${LONGEST} shown`;
}

/** The result of `look`; `null` when a getter or a proxy throws. */
function looked<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}

function methodOf(value: unknown, name: string | symbol): ((this: unknown) => unknown) | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
  const method = looked(() => (value as Record<string | symbol, unknown>)[name]);
  return typeof method === 'function' ? (method as (this: unknown) => unknown) : null;
}

/** The value as Node prints it. Errors of its own inspection are ignored. */
const inspected = (value: unknown): string =>
  looked(() => util.inspect(value)) ??
  looked(() => util.inspect(value, { customInspect: false })) ??
  'a value that cannot be printed';

function textOf(value: unknown, options: ShowOptions): string {
  if (typeof value === 'string') return value;
  if (isTensor(value)) return tensorText(value);
  const frame = asFrame(value) ?? foreignFrame(value);
  if (frame !== null) return String(frameBundle(frame, options.rows)['text/plain']);
  if (isRunRecord(value)) return String(recordBundle(value)['text/plain']);
  return util.inspect(value);
}
