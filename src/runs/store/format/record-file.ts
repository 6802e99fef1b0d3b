// The files of a finished run: `record.json` and `layers.json`, with their checksums; checked whenever they are read.
import { createHash } from 'node:crypto';
import path from 'node:path';
import stableStringify from 'safe-stable-stringify';
import { KitError } from '../../../base/errors';
import { isNewerKit, kitVersion } from '../../../base/home';
import { boundedText } from './bounded-text';
import { formatOf, toCurrentRecord } from './older-formats';
import { RECORD_FORMAT, type LayerRow, type RunRecord } from '../record';
import { asRecord, checksumsSchema, LAYER_COLUMNS, layersSchema, recordSchema, whyNot } from './record-schema';

/**
 * The sha256 of what a run left, inside `record.json`: of the record's canonical JSON without these, and of the files
 * beside it.
 */
export interface Checksums {
  record: string;
  [file: string]: string;
}

/** A record and its checksums; null for a record of kit 0.1 that has none. */
export interface StoredRecord {
  record: RunRecord;
  /** The document as it was written, without its checksums. */
  written: object;
  checksums: Checksums | null;
}

/** Most bytes of a record (40 epochs of 100 layers take 0.4 MB) and of the rows of layers beside it. */
const [MOST_RECORD, MOST_LAYERS] = [64e6, 256e6];

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The text of `record.json`. @param files sha256 of the files beside it, by name. */
export function recordText(record: RunRecord, files: Readonly<Record<string, string>>): string {
  const document = JSON.parse(JSON.stringify(record)) as object;
  const checksums: Checksums = { record: sha256(stableStringify(document)!), ...files };
  return `${JSON.stringify({ ...document, checksums }, null, 1)}\n`;
}

/**
 * The record in `file`, translated from an older format; null where there is no such file.
 * @param id that it must have.
 * @throws KitError RECORD_NEWER when a newer kit wrote it; RECORD_DAMAGED when it is not JSON, not of the form of a
 *   record, another run's, or was changed after it was written; RECORD_UNREADABLE when the disk refuses.
 */
export function readRecord(file: string, id: string): StoredRecord | null {
  const document = readJson(file, MOST_RECORD);
  if (document === undefined) return null;
  const format = formatOf(document);
  const kit = (document as { environment?: { kit?: unknown } } | null)?.environment?.kit;
  if (format !== null && format > RECORD_FORMAT) throw newer(file, `format ${format}`, kit);
  const { checksums: sums, ...written } = (document ?? {}) as { checksums?: unknown };
  const checksums = sums === undefined ? null : checksumsSchema.safeParse(sums);
  if (checksums !== null && !checksums.success) throw damaged(file, `checksums: ${whyNot(checksums.error)}`);
  const found = recordSchema.safeParse(translated(written));
  if (!found.success) {
    if (typeof kit === 'string' && isNewerKit(kit)) throw newer(file, whyNot(found.error), kit);
    throw damaged(file, whyNot(found.error));
  }
  if (found.data.id !== id) throw damaged(file, `expected the run ${id}, found ${found.data.id}`);
  if (checksums !== null && checksums.data.record !== sha256(stableStringify(written)!))
    throw damaged(file, 'it was changed after it was written: its checksum is not that of its content');
  return {
    record: asRecord(found.data),
    written,
    checksums: checksums === null ? null : (checksums.data as Checksums),
  };
}

/** The text of `layers.json`: the names of the columns stand there once. */
export function layersText(rows: readonly LayerRow[]): string {
  const lines = rows.map((row) => JSON.stringify(LAYER_COLUMNS.map((column) => row[column])));
  return `{"columns":${JSON.stringify(LAYER_COLUMNS)},"rows":[\n${lines.join(',\n')}\n]}\n`;
}

/**
 * The rows in `file`; null where there is no such file.
 * @throws KitError LAYERS_DAMAGED when it is not of their form; RECORD_UNREADABLE when the disk refuses.
 */
export function readLayers(file: string): LayerRow[] | null {
  const document = readJson(file, MOST_LAYERS);
  if (document === undefined) return null;
  const found = layersSchema.safeParse(document);
  if (!found.success) throw damaged(file, whyNot(found.error), 'LAYERS_DAMAGED');
  return found.data.rows.map(
    (row) => Object.fromEntries(LAYER_COLUMNS.map((column, i) => [column, row[i]])) as unknown as LayerRow,
  );
}

/** What stands in a JSON file; undefined where there is none. */
function readJson(file: string, most: number): unknown {
  let text: string | null;
  try {
    text = boundedText(file, most);
  } catch (cause) {
    if (cause instanceof KitError) throw cause;
    throw new KitError(`The file ${file} could not be read: ${(cause as Error).message}`, {
      code: 'RECORD_UNREADABLE',
      fix: 'Check the disk and the rights of the file, then run the command again.',
      cause,
    });
  }
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(file, 'it is not JSON', path.basename(file) === 'layers.json' ? 'LAYERS_DAMAGED' : undefined, cause);
  }
}

const newer = (file: string, what: string, kit: unknown): KitError => {
  const version = typeof kit === 'string' ? ` ${kit.slice(0, 40)}` : '';
  return new KitError(
    `The run record ${file} is from a newer rifle-kit${version} (${what}). ` +
      `This is rifle-kit ${kitVersion()}, which reads formats up to ${RECORD_FORMAT}.`,
    { code: 'RECORD_NEWER', fix: `Update the kit${version === '' ? '' : ` to${version}`}.` },
  );
};

const damaged = (file: string, why: string, code = 'RECORD_DAMAGED', cause?: unknown): KitError =>
  new KitError(`The run record ${file} is damaged: ${why}.`, {
    code,
    fix:
      'Restore the file, or delete the run and repeat it: ' +
      `npx rifle runs prune ${path.basename(path.dirname(file))} --yes.`,
    cause,
  });

/** `written` in the form of today; as it is where it has no form: the schema says what is wrong with it. */
function translated(written: object): unknown {
  try {
    return toCurrentRecord(written);
  } catch {
    return written;
  }
}
