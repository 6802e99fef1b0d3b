// The file that says what a prepared data set holds, and what it was prepared from.
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { hashDataset, hashOf, type Dataset, type DatasetSpec, type Sample } from '../dataset';
import { duplicatesAcross, duplicatesNotice } from '../duplicates';

/** Name of the file in the folder of a prepared data set. */
export const STAMP = 'dataset.json';
const FORMAT = 1;

const row = z.tuple([z.string(), z.number().int().nonnegative(), z.number().nonnegative(), z.string().length(64)]);
const stampSchema = z.object({
  format: z.literal(FORMAT),
  spec: z.string(),
  verified: z.enum(['hash', 'content']).default('hash'),
  classes: z.array(z.string()).optional(),
  train: z.array(row),
  test: z.array(row),
});

/** File, label, bytes and sha256 of an image. */
export type StampRow = z.infer<typeof row>;

/** What a prepared folder depends on: when the manifest changes in any of this, it is prepared again. */
function specKey({ classes, files, counts, reader }: DatasetSpec): string {
  return hashOf([classes, files, counts, reader]);
}

/** The text of a stamp. */
export function makeStamp(
  spec: DatasetSpec,
  content: { verified: 'hash' | 'content'; classes?: string[]; train: StampRow[]; test: StampRow[] },
): string {
  return `${JSON.stringify({ format: FORMAT, spec: specKey(spec), ...content })}\n`;
}

/**
 * The prepared data set in `home`; undefined when it is missing, of another spec, or an image is missing or of another
 * size.
 */
export function readStamp(
  home: string,
  spec: DatasetSpec,
): { dataset: Dataset; digests: Map<string, string> } | undefined {
  try {
    const stamp = stampSchema.parse(JSON.parse(fs.readFileSync(path.join(home, STAMP), 'utf8')));
    if (stamp.spec !== specKey(spec)) return undefined;
    const rows = [...stamp.train, ...stamp.test];
    if (rows.some(([file, , bytes]) => fs.statSync(path.join(home, file)).size !== bytes)) return undefined;
    const toSamples = (list: StampRow[]): Sample[] => list.map(([file, label]) => ({ file, label }));
    const samples = {
      classes: stamp.classes ?? spec.classes,
      train: toSamples(stamp.train),
      test: toSamples(stamp.test),
    };
    const digests = new Map(rows.map(([file, , , digest]) => [file, digest]));
    const { licence, citation } = spec;
    const notices = duplicatesNotice(duplicatesAcross(samples, digests));
    const dataset: Dataset = {
      name: spec.name,
      root: path.resolve(home),
      ...samples,
      ...hashDataset(samples, digests),
      licence,
      citation,
      verified: stamp.verified,
      ...(notices.length > 0 && { notices }),
    };
    return { dataset, digests };
  } catch {
    return undefined;
  }
}
