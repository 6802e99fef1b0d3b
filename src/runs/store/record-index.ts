// An index of the records of a store, so that ten thousand of them are listed without reading ten thousand files.
import fs from 'node:fs';
import path from 'node:path';
import type { RunRecord } from './record';

/** A record whose `epochs` hold the last one alone (none of a run that failed in its first). */
export type BriefRecord = RunRecord;

/** How many records may be missing from the index before it is written anew: less is quicker read than written. */
const TOLERATED = 64;

const FORMAT = 2;

/**
 * What `index.json` holds. Environments and data sets are many records' own: they stand once, and records name their
 * place.
 */
interface Written {
  format: typeof FORMAT;
  shared: unknown[];
  /**
   * By run: size and modification time of its record, as it was when read, and the record with `environment` and
   * `dataset` as places in `shared`.
   */
  runs: Record<string, [size: number, modified: number, record: object]>;
}

/**
 * The brief records of the runs in `root`, in the order of their ids: from the index those whose file is as it was, the
 * others by `read` (null: no
 * record there). The index is written anew when too many were not in it, and only where the folder can be written.
 */
export function indexedRecords(root: string, read: (id: string) => RunRecord | null): BriefRecord[] {
  const indexed = readIndex(root);
  const found = new Map<string, { size: number; modified: number; record: BriefRecord }>();
  let missing = 0;
  const folders = fs.readdirSync(root, { withFileTypes: true }).filter((entry) => !entry.isFile());
  for (const id of folders.map(({ name }) => name).sort()) {
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

function readIndex(root: string): Map<string, { size: number; modified: number; record: BriefRecord }> {
  try {
    const { format, shared, runs } = JSON.parse(fs.readFileSync(fileOf(root), 'utf8')) as Written;
    if (format !== FORMAT) return new Map();
    return new Map(
      Object.entries(runs).map(([id, [size, modified, written]]) => {
        const record = written as RunRecord & { environment: unknown; dataset: unknown };
        const whole = {
          ...record,
          top1: record.top1 ?? NaN,
          environment: shared[record.environment as unknown as number],
          dataset: shared[record.dataset as unknown as number],
        };
        return [id, { size, modified, record: whole as BriefRecord }];
      }),
    );
  } catch {
    return new Map(); // none yet, or cut short: it is made again
  }
}

function writeIndex(
  root: string,
  records: ReadonlyMap<string, { size: number; modified: number; record: BriefRecord }>,
): void {
  const shared: unknown[] = [];
  const places = new Map<string, number>();
  const place = (value: unknown): number => {
    const text = JSON.stringify(value);
    let at = places.get(text);
    if (at === undefined) places.set(text, (at = shared.push(value) - 1));
    return at;
  };
  const runs: Written['runs'] = {};
  for (const [id, { size, modified, record }] of records)
    runs[id] = [size, modified, { ...record, environment: place(record.environment), dataset: place(record.dataset) }];
  const beside = `${fileOf(root)}.partial-${process.pid}`;
  try {
    fs.writeFileSync(beside, JSON.stringify({ format: FORMAT, shared, runs } satisfies Written));
    fs.renameSync(beside, fileOf(root));
  } catch {
    fs.rmSync(beside, { force: true }); // a folder of somebody else's, or a full disk: it goes without
  }
}
