// Reads the answer of a server with a bound on its size: an endless answer costs neither memory nor hours.
import type { Readable } from 'node:stream';
import { KitError } from './errors';

/**
 * The text of a body. Of one that is longer than `most` bytes, with `keep: 'end'`, its last `most` bytes; it is read up
 * to 16 times as many.
 * @throws KitError ANSWER_TOO_LONG for a longer one; what the stream throws.
 */
export async function boundedBody(
  body: Readable,
  most: number,
  { keep = 'all' }: { keep?: 'all' | 'end' } = {},
): Promise<string> {
  const chunks: Buffer[] = [];
  let [kept, read] = [0, 0];
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    kept += chunk.length;
    read += chunk.length;
    if (keep === 'end') while (chunks.length > 1 && kept - chunks[0].length >= most) kept -= chunks.shift()!.length;
    if (read <= (keep === 'end' ? 16 * most : most)) continue;
    body.destroy();
    if (keep === 'end') break;
    throw new KitError(`The answer is longer than ${most} bytes.`, { code: 'ANSWER_TOO_LONG' });
  }
  const all = Buffer.concat(chunks);
  return all.subarray(Math.max(0, all.length - most)).toString('utf8');
}
