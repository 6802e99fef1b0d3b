// Bundles for messages: bytes as base64, and only values of JSON.
import util from 'node:util';
import type { MimeBundle } from '../runner/format';

/** Most characters of a form that are sent: a browser does not show more, and a notebook file keeps it. */
const LARGEST = 64e6;

/** The bundle with each value in Jupyter's form. A form that is too large is left out, with its size in the text. */
export function sendable(bundle: MimeBundle): MimeBundle {
  const forms: MimeBundle = {};
  const tooLarge: string[] = [];
  for (const [type, value] of Object.entries(bundle ?? {})) {
    const form = valueOf(type, value);
    if (typeof form !== 'string' || form.length <= LARGEST) forms[type] = form;
    else tooLarge.push(`${type} of ${Math.round(form.length / 1e6)} million characters is too large to be shown`);
  }
  if (tooLarge.length > 0) forms['text/plain'] = tooLarge.join('\n');
  return forms;
}

function valueOf(type: string, value: unknown): unknown {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return /^text\/|^image\/svg\+xml$/.test(type) ? bytes.toString('utf8') : bytes.toString('base64');
  }
  if (!/json/.test(type) && Array.isArray(value) && value.every((each) => typeof each === 'string'))
    return value.join('');
  try {
    const json = JSON.stringify(value) as string | undefined;
    return /json/.test(type) && json !== undefined ? value : util.inspect(value);
  } catch {
    return util.inspect(value); // a circular object, or a bigint
  }
}
