// An index of the records of a store, so that ten thousand of them are listed without reading ten thousand files.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { boundedText } from './format/bounded-text';
import type { RunRecord } from './record';
import { asRecord, recordSchema } from './format/record-schema';

/** A record whose `epochs` hold the last one alone (none of a run that failed in its first). */
export type BriefRecord = RunRecord;

/** How many records may be missing from the index before it is written again: fewer are read faster than written. */
const TOLERATED = 64;

/** Number of the index's own form. An index of another form is written again. */
const FORMAT = 3;

/** A brief record, and what its file was when it was read. */
interface Indexed {
  size: number;
  modified: number;
  record: BriefRecord;
}

/**
 * What `index.json` holds below its first line, which is the sha256 of the rest. Many records share an environment or a
 * data set: `shared` holds each once, and a record has its position there.
 */
const written = z.object({
  format: z.literal(FORMAT),
  shared: z.array(z.unknown()),
  /** By run: size and modification time of its record, and the record. */
  runs: z.record(
    z.string(),
    z.tuple([z.number(), z.number(), z.looseObject({ environment: z.number(), dataset: z.number() })]),
  ),
});

/**
 * The brief records of the runs `ids` in `root`, in their order: from the index those whose file is as it was, the
 * others by `read` (null: no record that can be used). The index is written again when too many were not in it, and
 * only where the folder can be written.
 */
export function indexedRecords(
  root: string,
  ids: readonly string[],
  read: (id: string) => RunRecord | null,
): BriefRecord[] {
  const indexed = readIndex(root);
  const found = new Map<string, Indexed>();
  let missing = 0;
  for (const id of ids) {
    const stat = fs.statSync(path.join(root, id, 'record.json'), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const known = indexed.get(id);
    if (known?.size === stat.size && known.modified === stat.mtimeMs) {
      found.set(id, known);
      continue;
    }
    missing++;
    const record = read(id);
    if (record !== null)
      found.set(id, {
        size: stat.size,
        modified: stat.mtimeMs,
        record: { ...record, epochs: record.epochs.slice(-1) },
      });
  }
  const gone = indexed.size + missing - found.size;
  if (missing + gone > TOLERATED) writeIndex(root, found);
  return [...found.values()].map(({ record }) => record);
}

const fileOf = (root: string): string => path.join(root, 'index.json');

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Most bytes of an index that is read: a million runs. */
const MOST = 1e9;

/** The index of a store; empty where there is none, or one that was changed, cut short or of another form. */
function readIndex(root: string): Map<string, Indexed> {
  const indexed = new Map<string, Indexed>();
  try {
    const text = boundedText(fileOf(root), MOST) ?? '';
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== sumOf(body)) return indexed;
    const { shared, runs } = written.parse(JSON.parse(body));
    for (const [id, [size, modified, { environment, dataset, ...record }]] of Object.entries(runs)) {
      const whole = { ...record, environment: shared[environment], dataset: shared[dataset] };
      const checked = recordSchema.safeParse(whole);
      if (checked.success && checked.data.id === id)
        indexed.set(id, { size, modified, record: asRecord(checked.data) });
    }
    return indexed;
  } catch {
    return new Map(); // none yet, or not readable: the records are read
  }
}

function writeIndex(root: string, records: ReadonlyMap<string, Indexed>): void {
  const shared: unknown[] = [];
  const positions = new Map<string, number>();
  const position = (value: unknown): number => {
    const text = JSON.stringify(value);
    let at = positions.get(text);
    if (at === undefined) positions.set(text, (at = shared.push(value) - 1));
    return at;
  };
  const runs: z.input<typeof written>['runs'] = {};
  for (const [id, { size, modified, record }] of records)
    runs[id] = [
      size,
      modified,
      { ...record, environment: position(record.environment), dataset: position(record.dataset) },
    ];
  const body = JSON.stringify({ format: FORMAT, shared, runs });
  const beside = `${fileOf(root)}.partial-${process.pid}`;
  try {
    fs.writeFileSync(beside, `${sumOf(body)}\n${body}`);
    fs.renameSync(beside, fileOf(root));
  } catch {
    fs.rmSync(beside, { force: true }); // a folder that cannot be written, or a full disk: there is no index
  }
}
