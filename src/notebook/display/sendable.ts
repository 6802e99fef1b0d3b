// Bundles for messages: bytes as base64, and only values of JSON.
import util from 'node:util';
import type { MimeBundle } from '../runner/format';

/** The bundle with each value in Jupyter's form. */
export function sendable(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(Object.entries(bundle ?? {}).map(([type, value]) => [type, valueOf(type, value)]));
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
